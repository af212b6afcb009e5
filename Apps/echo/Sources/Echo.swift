import Brique

/// Says what it was started with, repeats what it reads, and ends with the status that EXIT names.
@main struct Echo {
    static func main() async {
        var number = 1
        for argument in Instance.arguments {
            print("argument \(number): \(argument)")
            number += 1
        }
        for variable in Instance.environment { print("environment \(variable.name): \(variable.value)") }
        var lines = 0
        do {
            while let line = try await Console.readLine() {
                print(line)
                lines += 1
            }
        } catch {
            print("the console failed with errno \(error.errno)")
            Instance.exit(1)
        }
        print("\(lines) lines")
        Instance.exit(Instance.environmentValue(of: "EXIT").flatMap { Int32($0) } ?? 0)
    }
}

import Brique

/// Says hello, then waits for ever: what an idle instance costs.
@main struct Wait {
    static func main() async {
        print("Hello from Brique")
        while true { try? await Task.sleep(for: .seconds(1 << 30)) }
    }
}

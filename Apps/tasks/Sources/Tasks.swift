import Brique

@main struct Tasks {
    static func main() async {
        print("one")
        try? await Task.sleep(for: .milliseconds(20))
        print("two")
    }
}

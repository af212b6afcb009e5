import Brique

@main struct Hello {
    static func main() {
        print("Hello from Brique")
    }
}

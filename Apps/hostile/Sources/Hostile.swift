import Brique
import SystemCall

/// Tries to reach past the library OS: makes the Linux system call that its argument names, with plausible arguments.
///
/// Under the process monitor the filter ends the instance; in a virtual machine there is no such call to make.
@main struct Hostile {
    static func main() {
        guard let name = Instance.arguments.first, let attempt = attempt(named: name) else {
            print("hostile: open, socket, ptrace, mprotect, execve")
            Instance.exit(64)
        }
        print("about to \(name)")
        let result = attempt()
        print("\(name) was answered with \(result)")
    }

    private static func attempt(named name: String) -> (() -> Int)? {
        let path = "/etc/passwd"
        let matches = { (candidate: String) in name.utf8.elementsEqual(candidate.utf8) }
        if matches("open") { return { call(2, address(of: path), 0, 0) } }
        if matches("socket") { return { call(41, 2, 1, 0) } }
        if matches("ptrace") { return { call(101, 16, 1, 0) } }
        if matches("mprotect") { return { call(10, address(of: path) & ~0xfff, 4_096, 7) } }
        if matches("execve") { return { call(59, address(of: path), 0, 0) } }
        return nil
    }

    private static func call(_ number: Int, _ a: Int, _ b: Int, _ c: Int) -> Int {
        system_call(number, a, b, c)
    }

    /// An address in the instance's own memory; what it holds does not matter, the call must not be reached.
    private static func address(of path: String) -> Int {
        var path = path
        return path.withUTF8 { bytes in Int(bitPattern: bytes.baseAddress) }
    }
}

import Foundation

/// The bench's own small programs, built once into a folder of their own, and the one that starts and times others.
struct Launcher {
    enum Method: String { case fork, spawn }

    struct Start {
        /// From just before the fork to the first byte of output; nil when there was none.
        var firstOutputMilliseconds: Double?
        /// To when the process was gone.
        var exitMilliseconds: Double
        var status: Int32
    }

    let folder: String
    var tiny: String { folder + "/tiny" }
    var libc: String { folder + "/libc" }
    var floor: String { folder + "/floor" }
    private var launch: String { folder + "/launch" }

    /// Builds from the sources in Host/Bench/Programs with the toolchain's clang.
    init(checkout: Checkout, folder: String) async throws {
        self.folder = folder
        let sources = checkout.path("Host/Bench/Programs")
        let plain = ["-Os", "-static", "-fuse-ld=lld"]
        let bare = plain + ["-nostdlib", "-ffreestanding", "-fno-stack-protector", "-Wl,--build-id=none"]
        let builds: [(String, [String])] = [
            (launch, plain + [sources + "/launch.c"]),
            (tiny, bare + [sources + "/tiny.c"]),
            (libc, plain + [sources + "/libc.c"]),
            (floor, bare + ["-m32", "-Wl,--image-base=0x100000,-e,start", sources + "/floor.S"]),
        ]
        for (output, arguments) in builds { _ = try await Command("clang", arguments + ["-o", output]).output() }
    }

    /// Starts the contender once to warm up where it is cheap, then once for the record.
    func start(_ contender: Contender) async throws -> Start {
        let count = contender.isWarmed ? 2 : 1
        let words = contender.prelude + [launch, contender.method.rawValue, String(count), contender.program] + contender.arguments
        let output = try await Command(words[0], Array(words.dropFirst()), environment: contender.environment).output()
        guard let line = output.split(separator: "\n").last else {
            throw BenchError.unexpected("\(contender.key): the launcher said nothing")
        }
        return try Self.parse(line, of: contender.key)
    }

    static func parse(_ line: Substring, of key: String) throws(BenchError) -> Start {
        let fields = line.split(separator: " ").compactMap { Int64($0) }
        guard fields.count == 3 else { throw .unexpected("\(key): the launcher said: \(line)") }
        return Start(
            firstOutputMilliseconds: fields[0] < 0 ? nil : Double(fields[0]) / 1e6, exitMilliseconds: Double(fields[1]) / 1e6,
            status: Int32(truncatingIfNeeded: fields[2]))
    }
}

/// One thing that is started and timed.
struct Contender {
    var key: String
    var title: String
    var method = Launcher.Method.fork
    var program: String
    var arguments: [String] = []
    var environment: [String: String] = [:]
    /// Words before the launcher's own, for a contender that needs namespaces made beforehand, outside its time.
    var prelude: [String] = []
    /// Cheap ones are started once before the start that counts.
    var isWarmed = true
    /// Takes part in one round of so many.
    var everyRounds = 1
    var status: Int32 = 0
}

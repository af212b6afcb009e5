import Bytes
import Errno
import Random
import RamFS
import Testing
import VFS

/// The same calls to Linux, in a directory of its own, and to a RamFS: the same errors and the same tree.
struct LinuxTests {
    private static let names = ["a", "b", "a/b", "a/c", "b/a", "a/b/c", "a/", "b/..", ".", "a/../b", "c", "c/a", "b/c/a", "a//c"]

    @Test func `random calls end as on Linux`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let host = try #require(HostTree())
        defer { host.remove() }
        let sample = try Sample()
        sample.context.creationMask = 0o022
        var trail: [String] = []
        for _ in 0..<4000 {
            let one = Self.names[Int(random.next() % UInt64(Self.names.count))]
            let two = Self.names[Int(random.next() % UInt64(Self.names.count))]
            let kind = Int(random.next() % 7)
            // A link must not lead out of the host's directory.
            if kind == 6, two.contains(".") { continue }
            let ours = failure { () throws(Errno) in try call(kind, one, two, sample) }
            let theirs = host.call(kind, one, two)
            trail.append("\(kind) \(one) \(two): \(ours?.rawValue ?? 0) \(theirs)")
            guard (ours?.rawValue ?? 0) == theirs else {
                Issue.record("seed \(seed): \(trail.suffix(30))")
                return
            }
            for name in Self.names where !isSame(name, sample, host) {
                Issue.record("seed \(seed), \(name): \(trail.suffix(30))")
                return
            }
        }
    }

    private func call(_ kind: Int, _ one: String, _ two: String, _ sample: Sample) throws(Errno) {
        switch kind {
        case 0: try sample.makeDirectory("/" + one)
        case 1:
            let file = try sample.open("/" + one, [.writeOnly, .create])
            defer { file.release() }
            _ = try file.write(text: one)
        case 2: try sample.rename("/" + one, "/" + two)
        case 3: try sample.unlink("/" + one)
        case 4: try sample.context.removeDirectory(Array("/\(one)".utf8))
        case 5: try sample.context.link(sample.resolve("/" + one, .noFollow), to: Array("/\(two)".utf8))
        default: try sample.link(two, at: "/" + one)
        }
    }

    private func isSame(_ name: String, _ sample: Sample, _ host: HostTree) -> Bool {
        let theirs = host.status(name)
        guard let place = try? sample.resolve("/" + name, .noFollow) else { return theirs == nil }
        guard let theirs else { return false }
        let ours = place.vnode.attributes
        if place != sample.context.root, ours.mode != theirs.mode { return false }
        return ours.linkCount == theirs.linkCount && (ours.kind == .directory || ours.byteCount == theirs.byteCount)
    }
}

@testable import ProgramImage
import Testing

private func apply(_ layers: [TarSample]) throws -> RootTree {
    let folder = try TemporaryFolder()
    let tree = RootTree()
    for (index, layer) in layers.enumerated() {
        _ = try tree.apply(layer: try folder.write(layer.archive, to: "\(index).tar"), title: "layer \(index)")
    }
    return tree
}

@Test func `a later layer adds, replaces and removes`() throws {
    var first = TarSample()
    first.folder("./")
    first.folder("./srv/")
    first.add("srv/gone")
    first.add("srv/kept", content: [1, 2, 3])
    first.folder("dir")
    first.add("dir/old")
    first.add("usr/lib/a")
    first.add("lib", type: "2", target: "usr/lib")
    first.add("was-file")
    var second = TarSample()
    second.add("srv/.wh.gone")
    second.add("dir/new")
    second.add("dir/.wh..wh..opq")
    second.add("lib/b")
    second.folder("was-file")
    second.add("./.wh.nothing")
    let tree = try apply([first, second])
    #expect(
        outline(tree) == [
            "/dir/", "/dir/new", "/lib -> usr/lib", "/srv/", "/srv/kept", "/usr/", "/usr/lib/", "/usr/lib/a", "/usr/lib/b", "/was-file/",
        ])
}

@Test func `long names, owners and hard links are kept`() throws {
    let long = (0..<30).map { "component-\($0)" }.joined(separator: "/")
    var layer = TarSample()
    layer.extend([("path", long), ("uid", "4000000"), ("size", "3")])
    layer.add("short", content: [7, 8, 9], permissions: 0o4755, owner: 1, group: 2)
    layer.extend([("linkpath", long)])
    layer.add("other", type: "1")
    let tree = try apply([layer])
    let node = try #require(tree.node(at: "/" + long))
    #expect(node.status.owner == 4_000_000 && node.status.group == 2 && node.status.permissions == 0o4755)
    #expect(node.status.byteCount == 3 && node.status.modifiedSeconds == 1_600_000_000)
    #expect(tree.node(at: "/other") === node)
}

@Test func `no member gets out of the root`() throws {
    for path in ["../x", "a/../../x", "..", "./../x", "/../x"] {
        var layer = TarSample()
        layer.add(path)
        #expect(throws: ProgramFailure.self, "\(path)") { try apply([layer]) }
    }
    // Absolute names and links stay inside.
    var layer = TarSample()
    layer.add("/etc/x")
    layer.add("out", type: "2", target: "/")
    layer.add("out/y")
    layer.add("up", type: "2", target: "../../../../tmp")
    layer.add("up/z")
    let tree = try apply([layer])
    #expect(outline(tree) == ["/etc/", "/etc/x", "/out -> /", "/tmp/", "/tmp/z", "/up -> ../../../../tmp", "/y"])
}

@Test func `a member that cannot be is refused`() throws {
    func refused(_ change: (inout TarSample) -> Void) -> Bool {
        var layer = TarSample()
        change(&layer)
        do { _ = try apply([layer]) } catch { return (error as? ProgramFailure)?.reason == .refused }
        return false
    }
    #expect(refused { $0.add("x", type: "1", target: "none") })
    #expect(refused { $0.add("x", type: "S") })
    #expect(refused { $0.add("x", type: "Z") })
    #expect(
        refused {
            $0.extend([("size", "999999999999")]); $0.add("x")
        })
    #expect(
        refused {
            $0.add("file"); $0.add("file/x")
        })
    #expect(
        refused {
            $0.add(String(repeating: "a/", count: 49)); $0.extend([("path", String(repeating: "a/", count: 300) + "b")]); $0.add("x")
        })
    #expect(
        !refused {
            $0.add("dev", type: "3"); $0.add("pipe", type: "6")
        })
}

@Test func `damaged archives are refused or read, never a trap`() throws {
    var layer = TarSample()
    layer.folder("a")
    layer.extend([("path", "a/long name"), ("mtime", "1.5")])
    layer.add("x", content: [UInt8](repeating: 5, count: 700))
    layer.add("l", type: "2", target: "a")
    layer.add("h", type: "1", target: "a/long name")
    let archive = layer.archive
    let folder = try TemporaryFolder()
    let seed: UInt64 = 0x7a5
    var random = SeededGenerator(state: seed)
    var refused = 0
    for round in 0..<2000 {
        var bytes = archive
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
        }
        if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
        let path = try folder.write(bytes, to: "damaged.tar")
        do { _ = try RootTree().apply(layer: path, title: "seed \(seed), round \(round)") } catch { refused += 1 }
    }
    #expect(refused > 100)
}

/// xorshift64*: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}

import Bytes
import ELFFormat
import Foundation
@testable import ProgramImage
import SampleImage
import Testing

/// An image with an unused program header, as the linker script leaves it.
private func kernel() -> [UInt8] {
    var image = SampleImage()
    image.programHeaders.append(
        ELFProgramHeader(
            type: 0, flags: 0, offset: 0, virtualAddress: 0, physicalAddress: 0, fileByteCount: 0, memoryByteCount: 0, alignment: 0))
    return image.bytes()
}

private func layout(of path: String) throws -> ImageLayout {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    return try ImageLayout(parsing: ByteReader(bytes.span).unread, fileByteCount: bytes.count)
}

@Test func `a composed image has the root behind everything else, and what stands behind it`() async throws {
    let folder = try TemporaryFolder()
    let root = [UInt8](repeating: 7, count: 8192)
    let path = folder.path + "/image"
    try ImageComposition.write(
        kernel: kernel(), root: try folder.write(root, to: "root"), defaults: Array("{}".utf8), listing: Array("d\n".utf8), to: path)
    let layout = try layout(of: path)
    let found = try #require(layout.root)
    #expect(found.byteCount == 8192 && found.fileOffset % 4096 == 0 && found.start == layout.imageEnd)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    #expect(bytes[found.fileOffset..<found.fileOffset + 8192].allSatisfy { $0 == 7 })
    let (defaults, listing) = try #require(try ImageComposition.read(path))
    #expect(defaults == Array("{}".utf8) && Array(bytes[listing]) == Array("d\n".utf8))
    // Only the header's place and what follows the kernel is new.
    #expect(
        Array(bytes[ELFHeader.byteCount + 5 * ELFProgramHeader.byteCount..<kernel().count])
            == kernel()[(ELFHeader.byteCount + 5 * ELFProgramHeader.byteCount)...].map { $0 })
}

@Test func `a kernel without room, or with a root, or none at all is refused`() async throws {
    let folder = try TemporaryFolder()
    let root = try folder.write([1], to: "root")
    func compose(_ kernel: [UInt8], _ root: String) async -> ProgramFailure? {
        let target = folder.path + "/\(UUID())"
        return await failure { try ImageComposition.write(kernel: kernel, root: root, defaults: [1], listing: [], to: target) }
    }
    #expect(await compose(kernel(), root) == nil)
    #expect(await compose(SampleImage().bytes(), root)?.reason == .refused)
    #expect(await compose([1, 2, 3], root)?.reason == .refused)
    var full = SampleImage()
    full.addRoot([1])
    #expect(await compose(full.bytes(), root)?.reason == .refused)
    #expect(await compose(kernel(), try! folder.write([], to: "empty"))?.reason == .refused)
    #expect(await compose(kernel(), folder.path + "/none")?.reason == .cannotRead)
}

@Test func `what follows an image is read only if it makes sense`() throws {
    let folder = try TemporaryFolder()
    func read(_ bytes: [UInt8]) throws -> Bool { try ImageComposition.read(try folder.write(bytes, to: "x")) != nil }
    let magic = ImageComposition.magic
    #expect(try !read([]))
    #expect(try !read(magic))
    #expect(try !read([UInt8](repeating: 0, count: 16) + magic))
    #expect(try read([9, 1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + magic))
    #expect(try !read([9, 2, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + magic))
    #expect(try !read([9, 1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8) + magic))
    #expect(try !read([9] + [UInt8](repeating: 0xff, count: 16) + magic))
}

private func make(_ tree: RootTree, in folder: borrowing TemporaryFolder) async throws -> String {
    let scratch = folder.path + "/\(UUID())"
    try HostFile.makeFolder(scratch)
    let target = scratch + "/erofs"
    let maker = try EROFSMaker(searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "")
    try await maker.make(tree, scratch: scratch, target: target)
    return target
}

private let hasMaker = (try? EROFSMaker(searchPath: "/usr/bin")) != nil

@Test(.enabled(if: hasMaker, "mkfs.erofs is not installed")) func `the same files give the same file system`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write([UInt8](repeating: 3, count: 5000), to: "file")
    func tree() throws -> RootTree {
        let tree = RootTree()
        for index in 0..<50 { try tree.add(file, at: "/data/\(index * 7 % 50)") }
        tree.root.children["link"] = RootNode(.link("data/1"), FileStatus(kind: .link))
        tree.addMountPoints()
        return tree
    }
    let first = try Data(contentsOf: URL(filePath: try await make(try tree(), in: folder)))
    let second = try Data(contentsOf: URL(filePath: try await make(try tree(), in: folder)))
    #expect(first == second)
    // The super block's magic number (EROFS, "On-disk format"), and whole blocks.
    #expect(first.count % 4096 == 0)
    #expect([UInt8](first[1024..<1028]) == [0xe2, 0xe1, 0xf5, 0xe0])
}

@Test(.enabled(if: hasMaker, "mkfs.erofs is not installed")) func `a file with several names in a layer is one file`() async throws {
    let folder = try TemporaryFolder()
    var layer = TarSample()
    layer.add("a", content: [UInt8](repeating: 1, count: 1 << 20))
    for index in 0..<20 { layer.add("b\(index)", type: "1", target: "a") }
    let tree = RootTree()
    _ = try tree.apply(layer: try folder.write(layer.archive, to: "layer.tar"), title: "layer")
    let status = try HostFile.status(try await make(tree, in: folder))
    #expect(status.byteCount < 2 << 20)
}

@Test func `no mkfs.erofs is one line`() async throws {
    guard !hasMaker else { return }
    #expect(await failure { _ = try EROFSMaker(searchPath: "") }?.reason == .tool)
}

@Test func `of several runs one makes an image, and the others find it`() async throws {
    let folder = try TemporaryFolder()
    let environment = ["XDG_CACHE_HOME": folder.path]
    let cache = try ImageCache(environment: environment)
    #expect(cache.find("key") == nil)
    let paths = try await withThrowingTaskGroup(of: String.self) { group in
        for index in 0..<8 {
            group.addTask {
                try await cache.image(for: "key") { scratch, target in
                    try Data("made by \(index)".utf8).write(to: URL(filePath: target))
                    #expect(FileManager.default.fileExists(atPath: scratch))
                }
            }
        }
        return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(paths) == [cache.path(of: "key")])
    let left = try FileManager.default.contentsOfDirectory(atPath: cache.folder).filter { $0.hasPrefix("scratch-") }
    #expect(left.isEmpty)
    struct Failed: Error {}
    await #expect(throws: Failed.self) { try await cache.image(for: "other") { _, _ in throw Failed() } }
    #expect(cache.find("other") == nil)
    #expect(await failure { _ = try ImageCache(environment: [:]) }?.reason == .cannotWrite)
}

@Test func `what a run that was killed left is removed, what another run uses is not`() throws {
    let folder = try TemporaryFolder()
    let cache = try ImageCache(environment: ["XDG_CACHE_HOME": folder.path])
    // No process has the number of the largest possible one.
    let dead = cache.folder + "/scratch-4194305-x"
    try HostFile.makeFolder(dead)
    let mine = try cache.makeScratch()
    _ = try cache.makeScratch()
    #expect((try? HostFile.status(dead)) == nil)
    #expect((try? HostFile.status(mine)) != nil)
}

@Test(.enabled(if: hasMaker, "mkfs.erofs is not installed")) func `owners and permissions are the root's, whoever makes it`() async throws {
    let folder = try TemporaryFolder()
    var layer = TarSample()
    // Enough names for several blocks of a directory.
    for index in 0..<600 {
        layer.add(
            "many/a rather long name, so that a block of the folder is soon full \(index)", permissions: 0o600, owner: index, group: 7)
    }
    layer.add("set", content: [1], permissions: 0o4755, owner: 400_000, group: 3)
    layer.add("none", content: [2, 3], permissions: 0, owner: 1, group: 2)
    layer.add("link", type: "2", target: "set", owner: 9, group: 9)
    layer.add("same", type: "1", target: "set")
    let tree = RootTree()
    _ = try tree.apply(layer: try folder.write(layer.archive, to: "layer.tar"), title: "layer")
    tree.addMountPoints()
    let path = try await make(tree, in: folder)
    // fsck.erofs checks the super block, and says what it finds; as root it also restores it.
    let checked = try await EROFSMaker.run("/usr/bin/fsck.erofs", [path])
    #expect(checked.isSuccess, "\(checked.errors)")
    let dump = try await EROFSMaker.run("/usr/bin/dump.erofs", ["--path=/set", path])
    #expect(
        dump.isSuccess && dump.output.contains("Uid: 400000 ") && dump.output.contains("Access: 0755")
            && dump.output.contains("2020-09-13"), "\(dump.output)")
    for name in ["many", "none", "link", "tmp", "many/a rather long name, so that a block of the folder is soon full 599"] {
        let answer = try await EROFSMaker.run("/usr/bin/dump.erofs", ["--path=/" + name, path])
        let status = try #require(tree.resolve(name, followsLast: false)?.node?.status)
        #expect(answer.output.contains("Uid: \(status.owner) ") && answer.output.contains("Gid: \(status.group) "), "\(answer.output)")
    }
}

@Test func `a file system of another form is not changed`() async throws {
    let folder = try TemporaryFolder()
    for bytes in [[], [UInt8](repeating: 0, count: 100), [UInt8](repeating: 0, count: 8192)] as [[UInt8]] {
        let path = try folder.write(bytes, to: "file")
        #expect(await failure { try EROFSAttributes.apply(RootTree(), to: path) }?.reason == .tool)
    }
}

import SystemPackage

/// Gives the files of an EROFS file system the owners, permissions and times of a root (EROFS, "On-disk format"). mkfs.erofs takes
/// owners from the staged files, where only root could set them, and has one time for all files as soon as it is to make the same
/// file system twice.
struct EROFSAttributes {
    private static let superBlock = 1024, block = 4096, inodeUnit = 32, inode = 64, direntry = 12
    private static let magic = 0xe0f5_e1e2, checksummed = 1
    private static let directoryLimit = 1 << 26

    private let file: ReadableFile
    private let output: FileDescriptor
    private var metadata = 0
    /// The block of the super block, changed as the file is.
    private var first: [UInt8]

    /// Rewrites the file system at `path`, which mkfs.erofs made of `tree` with extended inodes.
    static func apply(_ tree: RootTree, to path: String) throws(ProgramFailure) {
        do {
            let output = try FileDescriptor.open(FilePath(path), .writeOnly, options: [.closeOnExec])
            try output.closeAfter {
                var attributes = try EROFSAttributes(try ReadableFile(path), output)
                try attributes.apply(tree)
            }
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(.cannotWrite, "cannot write \(path): \(error)")
        }
    }

    private init(_ file: ReadableFile, _ output: FileDescriptor) throws {
        self.file = file
        self.output = output
        first = try file.bytes(at: 0, count: Self.block)
        guard first.count == Self.block, Self.number(first, Self.superBlock, 4) == Self.magic, first[Self.superBlock + 12] == 12 else {
            throw Self.unexpected
        }
        metadata = Self.number(first, Self.superBlock + 40, 4) * Self.block
    }

    private static var unexpected: ProgramFailure { ProgramFailure(.tool, "mkfs.erofs made a file system of an unexpected form") }

    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private mutating func apply(_ tree: RootTree) throws {
        let isChecksummed = Self.number(first, Self.superBlock + 8, 4) & Self.checksummed != 0
        guard !isChecksummed || checksum == Self.number(first, Self.superBlock + 4, 4) else { throw Self.unexpected }
        try visit(Self.number(first, Self.superBlock + 14, 2), tree.root)
        guard isChecksummed else { return }
        store(checksum, Self.superBlock + 4, 4)
        try write(Array(first[Self.superBlock..<Self.superBlock + 8]), at: Self.superBlock)
    }

    /// CRC-32C of the super block's block, its own field taken as zero, not inverted at the end.
    private var checksum: Int {
        var crc: UInt32 = 0xffff_ffff
        for index in Self.superBlock..<Self.block {
            let isField = (4..<8).contains(index - Self.superBlock)
            crc ^= isField ? 0 : UInt32(first[index])
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
        }
        return Int(crc)
    }

    private mutating func store(_ value: Int, _ offset: Int, _ count: Int) {
        for index in 0..<count { first[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        guard try output.writeAll(toAbsoluteOffset: Int64(offset), bytes) == bytes.count else { throw Errno.ioError }
    }

    private mutating func visit(_ number: Int, _ node: RootNode) throws {
        let place = metadata + number * Self.inodeUnit
        var inode = try file.bytes(at: place, count: Self.inode)
        // i_format: an extended inode, flat with or without an inlined tail; i_mode keeps the type.
        guard inode.count == Self.inode, inode[0] & 1 == 1 else { throw Self.unexpected }
        let layout = inode[0] >> 1 & 7
        func put(_ value: Int, _ offset: Int, _ count: Int) {
            for index in 0..<count { inode[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        }
        put(Self.number(inode, 4, 2) & 0xf000 | Int(node.status.permissions & 0o7777), 4, 2)
        put(Int(node.status.owner), 24, 4)
        put(Int(node.status.group), 28, 4)
        // Folders of the host change with things that are not in the root.
        let isRegular = inode[5] & 0xf0 == 0x80
        put(isRegular ? Int(node.status.modifiedSeconds) : 0, 32, 8)
        put(isRegular ? Int(node.status.modifiedNanoseconds) : 0, 40, 4)
        try write(inode, at: place)
        if place < Self.block {
            let count = min(Self.inode, Self.block - place)
            first.replaceSubrange(place..<place + count, with: inode[..<count])
        }
        guard node.isFolder else { return }
        // i_mode's type is a directory's, and there are no attributes between the inode and its tail.
        guard Self.number(inode, 4, 2) & 0xf000 == 0x4000, Self.number(inode, 2, 2) == 0, layout == 0 || layout == 2 else {
            throw Self.unexpected
        }
        let size = Self.number(inode, 8, 8)
        guard size >= 0, size <= Self.directoryLimit else { throw Self.unexpected }
        var seen = 0
        for start in stride(from: 0, to: size, by: Self.block) {
            let count = min(Self.block, size - start)
            let isTail = layout == 2 && start + Self.block >= size
            let offset = isTail ? place + Self.inode : Self.number(inode, 16, 4) * Self.block + start
            let bytes = try file.bytes(at: offset, count: count)
            guard bytes.count == count else { throw Self.unexpected }
            seen += try visitEntries(bytes, node)
        }
        guard seen == node.children.count else { throw Self.unexpected }
    }

    /// One block of a directory: entries, then their names.
    private mutating func visitEntries(_ bytes: [UInt8], _ folder: RootNode) throws -> Int {
        guard bytes.count >= Self.direntry else { throw Self.unexpected }
        let entryCount = Self.number(bytes, 8, 2) / Self.direntry
        guard entryCount > 0, entryCount * Self.direntry <= bytes.count else { throw Self.unexpected }
        var seen = 0
        for index in 0..<entryCount {
            let start = Self.number(bytes, index * Self.direntry + 8, 2)
            let end = index + 1 < entryCount ? Self.number(bytes, (index + 1) * Self.direntry + 8, 2) : bytes.count
            guard start < end, end <= bytes.count else { throw Self.unexpected }
            let name = String(decoding: bytes[start..<end].prefix { $0 != 0 }, as: UTF8.self)
            if name == "." || name == ".." { continue }
            guard let child = folder.children[name] else { throw Self.unexpected }
            try visit(Self.number(bytes, index * Self.direntry, 8), child)
            seen += 1
        }
        return seen
    }
}

import BootFormat
import ELFFormat
import LinuxCalls

/// The open files that programs' pages are mapped from: guest memory and the layers.
///
/// All is mapped shared: no page is a copy, so programs have no memory but the instance's; and what was opened only to be read can never
/// be made writable (mmap(2), EACCES).
public struct ProgramFiles: Sendable {
    private let memory: FileDescriptor
    private let layers: (FileDescriptor?, FileDescriptor?)
    private let rootOffset: UInt64

    /// MAP_SHARED|MAP_FIXED
    static let flags: UInt64 = 0x11
    /// The most that one call maps: so much below the library OS, nothing beyond it is within reach.
    private static let byteLimit: UInt64 = 1 << 44

    /// Files that can all be mapped for execution.
    public init(memory: FileDescriptor, root: FileDescriptor?, rootOffset: UInt64, layer: FileDescriptor?) {
        self.memory = memory
        layers = (root, layer)
        self.rootOffset = rootOffset
    }

    /// nil: the image runs no programs. Every file can be mapped for execution.
    public init?(_ loader: InstanceLoader, memory: FileDescriptor) throws(Refusal) {
        guard loader.map.hasPrograms else { return nil }
        let rootOffset = UInt64(loader.map.layout.root?.fileOffset ?? 0)
        self.init(memory: memory, root: loader.imageFile, rootOffset: rootOffset, layer: loader.layerFile)
        try check(memory, "this system forbids execution of memory files, which programs need")
        for index in 0..<InstanceMap.layerCount where loader.map.layerByteCounts[index] > 0 {
            guard let file = file(index) else { continue }
            guard file.isReadOnly else { throw Refusal(.usage, "a layer is open for writing") }
            try check(file, "the image is on a file system without execution (noexec)")
        }
    }

    private func file(_ layer: Int) -> FileDescriptor? { layer == 0 ? layers.0 : layers.1 }

    /// Maps a page for execution once, to learn whether that is allowed here at all.
    private func check(_ file: FileDescriptor, _ text: StaticString) throws(Refusal) {
        let byteCount = InstanceMap.pageByteCount
        // PROT_READ|PROT_EXEC, MAP_SHARED
        let result = Linux.call(__NR_mmap, 0, byteCount, 5, 1, file.word, 0)
        guard result > 0 else { throw Refusal(.unavailable, text, errno: result) }
        _ = Linux.call(__NR_munmap, UInt64(result), byteCount)
    }

    func map(_ address: UInt64, _ byteCount: UInt64, _ pages: ProgramPages, _ access: ProgramAccess) -> Int64 {
        let file: FileDescriptor, offset: UInt64
        switch pages {
        case .memory(let range): (file, offset) = (memory, UInt64(range.offset))
        case .layer(let index, let start):
            guard let layer = self.file(index) else { return ErrorNumber.fault }
            (file, offset) = (layer, index == 0 ? rootOffset + start : start)
        }
        let result = Linux.call(__NR_mmap, address, byteCount, access.rawValue, Self.flags, file.word, offset)
        guard result < 0 else { return 0 }
        // No table helps: this process has as many mappings as the system allows (vm.max_map_count).
        return result == ErrorNumber.noMemory ? ErrorNumber.noSpace : result
    }

    func unmap(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        let result = Linux.call(__NR_munmap, address, byteCount)
        return result == ErrorNumber.noMemory ? ErrorNumber.noSpace : result
    }

    /// Lets a filter pass what map and unmap do, and nothing that reaches above the library OS's first page plus `byteLimit`: this
    /// process's own pages are further up.
    public func allow(in filter: inout SystemCallFilter) {
        let page = InstanceMap.pageByteCount, last = GuestMemory.virtualBase - page
        let files = (memory, layers.0 ?? memory, layers.1 ?? memory)
        filter.allow(
            __NR_mmap, where: .inside(0, page, last), .inside(1, page, Self.byteLimit), .withoutBits(2, ~7), .equals(3, Self.flags),
            .oneOf(4, UInt32(files.0.word), UInt32(files.1.word), UInt32(files.2.word)))
        filter.allow(__NR_munmap, where: .inside(0, page, last), .inside(1, page, Self.byteLimit))
    }
}

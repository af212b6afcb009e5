import Bytes
import ELFFormat
import MonitorSupport

/// A host that answers at once, touches all memory it is given, and notes what it was asked.
public struct SampleHost: HypercallHost {
    public private(set) var writtenByteCount = 0
    public private(set) var waits: [(nanoseconds: UInt64, console: Bool)] = []
    public private(set) var protections: [(range: GuestRange, access: HeapAccess)] = []

    public init() {}

    public mutating func writeConsole(_ bytes: RawSpan) -> Int64 {
        // As a pipe would: not all of a large write.
        let count = min(bytes.byteCount, 65536)
        var reader = ByteReader(bytes)
        var sum: UInt8 = 0
        for _ in 0..<count { sum &+= (try? reader.read(UInt8.self, .little)) ?? 0 }
        writtenByteCount += count
        return sum == 255 ? max(Int64(count) - 1, 1) : Int64(count)
    }

    public mutating func readConsole(_ bytes: inout MutableRawSpan) -> Int64 { fill(&bytes, with: 0x69) }
    public mutating func fillRandom(_ bytes: inout MutableRawSpan) -> Int64 { fill(&bytes, with: 0x72) }

    private func fill(_ bytes: inout MutableRawSpan, with byte: UInt8) -> Int64 {
        let count = min(bytes.byteCount, 4096)
        for index in 0..<count { bytes.storeBytes(of: byte, toByteOffset: index, as: UInt8.self) }
        return Int64(count)
    }

    public mutating func wait(nanoseconds: UInt64, console: Bool) -> Int64 {
        if waits.count < 16 { waits.append((nanoseconds, console)) }
        return console ? 1 : 0
    }

    public mutating func monotonicTime() -> Int64 { 1 }
    public mutating func wallTime() -> Int64 { 2 }

    public mutating func protect(_ range: GuestRange, _ access: HeapAccess) -> Int64 {
        if protections.count < 16 { protections.append((range, access)) }
        return 0
    }
}

/// A sample image's instance, ready to be asked: its memory is this process's own.
public struct SampleInstance {
    public static func map(memoryByteCount: UInt64, stringsByteCount: UInt64 = 100, needsTables: Bool = true) throws(Refusal) -> InstanceMap
    {
        let file = SampleImage().bytes()
        let prefix = Array(file.prefix(ImageLayout.prefixByteCount))
        let layout: ImageLayout
        do throws(ELFError) {
            layout = try ImageLayout(parsing: ByteReader(prefix.span).unread, fileByteCount: file.count)
        } catch {
            throw Refusal(.imageRefused, error.text)
        }
        return try InstanceMap(
            layout: layout, memoryByteCount: memoryByteCount, stringsByteCount: stringsByteCount, needsTables: needsTables)
    }

    public static func server(memoryByteCount: UInt64) throws(Refusal) -> HypercallServer<SampleHost> {
        let memory = try GuestMemory.anonymous(byteCount: memoryByteCount)
        return HypercallServer(host: SampleHost(), memory: memory, view: memory, map: try map(memoryByteCount: memoryByteCount))
    }
}

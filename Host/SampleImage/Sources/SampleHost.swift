import Bytes
import ELFFormat
import MonitorSupport

/// A host that answers at once, touches all memory it is given, and notes what it was asked.
public struct SampleHost: HypercallHost {
    public private(set) var writtenByteCount = 0
    public private(set) var waits: [(nanoseconds: UInt64, events: UInt64)] = []
    public private(set) var ticks: [UInt64] = []
    /// No pages: they were unmapped.
    public private(set) var mappings: [(address: UInt64, byteCount: UInt64, pages: ProgramPages?, access: ProgramAccess)] = []
    public private(set) var protections: [(range: GuestRange, access: HeapAccess)] = []

    public let links: HostLinks
    /// Byte counts of frames that are there to be received, one link or another.
    public var arriving: [Int] = []
    public private(set) var sent: [[UInt8]] = []
    public private(set) var sentFrameCount = 0
    /// How many frames the links take before they are full.
    public var room = Int.max
    /// Whether the guest has protected what the monitor would write.
    public var isProtected = false

    public init(links: HostLinks = HostLinks()) { self.links = links }

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

    public mutating func wait(nanoseconds: UInt64, events: UInt64) -> Int64 {
        if waits.count < 16 { waits.append((nanoseconds, events)) }
        return Int64(events)
    }

    public mutating func monotonicTime() -> Int64 { 1 }
    public mutating func wallTime() -> Int64 { 2 }

    public mutating func tick(nanoseconds: UInt64) -> Int64 {
        if ticks.count < 16 { ticks.append(nanoseconds) }
        return 0
    }

    public mutating func mapProgram(_ address: UInt64, _ byteCount: UInt64, _ pages: ProgramPages, _ access: ProgramAccess) -> Int64 {
        if mappings.count < 16 { mappings.append((address, byteCount, pages, access)) }
        return 0
    }

    public mutating func unmapProgram(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        if mappings.count < 16 { mappings.append((address, byteCount, nil, [])) }
        return 0
    }

    public mutating func protect(_ range: GuestRange, _ access: HeapAccess) -> Int64 {
        if protections.count < 16 { protections.append((range, access)) }
        return 0
    }

    public mutating func canWrite(_ range: GuestRange) -> Bool { !isProtected }

    // MARK: Links

    public mutating func transmit(_ frame: FrameBuffers, in view: GuestMemory, on link: Int) -> Int64 {
        precondition(link < links.count)
        guard sentFrameCount < room else { return ErrorNumber.again }
        sentFrameCount += 1
        var bytes: [UInt8] = []
        for index in 0..<frame.count {
            var reader = ByteReader(view.bytes(frame[index]))
            while let byte = try? reader.read(UInt8.self, .little) { bytes.append(byte) }
        }
        precondition(bytes.count == frame.byteCount)
        if sent.count < 16 { sent.append(bytes) }
        return Int64(bytes.count)
    }

    public mutating func waitForRoom(on link: Int) -> Bool { sentFrameCount < room }

    /// A frame of which every byte is its own length.
    public mutating func receive(into bytes: inout MutableRawSpan, on link: Int) -> Int64 {
        precondition(link < links.count)
        guard let count = arriving.first else { return ErrorNumber.again }
        guard !isProtected else { return ErrorNumber.fault }
        arriving.removeFirst()
        let fitting = min(count, bytes.byteCount)
        for index in 0..<fitting { bytes.storeBytes(of: UInt8(truncatingIfNeeded: count), toByteOffset: index, as: UInt8.self) }
        return Int64(fitting)
    }
}

/// A sample image's instance, ready to be asked: its memory is this process's own.
public struct SampleInstance {
    public static func map(
        memoryByteCount: UInt64, stringsByteCount: UInt64 = 100, root: [UInt8] = [], layerByteCount: UInt64 = 0, needsTables: Bool = true
    ) throws(Refusal) -> InstanceMap {
        var image = SampleImage()
        if !root.isEmpty { image.addRoot(root) }
        let file = image.bytes()
        let prefix = Array(file.prefix(ImageLayout.prefixByteCount))
        let layout: ImageLayout
        do throws(ELFError) {
            layout = try ImageLayout(parsing: ByteReader(prefix.span).unread, fileByteCount: file.count)
        } catch {
            throw Refusal(.imageRefused, error.text)
        }
        return try InstanceMap(
            layout: layout, memoryByteCount: memoryByteCount, stringsByteCount: stringsByteCount, layerByteCount: layerByteCount,
            needsTables: needsTables)
    }

    public static func server(
        memoryByteCount: UInt64, links: HostLinks = HostLinks(), root: [UInt8] = []
    ) throws(Refusal) -> HypercallServer<SampleHost> {
        let memory = try GuestMemory.anonymous(byteCount: memoryByteCount)
        return HypercallServer(
            host: SampleHost(links: links), memory: memory, view: memory, map: try map(memoryByteCount: memoryByteCount, root: root))
    }
}

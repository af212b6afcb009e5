import BootFormat
import Bytes
import ELFFormat

/// Brings an image into memory, the same way for every monitor.
public struct InstanceLoader {
    public let arguments: MonitorArguments
    public let map: InstanceMap
    private let image: FileDescriptor

    /// The image while it stays open: if it has a root. `map.layout.root` says where in it.
    public var imageFile: FileDescriptor? { map.layout.root == nil ? nil : image }
    /// The file of the layer over the root.
    public var layerFile: FileDescriptor? { arguments.layer }

    /// Opens and checks the image, and decides where everything goes. Nothing is allocated yet.
    public init(_ arguments: MonitorArguments, needsTables: Bool) throws(Refusal) {
        self.arguments = arguments
        image = try arguments.openImage()
        let byteCount = image.byteCount
        guard byteCount >= 0 else { throw Refusal(.imageUnreadable, "the image is not a regular file") }
        var prefix = InlineArray<4096, UInt8>(repeating: 0)
        let count = try Self.read(image, into: &prefix)
        let layout: ImageLayout
        do throws(ELFError) {
            layout = try ImageLayout(parsing: ByteReader(prefix.span.extracting(first: count)).unread, fileByteCount: Int(byteCount))
        } catch {
            throw Refusal(.imageRefused, error.text)
        }
        let layerByteCount = arguments.layer?.byteCount ?? 0
        guard layerByteCount >= 0, arguments.layer == nil || layerByteCount > 0 else {
            throw Refusal(.imageUnreadable, "the layer is not a regular file, or is empty")
        }
        map = try InstanceMap(
            layout: layout, memoryByteCount: arguments.memoryByteCount, stringsByteCount: arguments.stringsByteCount,
            layerByteCount: UInt64(layerByteCount), needsTables: needsTables)
    }

    /// Reads the segments straight into guest memory, which is fresh: what the file does not fill stays zero. Closes the image, if it has
    /// no root.
    public func loadImage(into memory: GuestMemory) throws(Refusal) {
        for index in 0..<map.layout.segmentCount {
            let segment = map.layout[segment: index]
            guard let range = memory.range(physical: segment.start, byteCount: UInt64(segment.fileByteCount)) else {
                throw Refusal(.memoryTooSmall, "the memory is too small for this image")
            }
            let result = memory.withMutableBytes(range) { image.read(at: segment.fileOffset, into: &$0) }
            guard result == Int64(segment.fileByteCount) else {
                throw Refusal(.imageUnreadable, "cannot read the image", errno: min(result, 0))
            }
        }
        if map.layout.root == nil { image.close() }
    }

    /// Makes the image's pages present, up to the machine area, but no more than a start is likely to touch: when the guest faults, KVM
    /// maps the page's neighbours too if they are present, and a fault of a guest costs more than a page does.
    public func populate(_ memory: GuestMemory) {
        let start = map.layout[segment: 0].firstPage
        let byteCount = min(map.layout.machineArea - start, 64 * InstanceMap.pageByteCount)
        if let range = memory.range(physical: start, byteCount: byteCount) { memory.populate(range) }
    }

    /// What depends on the monitor in `struct brique_boot_information`.
    public struct Platform {
        public let number: Int32
        public var gate: UInt64 = 0
        public var timestampKilohertz: UInt64 = 0
        public init(number: Int32, gate: UInt64 = 0, timestampKilohertz: UInt64 = 0) {
            self.number = number
            self.gate = gate
            self.timestampKilohertz = timestampKilohertz
        }
    }

    /// Writes the boot information and the strings; returns its virtual address.
    public func writeBootInformation(_ platform: Platform, into memory: GuestMemory) throws(Refusal) -> UInt64 {
        var entropy = InlineArray<4, UInt64>(repeating: 0)
        try Self.fillEntropy(&entropy)
        let base = UInt64(BRIQUE_VIRTUAL_BASE)
        let byteCount = UInt64(MemoryLayout<brique_boot_information>.size)
        let strings = map.bootInformation + byteCount
        guard let range = memory.range(physical: map.bootInformation, byteCount: byteCount),
            let stringsRange = memory.range(physical: strings, byteCount: arguments.stringsByteCount)
        else { throw Refusal(.memoryTooSmall, "the memory is too small for this image") }
        let isWritten = memory.withMutableBytes(range) { bytes in
            var writer = ByteWriter(&bytes)
            do throws(FormatError) {
                try writer.write(UInt64(BRIQUE_BOOT_MAGIC), .little)
                try writer.write(UInt32(BRIQUE_ABI_VERSION), .little)
                try writer.write(UInt32(platform.number), .little)
                try writer.write(base + map.heapStart, .little)
                try writer.write(base + map.heapEnd, .little)
                try writer.write(map.memoryByteCount, .little)
                try writer.write(platform.gate, .little)
                try writer.write(platform.timestampKilohertz, .little)
                for index in 0..<4 { try writer.write(entropy[index], .little) }
                try writer.write(arguments.argumentCount, .little)
                try writer.write(arguments.environmentCount, .little)
                try writer.write(base + strings, .little)
                try writer.write(arguments.stringsByteCount, .little)
                for index in 0..<InstanceMap.layerCount { try writer.write(map.layerStart(index), .little) }
                for index in 0..<InstanceMap.layerCount { try writer.write(map.layerStart(index) + map.layerByteCounts[index], .little) }
                return true
            } catch {
                return false
            }
        }
        precondition(isWritten)
        memory.withMutableBytes(stringsRange) { arguments.writeStrings(into: &$0) }
        return base + map.bootInformation
    }
}

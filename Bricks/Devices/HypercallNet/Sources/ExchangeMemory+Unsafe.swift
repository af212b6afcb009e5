import BootFormat
import Bytes
import Hypercalls
import NetworkLink
import VirtioFormat

/// The memory that exchanges name: tables of buffers and frames, gathered frames that go out, and the region for those that come in.
@safe
struct ExchangeMemory: ~Copyable {
    static var bufferLimit: Int { Int(BRIQUE_EXCHANGE_LIMIT) }
    static var frameLimit: Int { Int(BRIQUE_EXCHANGE_LIMIT) }
    private static var alignment: Int { Int(BRIQUE_PAGE_SIZE) }
    private static var bufferTableOffset: Int { frameLimit * MemoryLayout<brique_network_frame>.stride }
    private static var gatherOffset: Int { bufferTableOffset + bufferLimit * MemoryLayout<brique_network_buffer>.stride }

    let gatherByteCount: Int
    let regionByteCount: Int
    private let start: UnsafeMutableRawPointer

    /// Both byte counts are multiples of 16.
    init(gatherByteCount: Int, regionByteCount: Int) {
        precondition(gatherByteCount > 0 && gatherByteCount % 16 == 0 && regionByteCount > 0 && regionByteCount % 16 == 0)
        self.gatherByteCount = gatherByteCount
        self.regionByteCount = regionByteCount
        unsafe start = .allocate(byteCount: Self.gatherOffset + gatherByteCount + regionByteCount, alignment: Self.alignment)
    }

    // SAFETY (all below): `start` is this value's alone until it ends; every offset is checked against the layout above before use.
    deinit { unsafe start.deallocate() }

    private func address(_ offset: Int) -> UInt64 { unsafe UInt64(UInt(bitPattern: start + offset)) }

    /// Writes header and spans at `offset` of the gathered bytes, one after another; false if they do not fit.
    func gather(_ header: VirtioNetHeader, _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, at offset: Int) -> Bool {
        let byteCount = VirtioNetHeader.byteCount + first.byteCount + second.byteCount + third.byteCount
        guard offset >= 0, offset <= gatherByteCount, byteCount <= gatherByteCount - offset else { return false }
        var bytes = unsafe MutableRawSpan(_unsafeStart: start + Self.gatherOffset + offset, byteCount: byteCount)
        var writer = ByteWriter(&bytes)
        do throws(FormatError) {
            try header.write(into: &writer)
            try writer.write(first)
            try writer.write(second)
            try writer.write(third)
            return true
        } catch {
            return false
        }
    }

    /// Entry `index` of the table of buffers: gathered bytes.
    func setBuffer(_ index: Int, gatheredAt offset: Int, byteCount: Int, continues: Bool = false) {
        precondition(offset >= 0 && byteCount >= 0 && offset <= gatherByteCount && byteCount <= gatherByteCount - offset)
        setBuffer(index, address: address(Self.gatherOffset + offset), byteCount: byteCount, continues: continues)
    }

    /// Entry `index` of the table of buffers: bytes that stay where they are until the entry is removed.
    func setBuffer(_ index: Int, borrowed: RawSpan, continues: Bool) {
        let address = unsafe borrowed.withUnsafeBytes { UInt64(UInt(bitPattern: $0.baseAddress)) }
        setBuffer(index, address: address, byteCount: borrowed.byteCount, continues: continues)
    }

    private func setBuffer(_ index: Int, address: UInt64, byteCount: Int, continues: Bool) {
        precondition(index >= 0 && index < Self.bufferLimit)
        let flags = continues ? UInt32(BRIQUE_BUFFER_CONTINUES) : 0
        let entry = brique_network_buffer(address: address, byte_count: UInt32(byteCount), flags: flags)
        unsafe buffers[index] = entry
    }

    private var buffers: UnsafeMutablePointer<brique_network_buffer> {
        unsafe (start + Self.bufferTableOffset).assumingMemoryBound(to: brique_network_buffer.self)
    }

    /// Moves the entries [first, end) of the table of buffers to its start.
    func keepBuffers(_ first: Int, _ end: Int) {
        precondition(first >= 0 && first <= end && end <= Self.bufferLimit)
        var index = first
        while index < end {
            unsafe buffers[index - first] = buffers[index]
            index += 1
        }
    }

    /// One exchange. `frameCapacity` 0 leaves the region as it is.
    func exchange(
        link: Int, bufferCount: Int, frameCapacity: Int, timeoutNanoseconds: UInt64, events: Events
    ) throws(HypercallError) -> ExchangeResult {
        precondition(bufferCount >= 0 && bufferCount <= Self.bufferLimit && frameCapacity >= 0 && frameCapacity <= Self.frameLimit)
        let request = brique_network_exchange(
            link: UInt32(link), transmit_count: UInt32(bufferCount), transmit: address(Self.bufferTableOffset),
            receive: address(Self.gatherOffset + gatherByteCount), receive_byte_count: UInt32(regionByteCount),
            frame_capacity: UInt32(frameCapacity), frames: address(0), timeout_nanoseconds: timeoutNanoseconds,
            events: events.rawValue)
        return try unsafe Hypercalls.exchange(request)
    }

    /// Gives frame `index` of those that the last exchange received to `body`; false if its header makes no sense.
    func withFrame(_ index: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Bool {
        precondition(index >= 0 && index < Self.frameLimit)
        let entry = unsafe start.assumingMemoryBound(to: brique_network_frame.self)[index]
        let offset = Int(entry.offset), byteCount = Int(entry.byte_count)
        precondition(offset <= regionByteCount && byteCount <= regionByteCount - offset)
        let bytes = unsafe RawSpan(_unsafeStart: start + Self.gatherOffset + gatherByteCount + offset, byteCount: byteCount)
        var reader = ByteReader(bytes)
        do throws(FormatError) {
            let header = try VirtioNetHeader(parsing: &reader)
            body(bytes.extracting(droppingFirst: VirtioNetHeader.byteCount), header.receiveOffload)
            return true
        } catch {
            return false
        }
    }
}

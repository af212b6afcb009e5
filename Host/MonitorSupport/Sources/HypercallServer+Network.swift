import BootFormat
import Bytes

/// The calls for network links: see docs/hypercalls.md.
extension HypercallServer {
    mutating func describeLink(_ link: UInt64, at address: UInt64) -> Int64 {
        guard link < UInt64(host.links.count) else { return ErrorNumber.noDevice }
        let byteCount = UInt64(MemoryLayout<brique_network_information>.size)
        guard let range = range(address, byteCount, write: true), host.canWrite(range) else { return ErrorNumber.fault }
        let description = host.links[Int(link)]
        return view.withMutableBytes(range) { bytes in
            var writer = ByteWriter(&bytes)
            do throws(FormatError) {
                try writer.write(UInt16(truncatingIfNeeded: description.address >> 32), .big)
                try writer.write(UInt32(truncatingIfNeeded: description.address), .big)
                try writer.write(description.maximumTransmissionUnit, .little)
                try writer.write(description.offloads, .little)
                try writer.write(UInt32(description.frameByteCount), .little)
                return 0
            } catch {
                return ErrorNumber.fault
            }
        }
    }

    mutating func exchange(at address: UInt64) -> Int64 {
        guard let range = range(address, UInt64(MemoryLayout<brique_network_exchange>.size), write: false),
            let request = NetworkExchange(memory.bytes(range))
        else { return ErrorNumber.fault }
        guard request.link < UInt32(host.links.count) else { return ErrorNumber.noDevice }
        let limit = UInt32(BRIQUE_EXCHANGE_LIMIT)
        guard request.transmitCount <= limit, request.frameCapacity <= limit, request.events & ~host.links.events == 0 else {
            return ErrorNumber.invalid
        }
        guard var receiving = Receiving(request, self, host.links[Int(request.link)]) else { return ErrorNumber.fault }
        let (sentCount, failure) = send(request)
        if failure < 0 && failure != ErrorNumber.again && sentCount == 0 { return failure }
        let link = Int(request.link)
        if let failure = receive(&receiving, on: link), sentCount == 0 { return failure }
        let event = HostLinks.event(link)
        var ready: UInt64 = 0
        if receiving.count == 0 && failure == 0 && request.timeout > 0 {
            ready = UInt64(max(host.wait(nanoseconds: request.timeout, events: request.events), 0))
            if ready & event != 0, let failure = receive(&receiving, on: link), sentCount == 0 { return failure }
        } else if request.events & ~event != 0 {
            // Traffic on one link does not hide the other events.
            ready = UInt64(max(host.wait(nanoseconds: 0, events: request.events & ~event), 0))
        }
        ready = ready & ~event | (receiving.isFull ? event : 0)
        return Int64(sentCount) | Int64(receiving.count) << 16 | Int64(ready) << 32
    }

    /// How many buffers were sent, and why no more: 0 if all were, EAGAIN if the link stayed full.
    private mutating func send(_ request: NetworkExchange) -> (count: Int, failure: Int64) {
        var sent = 0
        let entryByteCount = UInt64(MemoryLayout<brique_network_buffer>.size)
        let total = Int(request.transmitCount)
        guard total > 0 else { return (0, 0) }
        guard let table = range(request.transmit, UInt64(total) * entryByteCount, write: false) else { return (0, ErrorNumber.fault) }
        while sent < total {
            var frame = FrameBuffers()
            var isWhole = false
            while !isWhole {
                let index = sent + frame.count
                guard index < total else { return (sent, ErrorNumber.invalid) }
                let entry = GuestRange(offset: table.offset + index * Int(entryByteCount), byteCount: Int(entryByteCount))
                guard let buffer = NetworkBuffer(memory.bytes(entry)) else { return (sent, ErrorNumber.fault) }
                guard buffer.flags & ~UInt32(BRIQUE_BUFFER_CONTINUES) == 0 else { return (sent, ErrorNumber.invalid) }
                guard let bytes = range(buffer.address, UInt64(buffer.byteCount), write: false) else { return (sent, ErrorNumber.fault) }
                guard frame.append(bytes) else { return (sent, ErrorNumber.invalid) }
                isWhole = buffer.flags == 0
            }
            guard frame.byteCount >= Self.leastFrameByteCount else { return (sent, ErrorNumber.invalid) }
            var result = host.transmit(frame, in: view, on: Int(request.link))
            if result == ErrorNumber.again, host.waitForRoom(on: Int(request.link)) {
                result = host.transmit(frame, in: view, on: Int(request.link))
            }
            // Whatever else the link dislikes about a frame is as on a wire: it is gone.
            if result == ErrorNumber.again || result == ErrorNumber.fault { return (sent, result) }
            sent += frame.count
        }
        return (sent, 0)
    }

    /// A header and an Ethernet header.
    private static var leastFrameByteCount: Int { Int(BRIQUE_LINK_HEADER_BYTES) + 14 }

    /// Receives until there is nothing, or no room: an error only if nothing at all was received.
    private mutating func receive(_ receiving: inout Receiving, on link: Int) -> Int64? {
        while let slot = receiving.nextSlot {
            if receiving.count == 0 && !host.canWrite(receiving.table) { return ErrorNumber.fault }
            let result = view.withMutableBytes(slot) { host.receive(into: &$0, on: link) }
            guard result > 0 else { return result == ErrorNumber.fault && receiving.count == 0 ? result : nil }
            guard result >= Int64(Self.leastFrameByteCount) else { continue }
            let entry = receiving.take(min(Int(result), slot.byteCount))
            view.store(entry.value, physical: entry.physical)
        }
        return nil
    }
}

/// Where received frames go, all of it checked, and how far it is filled.
private struct Receiving {
    private let region: GuestRange
    let table: GuestRange
    private let capacity: Int
    private let frameByteCount: Int
    private var offset = 0
    private(set) var count = 0

    init?<Host>(_ request: NetworkExchange, _ server: borrowing HypercallServer<Host>, _ link: HostLink) {
        frameByteCount = link.frameByteCount
        capacity = Int(request.frameCapacity)
        guard capacity > 0 else {
            region = GuestRange(offset: 0, byteCount: 0)
            table = region
            return
        }
        guard request.frames % 8 == 0, request.receive % UInt64(BRIQUE_FRAME_ALIGNMENT) == 0,
            let region = server.range(request.receive, UInt64(request.receiveByteCount), write: true),
            let table = server.range(request.frames, UInt64(capacity) * 8, write: true)
        else { return nil }
        self.region = region
        self.table = table
    }

    /// Whether a frame could be left for lack of room.
    var isFull: Bool { nextSlot == nil }

    var nextSlot: GuestRange? {
        guard count < capacity, region.byteCount - offset >= frameByteCount else { return nil }
        return GuestRange(offset: region.offset + offset, byteCount: frameByteCount)
    }

    /// The table's entry for a frame in the next slot.
    mutating func take(_ byteCount: Int) -> (value: UInt64, physical: UInt64) {
        let value = UInt64(offset) | UInt64(byteCount) << 32
        let physical = table.physical + UInt64(count) * 8
        let alignment = Int(BRIQUE_FRAME_ALIGNMENT)
        offset = min((offset + byteCount + alignment - 1) / alignment * alignment, region.byteCount)
        count += 1
        return (value, physical)
    }
}

/// A copy of `struct brique_network_exchange`.
private struct NetworkExchange {
    let link, transmitCount: UInt32
    let transmit, receive: UInt64
    let receiveByteCount, frameCapacity: UInt32
    let frames, timeout, events: UInt64

    init?(_ bytes: RawSpan) {
        var reader = ByteReader(bytes)
        do throws(FormatError) {
            link = try reader.read(UInt32.self, .little)
            transmitCount = try reader.read(UInt32.self, .little)
            transmit = try reader.read(UInt64.self, .little)
            receive = try reader.read(UInt64.self, .little)
            receiveByteCount = try reader.read(UInt32.self, .little)
            frameCapacity = try reader.read(UInt32.self, .little)
            frames = try reader.read(UInt64.self, .little)
            timeout = try reader.read(UInt64.self, .little)
            events = try reader.read(UInt64.self, .little)
        } catch {
            return nil
        }
    }
}

/// A copy of `struct brique_network_buffer`.
private struct NetworkBuffer {
    let address: UInt64
    let byteCount, flags: UInt32

    init?(_ bytes: RawSpan) {
        var reader = ByteReader(bytes)
        do throws(FormatError) {
            address = try reader.read(UInt64.self, .little)
            byteCount = try reader.read(UInt32.self, .little)
            flags = try reader.read(UInt32.self, .little)
        } catch {
            return nil
        }
    }
}

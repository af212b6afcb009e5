import BootFormat
import CHypercalls
import PlatformHosted

/// A monitor with one link, for one test at a time: notes what is sent, and gives what it was given.
struct SampleMonitor {
    var sent: [[UInt8]] = []
    var arriving: [[UInt8]] = []
    /// Frames that the link takes before it is full.
    var room = Int.max
    var offloads = UInt32(BRIQUE_OFFLOAD_ALL)
    var refusal: Int64 = 0
    var exchanges: [(buffers: Int, capacity: Int, timeout: UInt64, events: UInt64)] = []
    var waits: [UInt64] = []
    /// What a wait finds ready beside the link.
    var ready: UInt64 = 0

    // SAFETY (all below): addresses are those of live structures that the typed hypercalls pass, as docs/hypercalls.md says.
    mutating func answer(_ number: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> Int64 {
        switch Int32(number) {
        case BRIQUE_CALL_WAIT:
            waits.append(a)
            return 0
        case BRIQUE_CALL_NETWORK_INFORMATION:
            guard a == 0 else { return -19 }
            unsafe UnsafeMutablePointer<brique_network_information>(bitPattern: UInt(b))!.pointee = brique_network_information(
                address: (0x52, 0x54, 0, 1, 2, 3), maximum_transmission_unit: 1500, offloads: offloads,
                frame_byte_count: UInt32(BRIQUE_FRAME_BYTES))
            return 0
        case BRIQUE_CALL_NETWORK_EXCHANGE:
            return unsafe exchange(UnsafePointer<brique_network_exchange>(bitPattern: UInt(a))!.pointee)
        // Other tests of the same process go on meanwhile.
        default: return hostedGate(number: number, a: a, b: b, c: c)
        }
    }

    private mutating func exchange(_ request: brique_network_exchange) -> Int64 {
        exchanges.append((Int(request.transmit_count), Int(request.frame_capacity), request.timeout_nanoseconds, request.events))
        if refusal < 0 { return refusal }
        var sentCount = 0
        var frame: [UInt8] = []
        for index in 0..<Int(request.transmit_count) where room > 0 {
            let buffer = unsafe UnsafePointer<brique_network_buffer>(bitPattern: UInt(request.transmit))![index]
            let bytes = unsafe UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(buffer.address)), count: Int(buffer.byte_count))
            unsafe frame.append(contentsOf: bytes)
            guard buffer.flags == 0 else { continue }
            sent.append(frame)
            frame = []
            sentCount = index + 1
            room -= 1
        }
        var offset = 0
        var count = 0
        while count < Int(request.frame_capacity), Int(request.receive_byte_count) - offset >= Int(BRIQUE_FRAME_BYTES),
            !arriving.isEmpty
        {
            let next = arriving.removeFirst()
            unsafe UnsafeMutableRawPointer(bitPattern: UInt(request.receive) + UInt(offset))!
                .copyMemory(from: next, byteCount: next.count)
            unsafe UnsafeMutablePointer<brique_network_frame>(bitPattern: UInt(request.frames))![count] = brique_network_frame(
                offset: UInt32(offset), byte_count: UInt32(next.count))
            offset = (offset + next.count + 15) & ~15
            count += 1
        }
        let event: UInt64 = arriving.isEmpty ? 0 : 0x100
        return Int64(sentCount) | Int64(count) << 16 | Int64(ready & request.events | event) << 32
    }
}

// SAFETY: the tests that use it run one after another.
nonisolated(unsafe) var monitor = SampleMonitor()

func startMonitor() {
    unsafe monitor = SampleMonitor()
    brique_gate_set { number, a, b, c in unsafe monitor.answer(number, a, b, c) }
}

/// Changes or reads the monitor of the running test.
func withMonitor<R>(_ body: (inout SampleMonitor) -> R) -> R { unsafe body(&monitor) }

import Glibc
import LinuxSockets
import Time

/// Waits for many descriptors at once: epoll(7), edge-triggered.
@safe final class Poller {
    struct Event {
        var tag: UInt64
        var isReadable: Bool
        var isWritable: Bool
    }

    /// Events of one wait; the others come with the next.
    static let eventLimit = Int(BRIQUE_POLL_LIMIT)

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<brique_poll_event>

    init() {
        descriptor = brique_poll_create()
        // SAFETY: owned by this object alone, freed in deinit.
        unsafe events = .allocate(capacity: Self.eventLimit)
        unsafe events.initialize(repeating: brique_poll_event(), count: Self.eventLimit)
    }

    deinit {
        unsafe events.deallocate()
        close(descriptor)
    }

    /// False if the kernel has no room.
    func add(_ target: Int32, tag: UInt64) -> Bool { brique_poll_add(descriptor, target, tag) == 0 }

    /// Waits at most `timeout`, or without end, then tells each event.
    func wait(_ timeout: Duration?, _ body: (Event) -> Void) {
        let nanoseconds = timeout.map { Int64(clamping: $0.nanosecondsRoundedUp) } ?? -1
        // SAFETY: the call writes at most `eventLimit` events.
        let count = unsafe brique_poll_wait(descriptor, events, Int32(Self.eventLimit), min(nanoseconds, 3_600_000_000_000))
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            body(Event(tag: event.tag, isReadable: event.is_readable != 0, isWritable: event.is_writable != 0))
        }
    }
}

import Bytes
import Foundation
import Glibc
import PacketCapture
import Time
import VirtioFormat

/// Carries frames between a TAP and an instance, and records them.
struct TAPRelay: LinkPeer {
    let tap: TAP
    // SAFETY: made for this relay, and used by the one thread that serves.
    nonisolated(unsafe) let capture: PacketCapture

    /// A header and the largest frame.
    private static let messageByteCount = 65562
    /// Frames carried in one direction before the other has its turn.
    private static let batchCount = 64

    func serve(_ socket: LinkSocket) {
        precondition(socket.hasHeaders)
        _ = fcntl(socket.descriptor, F_SETFL, fcntl(socket.descriptor, F_GETFL) | O_NONBLOCK)
        var message = [UInt8](repeating: 0, count: Self.messageByteCount)
        while true {
            var polled = [
                pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: tap.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            // SAFETY: the array and its count belong together and outlive the call.
            guard unsafe poll(&polled, 2, -1) > 0 || errno == EINTR else { return }
            if polled[0].revents != 0, !carry(from: socket.descriptor, to: tap.descriptor, &message) { return }
            if polled[1].revents != 0, !carry(from: tap.descriptor, to: socket.descriptor, &message) { return }
        }
    }

    /// False when there is no more to come. A frame that finds no room is dropped, as on a wire.
    private func carry(from source: Int32, to target: Int32, _ message: inout [UInt8]) -> Bool {
        for _ in 0..<Self.batchCount {
            // SAFETY: at most the buffer's own count is written to it.
            let count = unsafe read(source, &message, message.count)
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            guard count > VirtioNetHeader.byteCount else { return count > 0 }
            unsafe capture.record(message.raw.extracting(VirtioNetHeader.byteCount..<count), at: Self.now)
            // SAFETY: `count` bytes were just read into it.
            _ = unsafe write(target, message, count)
        }
        return true
    }

    private static var now: WallTime {
        var time = timespec()
        // SAFETY: the structure outlives the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanosecondsSince1970: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

import Foundation
import Glibc

/// Carries standard input to a child and its output back, over pipes.
///
/// QEMU makes its console's descriptors non-blocking and a terminal raw; these pipes keep that away from the user's own.
struct ConsoleRelay {
    /// What a pipe takes without blocking once it polls writable (POSIX, PIPE_BUF).
    private static let chunkByteCount = 4096

    private let input: Int32
    private let output: Int32
    private var isInputOpen = true
    private var isOutputOpen = true
    private var toChild: [UInt8] = []
    private var toUser: [UInt8] = []

    /// - Parameter input: write end of the child's standard input.
    /// - Parameter output: read end of the child's standard output.
    init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    /// What to wait for next: at most one chunk is under way in each direction.
    var waits: [pollfd] {
        var waits: [pollfd] = []
        if isInputOpen {
            waits.append(
                toChild.isEmpty
                    ? pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0) : pollfd(fd: input, events: Int16(POLLOUT), revents: 0))
        }
        if !toUser.isEmpty {
            waits.append(pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0))
        } else if isOutputOpen {
            waits.append(pollfd(fd: output, events: Int16(POLLIN), revents: 0))
        }
        return waits
    }

    /// Moves what is ready.
    mutating func move(_ ready: ArraySlice<pollfd>) {
        for wait in ready where wait.revents != 0 {
            switch wait.fd {
            case STDIN_FILENO: if !Self.fill(&toChild, from: STDIN_FILENO) { closeInput() }
            case input: if !Self.drain(&toChild, into: input) { closeInput() }
            case output: isOutputOpen = Self.fill(&toUser, from: output)
            default: drainToUser()
            }
        }
    }

    /// Writes what the child left behind when it ended.
    mutating func finish() {
        closeInput()
        while isOutputOpen || !toUser.isEmpty {
            if toUser.isEmpty { isOutputOpen = Self.fill(&toUser, from: output) }
            if !toUser.isEmpty { drainToUser() }
        }
    }

    private mutating func closeInput() {
        if isInputOpen { close(input) }
        isInputOpen = false
        toChild = []
    }

    /// Standard output that nobody reads ends this program as it ends any other; the child goes with it.
    private mutating func drainToUser() {
        if !Self.drain(&toUser, into: STDOUT_FILENO) { Supervisor.die(of: SIGPIPE) }
    }

    /// False at the end of input, or when it is broken.
    private static func fill(_ bytes: inout [UInt8], from descriptor: Int32) -> Bool {
        bytes = [UInt8](repeating: 0, count: chunkByteCount)
        // SAFETY: at most the buffer's own count is written.
        let count = unsafe read(descriptor, &bytes, bytes.count)
        bytes.removeLast(bytes.count - max(0, count))
        return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN))
    }

    /// False when nobody reads any more.
    private static func drain(_ bytes: inout [UInt8], into descriptor: Int32) -> Bool {
        // SAFETY: at most the buffer's own count is read.
        let count = unsafe write(descriptor, bytes, bytes.count)
        if count >= 0 { bytes.removeFirst(count) }
        return count >= 0 || errno == EINTR || errno == EAGAIN
    }
}

import Foundation
import Glibc

/// Carries standard input to a child and its output back, over pipes.
///
/// QEMU makes its console's descriptors non-blocking and a terminal raw; these pipes keep that away from the user's own.
struct ConsoleRelay {
    /// What a pipe takes without blocking once it polls writable (POSIX, PIPE_BUF).
    private static let chunkByteCount = 4096
    /// The guest's line discipline, see docs/qemu.md: this byte ends the input, that one makes the next an ordinary one.
    private static let endOfInput: UInt8 = 4
    private static let quote: UInt8 = 22

    private let input: Int32
    private let output: Int32
    private var isInputOpen = true
    private var isInputEnded = false
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
            case STDIN_FILENO: takeInput()
            case input: if !Self.drain(&toChild, into: input) || (isInputEnded && toChild.isEmpty) { closeInput() }
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

    private mutating func takeInput() {
        isInputEnded = !Self.fill(&toChild, from: STDIN_FILENO, byteCount: Self.chunkByteCount / 2 - 1)
        toChild = Self.quoted(toChild)
        if isInputEnded { toChild.append(Self.endOfInput) }
    }

    /// At most twice as many bytes, which the guest reads as `bytes`.
    static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte in byte == endOfInput || byte == quote ? [quote, byte] : [byte] }
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
    private static func fill(_ bytes: inout [UInt8], from descriptor: Int32, byteCount: Int = chunkByteCount) -> Bool {
        bytes = [UInt8](repeating: 0, count: byteCount)
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

import Glibc

/// The loop of `Supervisor.run`.
struct Waiter {
    /// How long a child may take over a request before it is killed.
    private static let grace = Duration.seconds(1)

    private let child: pid_t
    private let output: Int32
    private let signals: Int32
    private let requests: Int32
    private let interruption: ChildLaunch.Interruption?
    private var relay: ConsoleRelay?
    private var isOutputOpen = true
    private var signalCount = 0
    private var interruptedBy: Int32?
    private var deadline: ContinuousClock.Instant?

    init(child: pid_t, channels: Channels, signals: Int32, interruption: ChildLaunch.Interruption?) {
        self.child = child
        self.signals = signals
        self.interruption = interruption
        output = channels.output.readEnd
        requests = channels.requests
        relay = channels.relay
        // A child that is gone must not take this program with it.
        if relay != nil { signal(SIGPIPE, SIG_IGN) }
    }

    mutating func wait(receive: ([UInt8]) -> Void, tick: () -> Void) -> ChildOutcome {
        while true {
            var polled = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
            if isOutputOpen { polled.append(pollfd(fd: output, events: Int16(POLLIN), revents: 0)) }
            let relayed = polled.count
            polled += relay?.waits ?? []
            // SAFETY: the array and its count belong together and outlive the call.
            let ready = unsafe poll(&polled, nfds_t(polled.count), 250)
            if isOutputOpen { drain(into: receive) }
            if ready > 0 {
                relay?.move(polled[relayed...])
                if polled[0].revents != 0 { takeSignals() }
            }
            if let deadline, ContinuousClock.now >= deadline { kill(child, SIGKILL) }
            if let end = reap() {
                // What the child wrote last may still be in the pipes.
                relay?.finish()
                if isOutputOpen { drain(into: receive) }
                return ChildOutcome(end: end, interruptedBy: interruptedBy)
            }
            tick()
        }
    }

    private mutating func drain(into receive: ([UInt8]) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            // SAFETY: at most the buffer's own count is written.
            let count = unsafe read(output, &buffer, buffer.count)
            if count > 0 { receive(Array(buffer[..<count])) }
            if count == 0 { isOutputOpen = false }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
        }
    }

    private mutating func takeSignals() {
        var words = [UInt8](repeating: 0, count: 64)
        // SAFETY: at most the buffer's own count is written.
        let count = unsafe read(signals, &words, words.count)
        guard count > 0 else { return }
        for pair in stride(from: 0, to: count - 1, by: 2) {
            let received = ReceivedSignal(number: Int32(words[pair]), fromKernel: words[pair + 1] != 0)
            guard received.number != SIGCHLD else { continue }
            signalCount += 1
            interruptedBy = interruptedBy ?? received.number
            if let interruption {
                interrupt(interruption)
            } else if signalCount >= Supervisor.patience {
                kill(child, SIGKILL)
            } else if !received.fromKernel {
                kill(child, received.number)
            }
        }
    }

    /// The first signal asks, the second kills.
    private mutating func interrupt(_ interruption: ChildLaunch.Interruption) {
        guard signalCount == 1 else {
            kill(child, SIGKILL)
            return
        }
        deadline = ContinuousClock.now + Self.grace
        let bytes = Array(interruption.request.utf8)
        // SAFETY: at most the buffer's own count is read. A child that does not take it is killed at the deadline.
        unsafe send(requests, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    private func reap() -> ChildEnd? {
        var status: Int32 = 0
        // SAFETY: `status` outlives the call.
        let reaped = unsafe waitpid(child, &status, WNOHANG)
        guard reaped == child else { return reaped < 0 && errno != EINTR ? .exited(ExitStatus.internalError.rawValue) : nil }
        // wait(2): the low seven bits are the signal, zero for an exit; the next byte is the status.
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}

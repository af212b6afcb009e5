/// A program to start: its own words, environment and descriptors, nothing inherited by accident.
struct ChildLaunch {
    var path: String
    var arguments: [String]
    /// `K=V` words: the whole environment.
    var environment: [String]
    /// Descriptors of the child that all lead into one pipe to this process.
    var collected: [Int32] = []
    /// Descriptors that the child gets beside those; they stay this program's own to close.
    var inherited: [Inherited] = []
    /// Read from /dev/null instead of this program's standard input.
    var withoutInput = false
    /// Standard input and output through pipes of this program instead of the user's own descriptors.
    var relaysConsole = false
    /// For a child that does not act on signals itself.
    var interruption: Interruption?

    struct Inherited: Equatable {
        var own: Int32
        /// Its number in the child.
        var child: Int32
    }

    /// Signals are kept from the child: the first one becomes a request to it, and soon afterwards it is killed.
    struct Interruption {
        /// The child's end of a socket that the request is written to.
        var descriptor: Int32
        var request: String
    }
}

/// How a child ended, and the signal that the user sent before it did.
struct ChildOutcome: Equatable {
    var end: ChildEnd
    var interruptedBy: Int32?

    /// The end, where an exit that only says which signal it was is that signal: as a shell would report it.
    var asProcess: ChildEnd {
        guard let interruptedBy, end == .exited(128 + interruptedBy) else { return end }
        return .signalled(interruptedBy)
    }
}

/// How a child ended.
enum ChildEnd: Equatable {
    case exited(Int32)
    case signalled(Int32)
}

/// A signal that reached the tool while a child runs.
struct ReceivedSignal: Equatable {
    var number: Int32
    /// The terminal's: it has gone to the whole foreground group, so the child has it already.
    var fromKernel: Bool
}

/// A bounded gatherer of lines out of chunks of bytes.
struct LineCollector {
    let lineByteLimit: Int
    private var pending: [UInt8] = []
    private var isSkipping = false

    init(lineByteLimit: Int) {
        self.lineByteLimit = lineByteLimit
    }

    /// Lines completed by `bytes`, without newlines; a line beyond the limit is dropped whole.
    mutating func lines(adding bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if !isSkipping { lines.append(String(decoding: pending, as: UTF8.self)) }
                pending.removeAll(keepingCapacity: true)
                isSkipping = false
            } else if pending.count < lineByteLimit {
                pending.append(byte)
            } else {
                isSkipping = true
            }
        }
        return lines
    }

    /// What is left when the writer has ended without a newline.
    mutating func rest() -> String? {
        defer { pending.removeAll() }
        return pending.isEmpty || isSkipping ? nil : String(decoding: pending, as: UTF8.self)
    }
}

import Glibc
import SystemPackage

/// What connects this program to one child.
struct Channels {
    /// What the child writes to the collected descriptors.
    private(set) var output: Pipe
    private var input: Pipe?
    private var console: Pipe?
    /// This program's end and the child's of the socket for requests; minus one when there is none.
    private(set) var requests: Int32 = -1
    private var requestsOfChild: Int32 = -1
    private var inputOfChild: Int32 = -1
    /// Descriptors here, and what the child gets them as.
    private(set) var inherited: [(own: Int32, child: Int32)] = []

    init(_ launch: ChildLaunch) throws(ToolFailure) {
        // Copies are made beyond every number that a child uses, so that none is overwritten before it is copied.
        output = try Pipe()
        for descriptor in launch.collected { inherited.append((output.writeEnd, descriptor)) }
        for descriptor in launch.inherited { inherited.append((descriptor.own, descriptor.child)) }
        if launch.relaysConsole {
            let input = try Pipe()
            let console = try Pipe()
            inherited += [(input.readEnd, STDIN_FILENO), (console.writeEnd, STDOUT_FILENO)]
            (self.input, self.console) = (input, console)
            inputOfChild = input.readEnd
        }
        guard let interruption = launch.interruption else { return }
        var ends: [Int32] = [-1, -1]
        // SAFETY: socketpair writes exactly two descriptors.
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw ToolFailure(.hostRefused, "no socket: \(Errno(rawValue: errno))")
        }
        (requests, requestsOfChild) = (ends[0].raised(), ends[1].raised())
        inherited.append((requestsOfChild, interruption.descriptor))
    }

    /// Carries the console when the child does not have the user's own.
    var relay: ConsoleRelay? {
        guard let input, let console else { return nil }
        return ConsoleRelay(input: input.writeEnd, output: console.readEnd)
    }

    mutating func closeChildEnds() {
        output.closeWriteEnd()
        console?.closeWriteEnd()
        for descriptor in [inputOfChild, requestsOfChild] where descriptor >= 0 { Glibc.close(descriptor) }
        (inputOfChild, requestsOfChild) = (-1, -1)
    }

    mutating func close() {
        closeChildEnds()
        output.close()
        console?.close()
        if requests >= 0 { Glibc.close(requests) }
    }
}

extension Int32 {
    /// This descriptor, or when a child may use its number a copy beyond them; the lower one is closed.
    func raised() -> Int32 {
        guard self >= 0, self < Pipe.lowestDescriptor else { return self }
        let copy = fcntl(self, F_DUPFD_CLOEXEC, Pipe.lowestDescriptor)
        guard copy >= 0 else { return self }
        close(self)
        return copy
    }
}

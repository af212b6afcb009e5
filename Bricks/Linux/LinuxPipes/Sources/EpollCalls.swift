import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

extension LinuxThread {
    private func poller(_ descriptor: Int32) throws(Errno) -> Poller {
        guard let poller = try process.descriptors[descriptor] as? Poller else { throw .einval }
        return poller
    }

    static func sysEpollCreate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(0) > 0 else { throw .einval }
        return Int(try thread.insert(Poller(), closesOnExec: false))
    }
    static func sysEpollCreate1(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.uint32(0))
        guard flags.isSubset(of: .closeOnExec) else { throw .einval }
        return Int(try thread.insert(Poller(), closesOnExec: !flags.isEmpty))
    }

    static func sysEpollCtl(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let operation = arguments.int32(1), descriptor = arguments.descriptor(2)
        var event = linux_epoll_event()
        // EPOLL_CTL_DEL is 2 and looks at no event.
        if operation != 2 { event = try thread.memory.read(linux_epoll_event.self, at: arguments[3]) }
        _ = try thread.process.descriptors[arguments.descriptor(0)]
        let file = try thread.process.descriptors[descriptor]
        guard file.canBePolled else { throw .eperm }
        let poller = try thread.poller(arguments.descriptor(0))
        guard file !== poller else { throw .einval }
        let events = PollEvents(rawValue: event.events)
        switch operation {
        case 1: try poller.add(file, descriptor, events, data: event.data)
        case 2: try poller.remove(file, descriptor)
        case 3: try poller.modify(file, descriptor, events, data: event.data)
        default: throw .einval
        }
        return 0
    }

    /// Waits for at most `limit` events. It never starts again after a signal (signal(7)).
    private func waitForEvents(_ descriptor: Int32, _ address: UInt64, _ limit: Int32, _ timeout: Timeout) throws(Errno) -> Int {
        guard limit > 0, limit <= Int32.max / 12 else { throw .einval }
        let poller = try poller(descriptor)
        var hasYielded = false
        while true {
            var count: UInt64 = 0
            let found = try poller.collect(limit: Int(limit)) { (events, data) throws(Errno) in
                let event = linux_epoll_event(events: events.rawValue, data: data)
                try memory.write(event, at: address &+ count &* 12)
                count += 1
            }
            if found > 0 { return found }
            if timeout.isZero {
                // What the others would have done meanwhile is done now: who only looks must not keep the network from moving.
                if hasYielded { return 0 }
                hasYielded = true
                yield()
                continue
            }
            poller.retain()
            defer { poller.release() }
            do throws(Errno) {
                try wait(on: poller.observers, deadline: timeout.deadline)
            } catch {
                if error == .etimedout { return 0 }
                throw error == .restart ? .eintr : error
            }
        }
    }

    static func sysEpollWait(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timeout = Timeout(milliseconds: arguments.int32(3), thread)
        return try thread.waitForEvents(arguments.descriptor(0), arguments[1], arguments.int32(2), timeout)
    }
    static func sysEpollPwait(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timeout = Timeout(milliseconds: arguments.int32(3), thread)
        try thread.useMask(at: arguments[4], arguments[5])
        return try thread.waitForEvents(arguments.descriptor(0), arguments[1], arguments.int32(2), timeout)
    }
    static func sysEpollPwait2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timeout = try Timeout(at: arguments[3], thread)
        try thread.useMask(at: arguments[4], arguments[5])
        return try thread.waitForEvents(arguments.descriptor(0), arguments[1], arguments.int32(2), timeout)
    }
}

import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

/// Files that a call waits for, held open meanwhile.
private struct WaitedFiles {
    var files: [OpenFile] = []

    /// False: at the end of the time. Never starts again after a signal.
    func wait(_ thread: LinuxThread, _ timeout: Timeout) throws(Errno) -> Bool {
        for file in files { file.retain() }
        defer { for file in files { file.release() } }
        do throws(Errno) {
            try thread.wait(on: files.map { $0.observers }, deadline: timeout.deadline)
            return true
        } catch {
            if error == .etimedout { return false }
            throw error == .restart ? .eintr : error
        }
    }
}

extension LinuxThread {
    // MARK: poll(2)

    private func poll(_ address: UInt64, _ count: UInt64, _ timeout: Timeout) throws(Errno) -> Int {
        guard count <= UInt64(process.descriptors.limit) else { throw .einval }
        var isLast = false
        while true {
            var files = WaitedFiles()
            var found = 0
            for index in 0..<count {
                let place = address &+ index &* 8
                var entry = try memory.read(linux_pollfd.self, at: place)
                var events: PollEvents = []
                if entry.fd >= 0 {
                    if let file = try? process.descriptors[entry.fd] {
                        let wanted = PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.events))).union([.error, .hangUp, .invalid])
                        events = file.readiness.withSynonyms.intersection(wanted)
                        if found == 0, !timeout.isZero { files.files.append(file) }
                    } else {
                        events = .invalid
                    }
                }
                entry.revents = Int16(truncatingIfNeeded: events.rawValue)
                if !events.isEmpty { found += 1 }
                try memory.write(entry.revents, at: place &+ 6)
            }
            if found > 0 || isLast { return found }
            if timeout.isZero {
                yield()
                isLast = true
            } else if !(try files.wait(self, timeout)) {
                isLast = true
            }
        }
    }

    static func sysPoll(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.poll(arguments[0], UInt64(arguments.uint32(1)), Timeout(milliseconds: arguments.int32(2), thread))
    }
    static func sysPpoll(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timeout = try Timeout(at: arguments[2], thread)
        try thread.useMask(at: arguments[3], arguments[4])
        defer { thread.writeRemaining(timeout, timespec: arguments[2]) }
        return try thread.poll(arguments[0], UInt64(arguments.uint32(1)), timeout)
    }

    /// What is left of the time, told as well as can be: a place that cannot be written is left alone.
    private func writeRemaining(_ timeout: Timeout, timespec address: UInt64) {
        guard address != 0 else { return }
        let left = timeout.remaining(self)
        _ = try? memory.write(linux_timespec(tv_sec: Int64(left / 1_000_000_000), tv_nsec: Int64(left % 1_000_000_000)), at: address)
    }

    // MARK: select(2)

    /// FD_SETSIZE has no meaning to the kernel: a set is as long as the highest descriptor needs.
    private func select(_ count: Int32, _ addresses: InlineArray<3, UInt64>, _ timeout: Timeout) throws(Errno) -> Int {
        guard count >= 0 else { throw .einval }
        let words = (min(Int(count), process.descriptors.limit) + 63) / 64
        var wanted: [UInt64] = []
        for set in 0..<3 {
            for word in 0..<words {
                wanted.append(addresses[set] == 0 ? 0 : try memory.read(UInt64.self, at: addresses[set] &+ UInt64(word * 8)))
            }
            // The last word may hold bits of descriptors that do not count.
            if words > 0, count % 64 != 0, Int(count) <= words * 64 { wanted[set * words + words - 1] &= (1 << UInt64(count % 64)) - 1 }
        }
        var isLast = false
        while true {
            var files = WaitedFiles()
            var result = [UInt64](repeating: 0, count: wanted.count)
            let found = try look(wanted, words, &result, &files)
            if found > 0 || isLast {
                for set in 0..<3 where addresses[set] != 0 {
                    for word in 0..<words { try memory.write(result[set * words + word], at: addresses[set] &+ UInt64(word * 8)) }
                }
                return found
            }
            if timeout.isZero {
                yield()
                isLast = true
            } else if !(try files.wait(self, timeout)) {
                isLast = true
            }
        }
    }

    /// What counts as readable, writable and exceptional.
    private static func events(_ set: Int) -> PollEvents {
        switch set {
        case 0: [.input, .hangUp, .error]
        case 1: [.output, .error]
        default: .priority
        }
    }

    private func look(_ wanted: [UInt64], _ words: Int, _ result: inout [UInt64], _ files: inout WaitedFiles) throws(Errno) -> Int {
        var found = 0
        for word in 0..<words {
            var bits = wanted[word] | wanted[words + word] | wanted[2 * words + word]
            while bits != 0 {
                let bit = bits & (0 &- bits)
                bits &= ~bit
                let file = try process.descriptors[Int32(word * 64 + bit.trailingZeroBitCount)]
                let readiness = file.readiness
                for set in 0..<3 where wanted[set * words + word] & bit != 0 && !readiness.isDisjoint(with: Self.events(set)) {
                    result[set * words + word] |= bit
                    found += 1
                }
                if found == 0 { files.files.append(file) }
            }
        }
        return found
    }

    static func sysSelect(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var timeout = Timeout.forever
        if arguments[4] != 0 {
            let time = try thread.memory.read(linux_timeval.self, at: arguments[4])
            // Microseconds beyond a second count on.
            guard time.tv_sec >= 0, time.tv_usec >= 0 else { throw .einval }
            let (seconds, overflow) = time.tv_sec.addingReportingOverflow(time.tv_usec / 1_000_000)
            timeout = try Timeout(seconds: overflow ? .max : seconds, nanoseconds: time.tv_usec % 1_000_000 * 1000, thread)
        }
        defer {
            if arguments[4] != 0 {
                let left = timeout.remaining(thread) / 1000
                let time = linux_timeval(tv_sec: Int64(left / 1_000_000), tv_usec: Int64(left % 1_000_000))
                _ = try? thread.memory.write(time, at: arguments[4])
            }
        }
        return try thread.select(arguments.int32(0), [arguments[1], arguments[2], arguments[3]], timeout)
    }

    static func sysPselect6(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let timeout = try Timeout(at: arguments[4], thread)
        if arguments[5] != 0 {
            let mask = try thread.memory.read(UInt64.self, at: arguments[5])
            try thread.useMask(at: mask, try thread.memory.read(UInt64.self, at: arguments[5] &+ 8))
        }
        defer { thread.writeRemaining(timeout, timespec: arguments[4]) }
        return try thread.select(arguments.int32(0), [arguments[1], arguments[2], arguments[3]], timeout)
    }
}

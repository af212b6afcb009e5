import Bytes
import CLinuxFormat
import LinuxMemory
import LinuxProcess

// Structures that a call points to. What cannot be read is shown as its address.
extension TraceLine {
    mutating func add(timeAt address: UInt64) {
        guard let seconds = word(address), let nanoseconds = word(address &+ 8) else {
            bytes += Self.pointer(address)
            return
        }
        add("{tv_sec=")
        add(signed: Int64(bitPattern: seconds))
        add(", tv_nsec=")
        add(signed: Int64(bitPattern: nanoseconds))
        add("}")
    }

    mutating func add(statAt address: UInt64) {
        guard address != 0, let stat = try? memory.read(linux_stat.self, at: address) else {
            bytes += Self.pointer(address)
            return
        }
        add("{st_mode=")
        let types: StaticString =
            switch stat.st_mode >> 12 {
            case 1: "S_IFIFO|"
            case 2: "S_IFCHR|"
            case 4: "S_IFDIR|"
            case 6: "S_IFBLK|"
            case 8: "S_IFREG|"
            case 10: "S_IFLNK|"
            case 12: "S_IFSOCK|"
            default: ""
            }
        add(types)
        add(octal: stat.st_mode & 0o7777)
        if stat.st_mode >> 12 == 2 || stat.st_mode >> 12 == 6 {
            add(", st_rdev=makedev(")
            add(hex: stat.st_rdev >> 8 & 0xfff)
            add(", ")
            add(hex: stat.st_rdev & 0xff)
            add(")")
        } else {
            add(", st_size=")
            add(signed: stat.st_size)
        }
        add(", ...}")
    }

    mutating func add(socketAddressAt address: UInt64, byteCount: UInt64) {
        guard address != 0, byteCount >= 2, byteCount <= 128, let content = read(address, Int(byteCount)) else {
            bytes += Self.pointer(address)
            return
        }
        let family = UInt64(content[0]) | UInt64(content[1]) << 8
        add("{sa_family=")
        bytes += FlagNames.text(0x58, family)
        switch family {
        case 1:
            add(", sun_path=")
            if content.count > 3, content[2] == 0 { add("@") }
            add(stringAt: address + (content.count > 3 && content[2] == 0 ? 3 : 2))
        case 2 where content.count >= 8:
            add(", sin_port=htons(")
            add(UInt64(content[2]) << 8 | UInt64(content[3]))
            add("), sin_addr=inet_addr(\"")
            for index in 4..<8 {
                if index > 4 { add(".") }
                add(UInt64(content[index]))
            }
            add("\")")
        case 10 where content.count >= 24:
            add(", sin6_port=htons(")
            add(UInt64(content[2]) << 8 | UInt64(content[3]))
            add("), sin6_addr=\"")
            for index in stride(from: 8, to: 24, by: 2) {
                if index > 8 { add(":") }
                bytes += hexadecimal(UInt64(content[index]) << 8 | UInt64(content[index + 1])).dropFirst(2)
            }
            add("\"")
        default: break
        }
        add("}")
    }

    /// `count` elements of `byteCount` bytes each, at most as many as of a buffer.
    mutating func add(arrayAt address: UInt64, count: UInt64, byteCount: UInt64, _ body: (inout TraceLine, UInt64) -> Void) {
        guard address != 0, word(address) != nil || count == 0 else {
            bytes += Self.pointer(address)
            return
        }
        add("[")
        for index in 0..<min(count, UInt64(Self.bufferLimit)) {
            if index > 0 { add(", ") }
            body(&self, address &+ index * byteCount)
        }
        if count > UInt64(Self.bufferLimit) { add(", ...") }
        add("]")
    }

    /// `filled`: bytes that a call put there; nil: it reads them.
    mutating func add(vectorAt address: UInt64, count: UInt64, filled: UInt64?) {
        var rest = filled ?? .max
        add(arrayAt: address, count: count, byteCount: 16) { line, place in
            let base = line.word(place) ?? 0, length = line.word(place &+ 8) ?? 0
            line.add("{iov_base=")
            line.add(bufferAt: base, min(length, rest))
            rest -= min(length, rest)
            line.add(", iov_len=")
            line.add(length)
            line.add("}")
        }
    }

    mutating func add(messageAt address: UInt64, filled: UInt64?) {
        guard address != 0, let message = try? memory.read(linux_message_header.self, at: address) else {
            bytes += Self.pointer(address)
            return
        }
        add("{msg_name=")
        add(socketAddressAt: message.msg_name, byteCount: UInt64(message.msg_namelen))
        add(", msg_namelen=")
        add(UInt64(message.msg_namelen))
        add(", msg_iov=")
        add(vectorAt: message.msg_iov, count: message.msg_iovlen, filled: filled)
        add(", msg_iovlen=")
        add(message.msg_iovlen)
        add(", msg_controllen=")
        add(message.msg_controllen)
        add(", msg_flags=")
        bytes += FlagNames.text(0x6b, UInt64(UInt32(bitPattern: message.msg_flags)))
        add("}")
    }

    mutating func add(pollAt address: UInt64, count: UInt64) {
        add(arrayAt: address, count: count, byteCount: 8) { line, place in
            line.add("{fd=")
            line.add(signed: Int64(Int32(bitPattern: line.half(place) ?? 0)))
            line.add(", events=")
            let events = line.half(place &+ 4) ?? 0
            line.bytes += FlagNames.text(0x6a, UInt64(events & 0xffff))
            if events >> 16 != 0 {
                line.add(", revents=")
                line.bytes += FlagNames.text(0x6a, UInt64(events >> 16))
            }
            line.add("}")
        }
    }

    /// struct epoll_event is packed.
    mutating func add(epollAt address: UInt64, count: UInt64, isArray: Bool) {
        let body = { (line: inout TraceLine, place: UInt64) in
            guard place != 0, let events = line.half(place), let data = line.word(place &+ 4) else { return line.add("NULL") }
            line.add("{events=")
            line.bytes += FlagNames.text(0x76, UInt64(events))
            line.add(", data=")
            line.add(hex: data)
            line.add("}")
        }
        if isArray { add(arrayAt: address, count: count, byteCount: 12, body) } else { body(&self, address) }
    }

    mutating func add(signalSetAt address: UInt64) {
        guard let set = word(address) else {
            bytes += Self.pointer(address)
            return
        }
        // As strace does: what is not in it, if most are.
        let isInverted = set.nonzeroBitCount > 32
        add(isInverted ? "~[" : "[")
        var isFirst = true
        for signal in 1...64 where (set >> UInt64(signal - 1) & 1 == 1) != isInverted {
            if !isFirst { add(" ") }
            isFirst = false
            bytes += SignalNames.text(Int32(signal)).dropFirst(3)
        }
        add("]")
    }

    mutating func add(actionAt address: UInt64) {
        guard let handler = word(address), let flags = word(address &+ 8) else {
            bytes += Self.pointer(address)
            return
        }
        add("{sa_handler=")
        if handler == 0 { add("SIG_DFL") } else if handler == 1 { add("SIG_IGN") } else { add(hex: handler) }
        add(", sa_mask=")
        add(signalSetAt: address &+ 24)
        add(", sa_flags=")
        bytes += FlagNames.text(0x73, flags)
        add("}")
    }

    mutating func add(limitAt address: UInt64) {
        guard let soft = word(address), let hard = word(address &+ 8) else {
            bytes += Self.pointer(address)
            return
        }
        add("{rlim_cur=")
        if soft == .max { add("RLIM64_INFINITY") } else { add(soft) }
        add(", rlim_max=")
        if hard == .max { add("RLIM64_INFINITY") } else { add(hard) }
        add("}")
    }

    mutating func add(stringsAt address: UInt64) {
        guard address != 0, let pointers = try? memory.words(at: address, limit: 1024) else {
            bytes += Self.pointer(address)
            return
        }
        add("[")
        for (index, pointer) in pointers.prefix(Self.bufferLimit).enumerated() {
            if index > 0 { add(", ") }
            add(stringAt: pointer)
        }
        if pointers.count > Self.bufferLimit { add(", ...") }
        add("]")
    }
}

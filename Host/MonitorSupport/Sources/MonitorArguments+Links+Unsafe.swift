import BootFormat

extension MonitorArguments {
    /// `CONTROL_FD|-[,FD:MAC:MTU:OFFLOADS…]`: numbers are decimal, the MAC address is 12 hexadecimal digits.
    static func descriptors(_ text: UnsafePointer<CChar>) throws(Refusal) -> (FileDescriptor?, HostLinks) {
        var position = 0
        var control: FileDescriptor?
        // SAFETY: every read below stops at the terminating zero.
        if unsafe text[0] == minus {
            position = 1
        } else {
            guard let number = unsafe number(text, &position, limit: UInt64(Int32.max)) else {
                throw Refusal(.usage, "CONTROL_FD is neither a descriptor nor -")
            }
            control = FileDescriptor(Int32(number))
        }
        var links = HostLinks()
        while unsafe text[position] != 0 {
            guard unsafe text[position] == comma else { throw Refusal(.usage, "CONTROL_FD is neither a descriptor nor -") }
            position += 1
            let link = try unsafe link(text, &position)
            guard link.descriptor.number > 2, link.descriptor != control else {
                throw Refusal(.usage, "a link has a descriptor that is taken")
            }
            guard links.append(link) else { throw Refusal(.usage, "an instance has at most four links") }
        }
        return (control, links)
    }

    private static func link(_ text: UnsafePointer<CChar>, _ position: inout Int) throws(Refusal) -> HostLink {
        // IPv4 asks 68 bytes of every link (RFC 791 §3.2).
        guard let descriptor = unsafe number(text, &position, limit: UInt64(Int32.max)), unsafe skip(colon, text, &position),
            let address = unsafe hexadecimal(text, &position), unsafe skip(colon, text, &position),
            let unit = unsafe number(text, &position, limit: 65535), unit >= 68, unsafe skip(colon, text, &position),
            let offloads = unsafe number(text, &position, limit: UInt64(BRIQUE_OFFLOAD_ALL))
        else { throw Refusal(.usage, "a link is not FD:MAC:MTU:OFFLOADS") }
        return HostLink(
            descriptor: FileDescriptor(Int32(descriptor)), address: address, maximumTransmissionUnit: UInt16(unit),
            offloads: UInt32(offloads))
    }

    private static let minus: CChar = 0x2d, comma: CChar = 0x2c, colon: CChar = 0x3a

    private static func skip(_ character: CChar, _ text: UnsafePointer<CChar>, _ position: inout Int) -> Bool {
        // SAFETY: as in descriptors.
        guard unsafe text[position] == character else { return false }
        position += 1
        return true
    }

    private static func number(_ text: UnsafePointer<CChar>, _ position: inout Int, limit: UInt64) -> UInt64? {
        var value: UInt64 = 0
        let start = position
        // SAFETY: as in descriptors. Limits are 32 bits, so no product overflows.
        while unsafe text[position] >= 0x30 && text[position] <= 0x39 {
            value = unsafe value * 10 + UInt64(text[position] - 0x30)
            guard value <= limit else { return nil }
            position += 1
        }
        return position > start ? value : nil
    }

    /// 12 digits, upper or lower case.
    private static func hexadecimal(_ text: UnsafePointer<CChar>, _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for _ in 0..<12 {
            // SAFETY: as in descriptors: the terminating zero is no digit.
            let byte = unsafe UInt8(bitPattern: text[position])
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt64((byte | 0x20) - 0x57)
            default: return nil
            }
            position += 1
        }
        return value
    }
}

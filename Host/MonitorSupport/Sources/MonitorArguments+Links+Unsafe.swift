import BootFormat

extension MonitorArguments {
    /// What this process was given open.
    struct Descriptors {
        var control: FileDescriptor?
        var links = HostLinks()
        var layer: FileDescriptor?
    }

    /// `CONTROL_FD|-[,FD:MAC:MTU:OFFLOADS…][,layer:FD]`: numbers are decimal, the MAC address is 12 hexadecimal digits.
    static func descriptors(_ text: UnsafePointer<CChar>) throws(Refusal) -> Descriptors {
        var position = 0
        var found = Descriptors()
        // SAFETY: every read below stops at the terminating zero.
        if unsafe text[0] == minus {
            position = 1
        } else {
            guard let number = unsafe number(text, &position, limit: UInt64(Int32.max)) else {
                throw Refusal(.usage, "CONTROL_FD is neither a descriptor nor -")
            }
            found.control = FileDescriptor(Int32(number))
        }
        while unsafe text[position] != 0 {
            guard unsafe text[position] == comma else { throw Refusal(.usage, "CONTROL_FD is neither a descriptor nor -") }
            position += 1
            if let layer = try unsafe layer(text, &position) {
                guard found.layer == nil, found.isFree(layer) else { throw Refusal(.usage, "the layer has a descriptor that is taken") }
                found.layer = layer
                continue
            }
            let link = try unsafe link(text, &position)
            guard found.isFree(link.descriptor) else {
                throw Refusal(.usage, "a link has a descriptor that is taken")
            }
            guard found.links.append(link) else { throw Refusal(.usage, "an instance has at most four links") }
        }
        return found
    }

    /// nil: something else is there.
    private static func layer(_ text: UnsafePointer<CChar>, _ position: inout Int) throws(Refusal) -> FileDescriptor? {
        let name: StaticString = "layer:"
        for index in 0..<name.utf8CodeUnitCount {
            // SAFETY: as in descriptors; the name has as many bytes.
            guard unsafe UInt8(bitPattern: text[position + index]) == name.utf8Start[index] else { return nil }
        }
        position += name.utf8CodeUnitCount
        guard let number = unsafe number(text, &position, limit: UInt64(Int32.max)) else {
            throw Refusal(.usage, "the layer is not layer:FD")
        }
        return FileDescriptor(Int32(number))
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

extension MonitorArguments.Descriptors {
    /// Not one of the standard streams, and not used for anything else.
    func isFree(_ descriptor: FileDescriptor) -> Bool {
        guard descriptor.number > 2, descriptor != control, descriptor != layer else { return false }
        for index in 0..<links.count where links[index].descriptor == descriptor { return false }
        return true
    }
}

#if hasFeature(Embedded)
    import Bytes
    import Instance

    /// What the instance's environment says about the program, and what is left for the program itself.
    struct ProgramSettings {
        var path: [UInt8] = []
        var directory: [UInt8] = [0x2f]
        var user: UInt32 = 0
        var group: UInt32 = 0
        var isTraced = false
        var hasStatistics = false
        var arguments: [[UInt8]] = []
        var environment: [[UInt8]] = []

        /// A variable that cannot be understood.
        var refused: [UInt8]?

        init() {
            arguments = Instance.argumentBytes
            let reserved = StaticString("BRIQUE_").bytes
            for variable in Instance.environmentBytes {
                guard Array(variable.prefix(reserved.count)) == reserved else {
                    environment.append(variable)
                    continue
                }
                let equals = variable.firstIndex(of: 0x3d) ?? variable.count
                guard take(Array(variable[reserved.count..<equals]), Array(variable[equals...].dropFirst())) else {
                    refused = variable
                    return
                }
            }
            if path.isEmpty, let first = arguments.first { path = first }
        }

        private mutating func take(_ name: [UInt8], _ value: [UInt8]) -> Bool {
            if StaticString("PROGRAM").hasSameBytes(as: name) {
                path = value
            } else if StaticString("DIRECTORY").hasSameBytes(as: name) {
                directory = value
            } else if StaticString("USER").hasSameBytes(as: name) {
                return takeUser(value)
            } else if StaticString("TRACE").hasSameBytes(as: name) {
                isTraced = value == [0x31]
            } else if StaticString("STATS").hasSameBytes(as: name) {
                hasStatistics = value == [0x31]
            }
            // The others are the network's.
            return true
        }

        /// "uid" or "uid:gid".
        private mutating func takeUser(_ value: [UInt8]) -> Bool {
            let colon = value.firstIndex(of: 0x3a) ?? value.count
            guard let user = Self.number(value[..<colon]) else { return false }
            self.user = user
            group = user
            guard colon < value.count else { return true }
            guard let group = Self.number(value[(colon + 1)...]) else { return false }
            self.group = group
            return true
        }

        private static func number(_ digits: ArraySlice<UInt8>) -> UInt32? {
            guard !digits.isEmpty, digits.count <= 10 else { return nil }
            var value: UInt64 = 0
            for digit in digits {
                guard digit >= 0x30, digit <= 0x39 else { return nil }
                value = value * 10 + UInt64(digit - 0x30)
            }
            return UInt32(exactly: value)
        }
    }
#endif

#if hasFeature(Embedded)
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

        /// nil: a variable that cannot be understood; its name was printed.
        init?() {
            for argument in Instance.arguments { arguments.append(Array(argument.utf8)) }
            for variable in Instance.environment {
                let name = Array(variable.name.utf8), value = Array(variable.value.utf8)
                guard name.starts(with: "BRIQUE_".utf8) else {
                    environment.append(name + [0x3d] + value)
                    continue
                }
                guard take(Array(name.dropFirst(7)), value) else {
                    print("\(variable.name)=\(variable.value) cannot be understood")
                    return nil
                }
            }
            if path.isEmpty, let first = arguments.first { path = first }
        }

        private mutating func take(_ name: [UInt8], _ value: [UInt8]) -> Bool {
            if name == Array("PROGRAM".utf8) {
                path = value
            } else if name == Array("DIRECTORY".utf8) {
                directory = value
            } else if name == Array("USER".utf8) {
                return takeUser(value)
            } else if name == Array("TRACE".utf8) {
                isTraced = value == [0x31]
            } else if name == Array("STATS".utf8) {
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

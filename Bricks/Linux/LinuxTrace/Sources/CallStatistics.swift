import Bytes
import LinuxFormat
import LinuxProcess

/// How often each call was made, and for how long, waiting included (strace -c -w).
struct CallStatistics {
    private struct Row {
        let number: UInt64
        var count: UInt64 = 0
        var errorCount: UInt64 = 0
        var nanoseconds: UInt64 = 0
    }
    private var rows: [Row] = []
    /// Where the row of a number is, from 1 on; 0: there is none.
    private var places = [UInt16](repeating: 0, count: SyscallNumber.limit + 1)

    mutating func add(_ number: UInt64, isError: Bool, _ nanoseconds: UInt64) {
        // All that have no name share a row.
        let index = Int(min(number, UInt64(SyscallNumber.limit)))
        if places[index] == 0 {
            rows.append(Row(number: UInt64(index)))
            places[index] = UInt16(rows.count)
        }
        let place = Int(places[index]) - 1
        rows[place].count += 1
        if isError { rows[place].errorCount += 1 }
        rows[place].nanoseconds &+= nanoseconds
    }

    /// The longest first.
    func lines() -> [[UInt8]] {
        let rule = StaticString("------ ----------- ----------- --------- --------- ----------------").bytes
        var lines = [StaticString("% time     seconds  usecs/call     calls    errors syscall").bytes, rule]
        var rest = rows
        var total = Row(number: 0)
        for row in rows {
            total.count += row.count
            total.errorCount += row.errorCount
            total.nanoseconds &+= row.nanoseconds
        }
        while !rest.isEmpty {
            var longest = 0
            for index in rest.indices where rest[index].nanoseconds > rest[longest].nanoseconds { longest = index }
            let row = rest.remove(at: longest)
            lines.append(Self.line(row, of: total, SyscallNumber(rawValue: Int(row.number)).name ?? StaticString("unknown").bytes))
        }
        lines.append(rule)
        lines.append(Self.line(total, of: total, StaticString("total").bytes))
        return lines
    }

    private static func line(_ row: Row, of total: Row, _ name: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        func add(_ text: [UInt8], _ width: Int) {
            for _ in 0..<max(0, width - text.count) { line.append(0x20) }
            line += text
        }
        let share = total.nanoseconds == 0 ? 0 : UInt64(Double(row.nanoseconds) / Double(total.nanoseconds) * 10_000 + 0.5)
        add(fraction(share, digits: 2), 6)
        add(fraction(row.nanoseconds / 1000, digits: 6), 12)
        add(decimal(row.count == 0 ? 0 : row.nanoseconds / 1000 / row.count), 12)
        add(decimal(row.count), 10)
        add(row.errorCount == 0 ? [] : decimal(row.errorCount), 10)
        return line + [0x20] + name
    }

    /// `value` over ten to the power of `digits`.
    private static func fraction(_ value: UInt64, digits: Int) -> [UInt8] {
        var text = decimal(value)
        while text.count <= digits { text.insert(0x30, at: 0) }
        text.insert(0x2e, at: text.count - digits)
        return text
    }
}

import Foundation

/// What one run of the bench found.
public struct Report: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
        public var key: String
        public var title: String
        public var runs: Int
        public var firstOutput: Spread
        public var exit: Spread
        /// The median over the reference's: fork+exec of the static ELF is 1.
        public var ratio: Double?
    }

    public struct Spread: Encodable, Sendable {
        public var median: Double
        public var minimum: Double
        public var maximum: Double

        init?(_ series: Series) {
            guard let median = series.median, let minimum = series.minimum, let maximum = series.maximum else { return nil }
            (self.median, self.minimum, self.maximum) = (median, minimum, maximum)
        }
    }

    public struct Figure: Encodable, Sendable {
        public var key: String
        public var title: String
        public var value: Double
        public var unit: String
    }

    public struct Target: Encodable, Sendable {
        public var title: String
        public var limit: String
        public var measured: String
        /// Nil: it could not be measured here.
        public var isReached: Bool?
    }

    public var machine: String
    public var load: String
    public var rounds: Int
    public var rows: [Row] = []
    /// What could not take part, and why.
    public var absent: [String: String] = [:]
    public var figures: [Figure] = []
    public var targets: [Target] = []

    public func row(_ key: String) -> Row? { rows.first { $0.key == key } }
    public func figure(_ key: String) -> Double? { figures.first { $0.key == key }?.value }

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension Report {
    /// An SVG of the start table.
    public var plot: String { Plot(report: self).svg }

    public var table: String {
        var text = "\(machine)\nload before: \(load); \(rounds) rounds, interleaved"
        text += rows.isEmpty ? "; medians\n" : "; milliseconds from before fork, median [min, max]\n\n" + startTable
        for (key, reason) in absent.sorted(by: { $0.key < $1.key }) { text += "absent: \(key): \(reason)\n" }
        text += "\n"
        let figureWidth = figures.map(\.title.count).max() ?? 0
        for figure in figures { text += figure.title.padded(to: figureWidth) + "  " + Self.number(figure.value) + " " + figure.unit + "\n" }
        text += "\n"
        let targetWidth = targets.map(\.title.count).max() ?? 0
        for target in targets {
            let verdict = target.isReached.map { $0 ? "reached" : "MISSED" } ?? "not measured"
            text += target.title.padded(to: targetWidth) + "  " + target.limit.padded(to: 18) + target.measured.padded(to: 22)
            text += verdict + "\n"
        }
        return text
    }

    private var startTable: String {
        let width = rows.map(\.title.count).max() ?? 0
        var text = "".padded(to: width) + "  runs      first output               until it was gone          ratio\n"
        for row in rows {
            text += row.title.padded(to: width) + String(row.runs).leftPadded(to: 6) + "  " + Self.words(row.firstOutput).padded(to: 27)
            text += Self.words(row.exit).padded(to: 27) + (row.ratio.map { Self.number($0) } ?? "") + "\n"
        }
        return text
    }

    private static func words(_ spread: Spread) -> String {
        "\(number(spread.median)) [\(number(spread.minimum)), \(number(spread.maximum))]"
    }

    /// Three significant digits, or whole when large.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if size >= 100 || value == value.rounded() { return String(Int(value.rounded())) }
        return String(format: size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value)
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

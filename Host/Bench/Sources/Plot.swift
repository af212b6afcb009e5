import Foundation

/// The start table as a plot: a bar per contender on a logarithmic axis, a whisker from its least to its most.
struct Plot {
    let report: Report

    private static let rowHeight = 30.0
    private static let labelWidth = 400.0
    private static let plotWidth = 560.0
    private static let top = 46.0

    var svg: String {
        let rows = report.rows
        let least = rows.map(\.firstOutput.minimum).min() ?? 0.1
        let most = rows.map(\.firstOutput.maximum).max() ?? 1
        let axis = Axis(low: floor(log10(least)), high: max(ceil(log10(most)), floor(log10(least)) + 1), width: Self.plotWidth)
        let height = Self.top + Double(rows.count) * Self.rowHeight + 40
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.labelWidth + Self.plotWidth + 90))" height="\(Int(height))" \
            font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            <text x="10" y="22" font-size="15">Start to first output, milliseconds, median of \(report.rounds) rounds</text>\n
            """
        for decade in Int(axis.low)...Int(axis.high) {
            let x = Self.labelWidth + axis.place(pow(10, Double(decade)))
            text += "<line x1=\"\(x)\" y1=\"\(Self.top - 10)\" x2=\"\(x)\" y2=\"\(height - 30)\" stroke=\"#ddd\"/>\n"
            text += "<text x=\"\(x)\" y=\"\(height - 12)\" text-anchor=\"middle\">\(Self.label(decade))</text>\n"
        }
        for (index, row) in rows.enumerated() { text += bar(row, y: Self.top + Double(index) * Self.rowHeight, axis: axis) }
        return text + "</svg>\n"
    }

    private func bar(_ row: Report.Row, y: Double, axis: Axis) -> String {
        let spread = row.firstOutput
        let length = axis.place(spread.median)
        let (low, high) = (Self.labelWidth + axis.place(spread.minimum), Self.labelWidth + axis.place(spread.maximum))
        let color = row.key.hasPrefix("brique") ? "#d9682b" : "#8aa4bd"
        let middle = y + 10
        return """
            <text x="\(Self.labelWidth - 8)" y="\(y + 14)" text-anchor="end">\(Self.escaped(row.title))</text>
            <rect x="\(Self.labelWidth)" y="\(y)" width="\(length)" height="20" fill="\(color)"/>
            <line x1="\(low)" y1="\(middle)" x2="\(high)" y2="\(middle)" stroke="#333"/>
            <text x="\(high + 6)" y="\(y + 14)">\(Report.number(spread.median))</text>\n
            """
    }

    private struct Axis {
        var low: Double
        var high: Double
        var width: Double

        func place(_ value: Double) -> Double { max(0, (log10(value) - low) / (high - low) * width) }
    }

    private static func label(_ decade: Int) -> String {
        decade >= 0 ? String(Int(pow(10, Double(decade)))) : String(format: "%g", pow(10, Double(decade)))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }
}

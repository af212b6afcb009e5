import TestSupport
import Testing

/// One broken rule, as `file:line: what`.
struct Finding: CustomStringConvertible, Equatable {
    var path: String
    var line: Int?
    var text: String

    init(_ path: String, line: Int? = nil, _ text: String) {
        self.path = path
        self.line = line
        self.text = text
    }

    var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(text)" }
}

/// Records each finding as its own issue, so that one run shows them all.
func expectNone(_ findings: [Finding], location: SourceLocation = #_sourceLocation) {
    for finding in findings { Issue.record("\(finding)", sourceLocation: location) }
}

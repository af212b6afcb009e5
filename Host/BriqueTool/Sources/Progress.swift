import Foundation
import Glibc

/// Says on standard error that something takes its time: on a terminal at once, elsewhere after a while.
struct Progress {
    private let title: String
    private let start = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var hasSpoken = false
    private var detail = ""

    /// How long a work that is not watched on a terminal may stay silent.
    private static let silence = Duration.seconds(2)
    private static let detailLimit = 60

    init(_ title: String) {
        self.title = title
        show()
    }

    mutating func note(_ text: String) {
        detail = String(text.prefix(Self.detailLimit))
        show()
    }

    mutating func show() {
        let elapsed = ContinuousClock.now - start
        if isTerminal {
            StandardError.write("\r\u{1b}[K\(title) \(elapsed.components.seconds) s \(detail)")
            hasSpoken = true
        } else if !hasSpoken && elapsed > Self.silence {
            StandardError.write(title + "\n")
            hasSpoken = true
        }
    }

    /// Removes the line from a terminal.
    mutating func finish() {
        if isTerminal && hasSpoken { StandardError.write("\r\u{1b}[K") }
    }
}

enum StandardError {
    static func write(_ text: String) {
        // Nothing can be said when standard error itself is gone.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    static func line(_ text: String) { write("brique: \(text)\n") }
}

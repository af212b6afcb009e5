@testable import BriqueLinux
import Errno
import Foundation
import LinuxFormat
import LinuxProcess
import Testing

/// docs/syscalls.md as the catalogue has it.
private struct SyscallPage {
    private static let errors: [(Errno, String)] = [
        (.eperm, "EPERM"), (.eintr, "EINTR"), (.einval, "EINVAL"), (.enosys, "ENOSYS"), (.enodev, "ENODEV"), (.eopnotsupp, "EOPNOTSUPP"),
    ]

    private let rows: [Syscall]

    init() {
        let catalogue = Catalogue()
        SyscallRows.add(to: catalogue)
        rows = catalogue.rows.compactMap { $0 }
    }

    /// Numbers that have a name and no row.
    private var absent: [String] {
        let present = Set(rows.map(\.number.rawValue))
        return (0..<SyscallNumber.limit).filter { !present.contains($0) }.compactMap {
            SyscallNumber(rawValue: $0).name.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func line(_ row: Syscall) throws -> String {
        let name = String(decoding: try #require(row.number.name), as: UTF8.self)
        switch row.level {
        case .full: return "| `\(name)` | full | |"
        case .partial(let note): return "| `\(name)` | partial | \(note) |"
        case .refused(let error, let reason):
            let symbol = try #require(Self.errors.first { $0.0 == error }, "\(name): name its error here").1
            return "| `\(name)` | refused: \(symbol) | \(reason) |"
        }
    }

    func text() throws -> String {
        var counts = [0, 0, 0]
        for row in rows {
            switch row.level {
            case .full: counts[0] += 1
            case .partial: counts[1] += 1
            case .refused: counts[2] += 1
            }
        }
        var lines = [
            "# System calls of Linux programs", "Made by `./dev docs` from the rows of the catalogue.", "",
            "\(rows.count) calls: \(counts[0]) as on Linux, \(counts[1]) with a limit, "
                + "\(counts[2]) refused with the error that stands here.",
            "Any other answers ENOSYS, and is named once in the log.", "",
            "| call | support | note |", "|---|---|---|",
        ]
        lines += try rows.map(line)
        if !absent.isEmpty { lines += ["", "Without a row: " + absent.map { "`\($0)`" }.joined(separator: ", ") + "."] }
        return lines.joined(separator: "\n") + "\n"
    }
}

struct SyscallPageTests {
    private static let path = URL(filePath: #filePath).deletingLastPathComponent().path + "/../../../../docs/syscalls.md"

    @Test func `the page of system calls says what the catalogue says`() throws {
        let text = try SyscallPage().text()
        if ProcessInfo.processInfo.environment["BRIQUE_WRITE_DOCS"] != nil {
            try text.write(toFile: Self.path, atomically: true, encoding: .utf8)
        }
        let page = try? String(contentsOfFile: Self.path, encoding: .utf8)
        #expect(page == text, "docs/syscalls.md is stale: ./dev docs")
    }
}

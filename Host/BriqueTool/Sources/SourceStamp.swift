import Foundation

/// Everything an image was built from. When it has not changed, SwiftPM need not be started to know it.
struct SourceStamp: Equatable {
    /// A stamp that grows beyond this is not a source tree: it is always out of date.
    static let fileLimit = 50_000

    private let settings: [String]
    private var stamps: [FileStamp]

    /// Lists the files below `roots`; hidden ones (`.build`, `.git`) are left out.
    ///
    /// - Parameter settings: what else decides the outcome, such as the toolchain and the product's name.
    init?(roots: [String], settings: [String]) {
        var stamps: [FileStamp] = []
        for root in roots { guard Self.list(root, into: &stamps) else { return nil } }
        self.settings = settings
        self.stamps = stamps.sorted()
    }

    private static func list(_ root: String, into stamps: inout [FileStamp]) -> Bool {
        guard let status = FileStamp(path: root) else { return true }
        guard status.isFolder else {
            stamps.append(status)
            return true
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: root) else { return false }
        for name in names where !name.hasPrefix(".") {
            let path = root + "/" + name
            guard let entry = FileStamp(path: path) else { continue }
            if entry.isFolder {
                guard list(path, into: &stamps) else { return false }
            } else {
                guard stamps.count < fileLimit else { return false }
                stamps.append(entry)
            }
        }
        return true
    }

    /// The stamp of these files and those of another, as if listed together.
    func adding(_ other: SourceStamp) -> SourceStamp {
        var sum = self
        sum.stamps = (stamps + other.stamps).sorted()
        return sum
    }

    var text: String { (settings.map { "- " + $0 } + stamps.map(\.line)).joined(separator: "\n") + "\n" }
}

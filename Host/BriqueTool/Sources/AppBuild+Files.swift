import Foundation

/// Files of a build, each failure with its own words.
extension AppBuild {
    func makeFolder(_ path: String) throws(ToolFailure) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ToolFailure(.cannotWrite, "cannot make \(path): \(error.localizedDescription)")
        }
    }

    func read(_ path: String) throws(ToolFailure) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ToolFailure(.cannotOpen, "cannot read \(path): \(error.localizedDescription)")
        }
    }

    /// The file appears at once, whole.
    func write(_ data: Data, to path: String) throws(ToolFailure) {
        do {
            try data.write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ToolFailure(.cannotWrite, "cannot write \(path): \(error.localizedDescription)")
        }
    }
}

import Foundation
import Glibc
import ProgramImage

/// The second file system of an instance: what --file names.
enum ProgramFiles {
    /// Makes the file system and opens it; it has no name any more, and ends with its last descriptor. nil: there is nothing in it.
    static func layer(_ words: [String], over root: RootTree) async throws -> Int32? {
        guard !words.isEmpty else { return nil }
        do {
            let tree = RootTree()
            for word in words {
                let inclusion = Inclusion(word)
                guard let path = inclusion.path, path != "/" else { throw ToolFailure(.usage, "--file \(word): PATH:/GUESTPATH") }
                try tree.add(inclusion.place, at: path, over: root)
            }
            let environment = ProcessInfo.processInfo.environment
            let scratch = try ImageCache(environment: environment).makeScratch()
            defer { ImageCache.remove(scratch) }
            let path = scratch + "/layer"
            try await EROFSMaker(searchPath: environment["PATH"] ?? "").make(tree, scratch: scratch, target: path)
            // SAFETY: the bridge ends the path with a zero.
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw ToolFailure(.cannotOpen, "cannot read \(path)") }
            return descriptor.raised()
        } catch let failure as ProgramFailure {
            throw ToolFailure(failure)
        }
    }
}

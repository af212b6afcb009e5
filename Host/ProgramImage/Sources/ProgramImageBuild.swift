import Foundation
import SystemPackage

/// From a root to an image.
public struct ProgramImageBuild {
    public let root: ProgramRoot
    /// A Brique image that runs Linux programs.
    public let kernel: String

    public init(root: ProgramRoot, kernel: String) {
        self.root = root
        self.kernel = kernel
    }

    /// Everything that decides what the image will be.
    public func fingerprint(kernelStamp: String) throws -> String {
        let defaults = String(decoding: try root.defaults.json(), as: UTF8.self)
        return ["brique program image 2", kernelStamp, defaults, root.tree.fingerprint]
            .joined(separator: "\n")
    }

    /// - Parameter scratch: an empty folder of our own.
    public func write(to target: String, scratch: String, maker: EROFSMaker) async throws {
        let fileSystem = scratch + "/erofs"
        try await maker.make(root.tree, scratch: scratch, target: fileSystem)
        let kernel: [UInt8]
        do throws(Errno) {
            kernel = try HostFile.bytes(of: self.kernel, limit: 1 << 28)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(self.kernel): \(error)")
        }
        try ImageComposition.write(
            kernel: kernel, root: fileSystem, defaults: [UInt8](try root.defaults.json()),
            listing: [UInt8](ImageListing(root.tree).text.utf8), to: target)
    }
}

import Foundation
import Image
import SystemPackage

/// Looks addresses of an image up in the symbols beside it.
struct Backtrace {
    let image: String
    let symbols: String

    func symbolize(_ addresses: [UInt64], exactCount: Int) async throws -> [SymbolizedAddress] {
        guard FileManager.default.fileExists(atPath: symbols) else {
            throw ToolFailure(.cannotOpen, "no symbols at \(symbols)")
        }
        guard try ImageFile.open(symbols).isSameProgram(as: try ImageFile.open(image)) else {
            throw ToolFailure(.imageRefused, "\(symbols) belongs to another build than \(image)")
        }
        let toolchain = try Toolchain.current()
        let symbolizer = Symbolizer(
            symbolizerPath: FilePath(try toolchain.require("llvm-symbolizer")),
            demanglerPath: FilePath(try toolchain.require("swift-demangle")))
        do {
            return try await symbolizer.symbolize(addresses, in: FilePath(symbols), exactCount: exactCount)
        } catch is SymbolizerError {
            throw ToolFailure(.internalError, "llvm-symbolizer gave no answer for \(symbols)")
        }
    }
}

import TestSupport
import Testing

/// `unsafe` lives in files named `…+Unsafe.swift`, and each of those says why it is sound. Apps are free: one of them
/// has to show how it dies.
struct FenceTests {
    private static let rulesFile = "Tests/Repository/FenceTests.swift"

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, !file.path.hasPrefix("Apps/"), file.path != rulesFile else { return [] }
        if file.name.hasSuffix("+Unsafe.swift") {
            return file.text.contains(/\/\/.*SAFETY.*:/) ? [] : [Finding(file.path, "no SAFETY line")]
        }
        let words = /\b(unsafe|Unsafe[A-Z]\w*|unsafe[A-Z]\w*|withUnsafe\w*|Unmanaged|OpaquePointer)\b/.wordBoundaryKind(.simple)
        return SwiftCode(file.text).lines.enumerated().compactMap { index, line in
            line.firstMatch(of: words).map { Finding(file.path, line: index + 1, "\($0.output.0) outside a +Unsafe.swift file") }
        }
    }

    @Test func `unsafe code is behind the fence`() throws {
        expectNone(try Repository.files().flatMap(Self.findings))
    }

    @Test(arguments: ["let p = unsafe q", "func f(_: UnsafeRawPointer)", "x.withUnsafeBytes { _ in }", "unsafeBitCast(1, to: T.self)"])
    func `a file outside the fence is found`(code: String) {
        #expect(Self.findings(in: SourceFile(path: "Bricks/A/A.swift", text: code)).count == 1)
    }

    @Test func `a fence without a reason is found`() {
        #expect(Self.findings(in: SourceFile(path: "A+Unsafe.swift", text: "unsafe f()")).count == 1)
        #expect(Self.findings(in: SourceFile(path: "A+Unsafe.swift", text: "// SAFETY: it is ours.\nunsafe f()")).isEmpty)
    }

    @Test func `words in comments, strings and quoted names are not code`() {
        let text = "// unsafe\n/* unsafe */ let a = \"unsafe \\(b)\"\nfunc `unsafe code`() {}"
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: text)).isEmpty)
    }

    @Test func `code inside a string's interpolation is code`() {
        #expect(Self.findings(in: SourceFile(path: "A.swift", text: #"let a = "x \(unsafe "b")""#)).count == 1)
    }
}

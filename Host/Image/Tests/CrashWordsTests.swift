import BootFormat
import Testing

@testable import Image

private let area: UInt64 = 0x2000_0010_5000
private let words = CrashWords(machineArea: area)

private func crash(_ fields: String) throws -> CrashRecord {
    guard case .crash(let record) = try MonitorRecord(parsing: "crash " + fields) else { throw RecordError.unknownRecord }
    return record
}

private func line(_ fields: String, _ functions: [String] = []) throws -> String {
    let frames = functions.map { SourceFrame(function: $0, file: "/app/Sources/A.swift", line: 3) }
    return words.line(for: try crash(fields), trace: [SymbolizedAddress(address: 1, frames: frames)])
}

@Test func `a trap is told with the compiler's reason`() throws {
    let functions = ["Swift runtime failure: Index out of range", "f()"]
    #expect(try line("kind=exception vector=6 rip=0x10", functions) == "Swift runtime failure: Index out of range")
}

@Test func `a trap without debug information is told as one`() throws {
    #expect(try line("kind=exception vector=6 rip=0x10").hasPrefix("trap: illegal instruction at 0x10"))
}

@Test(arguments: [
    (UInt64(BRIQUE_AREA_STACK_GUARD), "main"), (UInt64(BRIQUE_AREA_STACK_GUARD) + 0xfff, "main"),
    (UInt64(BRIQUE_AREA_EXCEPTION_GUARD), "exception"),
])
func `a fault in a guard page is a stack overflow`(offset: UInt64, stack: String) throws {
    let address = "0x" + String(area + offset, radix: 16)
    #expect(try line("kind=exception vector=14 error=0x6 address=\(address) rip=0x10") == "stack overflow of the \(stack) stack")
}

@Test func `a page fault tells address and access`() throws {
    let read = try line("kind=exception vector=14 error=0x4 address=0x12345678 rip=0x10 rsp=0x200000120000")
    #expect(read == "page fault: read at address 0x12345678, nothing is mapped there")
    let write = try line("kind=exception vector=14 error=0x7 address=0x200000101180 rip=0x10 rsp=0x1")
    #expect(write == "page fault: write at address 0x200000101180, not permitted there")
    let fetch = try line("kind=exception vector=14 error=0x15 address=0x200000101180 rip=0x10 rsp=0x1")
    #expect(fetch == "page fault: execution at address 0x200000101180, not permitted there")
    #expect(try line("kind=exception vector=14 error=0x4 address=0x8 rip=0x10 rsp=0x200000120000").hasSuffix("(a nil pointer)"))
}

@Test func `a fault beside the stack pointer is called a probable stack overflow`() throws {
    let near = try line("kind=exception vector=14 error=0x6 address=0x30000ff8 rip=0x10 rsp=0x30001000")
    #expect(near.contains("probably a stack overflow"))
    let far = try line("kind=exception vector=14 error=0x6 address=0x2fff0000 rip=0x10 rsp=0x30001000")
    #expect(!far.contains("stack overflow"))
}

@Test func `each way to die has its words`() throws {
    #expect(try line("kind=panic message=broken%20promise") == "panic: broken promise")
    #expect(try line("kind=out-of-memory").hasPrefix("out of memory"))
    #expect(try line("kind=interrupted rip=0x10", ["hang()"]) == "interrupted in hang()")
    #expect(try line("kind=exception vector=0 rip=0x10") == "division error at 0x10")
    #expect(try line("kind=exception vector=13 rip=0x10").hasPrefix("general protection fault at 0x10"))
    #expect(try line("kind=exception vector=29 rip=0x10") == "processor exception 29 at 0x10")
}

@Test func `a backtrace numbers frames and shortens paths below the directory`() {
    let frames = [
        SourceFrame(function: "inner()", file: "<compiler-generated>", line: 0),
        SourceFrame(function: "outer()", file: "/app/Sources/A.swift", line: 3),
    ]
    let trace = [SymbolizedAddress(address: 0x10, frames: frames), SymbolizedAddress(address: 0x20, frames: [])]
    #expect(
        CrashWords.backtrace(trace, base: "/app") == [
            "   0  0x10  inner() [inlined]", "            outer() at Sources/A.swift:3", "   1  0x20  ?",
        ])
}

@Test func `equal frames in a row are counted`() {
    let entry = SymbolizedAddress(address: 0x10, frames: [])
    let last = SymbolizedAddress(address: 0x20, frames: [])
    let lines = CrashWords.backtrace(Array(repeating: entry, count: 60) + [last], base: "/")
    #expect(lines == ["   0  0x10  ?", "   1  0x10  ?", "   2  0x10  ?", "      … 57 more of the same", "  60  0x20  ?"])
}

@Test func `the symbolizer's answers are read and made printable`() throws {
    let text = #"""
        [{"Address":"0x1","Symbol":[{"FunctionName":"f\u001b","FileName":"/a.swift","Line":7},{"FunctionName":"","FileName":"","Line":0}]},
         {"Address":"0x2"}]
        """#
    let frames = try Symbolizer.frames(inJSON: text)
    #expect(frames == [[SourceFrame(function: "f\u{fffd}", file: "/a.swift", line: 7)], []])
    #expect(throws: (any Error).self) { try Symbolizer.frames(inJSON: "{}") }
}

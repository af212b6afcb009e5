import Testing

@testable import Console

private func lines(of pieces: [String]) -> [String] {
    var buffer = LineBuffer()
    var lines: [String] = []
    for piece in pieces {
        buffer.append(Array(piece.utf8))
        while let line = buffer.removeLine() { lines.append(line) }
    }
    if let rest = buffer.removeRest() { lines.append(rest) }
    return lines
}

@Test func `lines come out as they went in, however they are cut`() {
    let text = "one\n\ntwo words\nünïcödé\nlast"
    let expected = ["one", "", "two words", "ünïcödé", "last"]
    #expect(lines(of: [text]) == expected)
    for cut in 1..<text.unicodeScalars.count {
        let scalars = Array(text.unicodeScalars)
        let pieces = [scalars[..<cut], scalars[cut...]].map { piece in String(String.UnicodeScalarView(piece)) }
        #expect(lines(of: pieces) == expected)
    }
}

@Test func `a last newline makes no empty line`() {
    #expect(lines(of: ["a\n"]) == ["a"])
    #expect(lines(of: []) == [])
}

@Test func `a line longer than the bound comes in pieces`() {
    let long = String(repeating: "x", count: Console.longestLine + 10)
    #expect(lines(of: [long + "\nshort\n"]) == [String(repeating: "x", count: Console.longestLine), "xxxxxxxxxx", "short"])
}

@Test func `the end of input is remembered`() {
    var buffer = LineBuffer()
    buffer.append(Array("tail".utf8))
    #expect(!buffer.isAtEnd)
    buffer.append([])
    #expect(buffer.isAtEnd && buffer.removeRest() == "tail" && buffer.removeRest() == nil)
}

@Test func `bytes that are no text become replacement characters`() {
    var buffer = LineBuffer()
    buffer.append([0xff, 0x41, 0x0a])
    #expect(buffer.removeLine() == "\u{fffd}A")
}

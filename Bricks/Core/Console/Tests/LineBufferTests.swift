import Testing

@testable import Console

struct LineBufferTests {
    @Test func `a line that comes in pieces is one line`() {
        var buffer = LineBuffer()
        buffer.append(Array("on".utf8))
        #expect(buffer.removeLine() == nil)
        buffer.append(Array("e\ntwo\nth".utf8))
        #expect(buffer.removeLine() == "one")
        #expect(buffer.removeLine() == "two")
        #expect(buffer.removeLine() == nil)
        #expect(buffer.removeRest() == "th")
        #expect(buffer.removeRest() == nil)
    }

    @Test func `an empty line is a line, no bytes are the end`() {
        var buffer = LineBuffer()
        buffer.append([UInt8(ascii: "\n")])
        #expect(buffer.removeLine() == "")
        #expect(!buffer.isAtEnd)
        buffer.append([])
        #expect(buffer.isAtEnd)
    }

    @Test func `a line without end is cut at the longest line`() {
        var buffer = LineBuffer()
        buffer.append([UInt8](repeating: UInt8(ascii: "a"), count: Console.longestLine + 3))
        #expect(buffer.removeLine()?.utf8.count == Console.longestLine)
        #expect(buffer.removeLine() == nil)
        #expect(buffer.removeRest() == "aaa")
    }
}

import Testing

@testable import Image

private let header = "             VMA              LMA     Size Align Out     In      Symbol\n"
private let map =
    header + """
                   0                0        0     1 \n\
                   0                0        0     1 VIRTUAL_BASE = 0x200000000000
        200000100120           100120       3c     4 .note
        200000100120           100120       3c     4         /a/release/MachineX86_64.build/entry.S.o:(.note.brique)
        200000100160           100160       14    16 .rodata
        200000100160           100160       12    16         <internal>:(.rodata.str1.16)
        200000101180           101180      80c    16 .text
        200000101180           101180        6     1         /a b/.build-brique/release/Brique.build/Brique.swift.o:(.text.f)
        200000101180           101180        6     1                 f
        200000101186           101186      100     1         /usr/lib/libswift_Concurrency.a(Actor.cpp.o):(.text.g)
        200000102990           102990       10    16 .bss
        200000102990           102990       10    16         /a/release/MachineX86_64.build/entry.S.o:(.bss.area)
                   0                0       93     1 .debug_info
                   0                0       93     1         /a/release/Brique.build/Brique.swift.o:(.debug_info)

        """

@Test func `bytes of a link map are summed by brick, library and linker`() throws {
    let shares = try LinkMap(parsing: map).shares
    #expect(
        shares == [
            LinkMap.Share(name: "swift_Concurrency", byteCount: 0x100, zeroByteCount: 0),
            LinkMap.Share(name: "MachineX86_64", byteCount: 0x3c, zeroByteCount: 0x10),
            LinkMap.Share(name: "linker", byteCount: 0x12, zeroByteCount: 0),
            LinkMap.Share(name: "Brique", byteCount: 6, zeroByteCount: 0),
        ])
}

@Test func `the file of an object outside a brick's folder is its owner`() {
    #expect(LinkMap.owner(ofInput: "/x/crt1.o:(.text)") == "crt1.o")
    #expect(LinkMap.owner(ofInput: ". = ALIGN(4096)") == nil)
    #expect(LinkMap.owner(ofInput: ":(.text)") == nil)
}

@Test func `what is no link map is refused`() {
    #expect(throws: LinkMapError.notALinkMap) { try LinkMap(parsing: "") }
    #expect(throws: LinkMapError.notALinkMap) { try LinkMap(parsing: "hello\n") }
    #expect(throws: LinkMapError.malformedLine) { try LinkMap(parsing: header + "1 2 zz 4 .text\n") }
    #expect(throws: LinkMapError.malformedLine) { try LinkMap(parsing: header + "1 2 3\n") }
}

@Test func `sizes that overflow a sum are refused`() {
    let line = "1 1 ffffffffffffffff 1         /x/A.build/a.o:(.text)\n"
    #expect(throws: LinkMapError.sizeOverflow) { try LinkMap(parsing: header + "1 1 1 1 .text\n" + line + line) }
}

@Test func `no damaged link map makes the parser trap`() {
    var random = SeededGenerator(seed: 0x6d61_7001)
    for _ in 0..<3000 {
        let text = random.damaged(map)
        _ = try? LinkMap(parsing: text)
    }
}

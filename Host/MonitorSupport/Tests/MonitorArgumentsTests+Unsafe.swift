@testable import MonitorSupport
import Testing

private func descriptors(_ text: String) throws(Refusal) -> MonitorArguments.Descriptors {
    let words = text.utf8CString
    // SAFETY: the array of a string's C characters ends with a zero, and outlives the call.
    return try unsafe words.withUnsafeBufferPointer { (buffer) throws(Refusal) in
        try unsafe MonitorArguments.descriptors(buffer.baseAddress!)
    }
}

private func links(_ text: String) throws(Refusal) -> (control: FileDescriptor?, links: [HostLink]) {
    let found = try descriptors(text)
    return (found.control, (0..<found.links.count).map { found.links[$0] })
}

@Test func `the layer is a descriptor in the same word`() throws {
    #expect(try descriptors("-").layer == nil)
    #expect(try descriptors("-,layer:4").layer == FileDescriptor(4))
    let found = try descriptors("3,4:525400abcdef:1500:31,layer:5,6:525400abcdef:1500:31")
    #expect(found.layer == FileDescriptor(5))
    #expect(found.links.count == 2)
}

@Test func `control descriptor and links are read from one word`() throws {
    #expect(try links("-").control == nil)
    #expect(try links("3").control == FileDescriptor(3))
    let (control, found) = try links("3,4:525400AbCdEf:1500:31,9:000000000001:65535:0")
    #expect(control == FileDescriptor(3))
    #expect(
        found == [
            HostLink(descriptor: FileDescriptor(4), address: 0x5254_00ab_cdef, maximumTransmissionUnit: 1500, offloads: 31),
            HostLink(descriptor: FileDescriptor(9), address: 1, maximumTransmissionUnit: 65535, offloads: 0),
        ])
    #expect(try links("-,4:525400abcdef:68:1").links.count == 1)
}

@Test func `a word that is no descriptor and no links is refused`() {
    let link = "4:525400abcdef:1500:31"
    for wrong in [
        "", "x", "3x", "--", "3,", "3,,", "3,4", "3,4:525400abcdef", "3,4:525400abcdef:1500", "3,4:525400abcdef:1500:32",
        "3,4:525400abcde:1500:1", "3,4:525400abcdef0:1500:1", "3,4:525400abcdeg:1500:1", "3,4:525400abcdef:67:1",
        "3,4:525400abcdef:65536:1", "3,4294967296:525400abcdef:1500:1", "2147483648", "3,2:525400abcdef:1500:1", "4,\(link)",
        "3,\(link),", "3,\(link)x", "3" + (4..<9).map { ",\($0):525400abcdef:1500:31" }.joined(), "-3", "99999999999999999999",
        "3,layer:", "3,layer", "3,layer:3", "3,layer:2", "3,layer:4,layer:5", "3,layer:4,\(link)", "3,\(link),layer:4", "3,layer:4x",
        "3,\(link),\(link)",
    ] {
        #expect(throws: Refusal.self, "\(wrong)") { try links(wrong) }
    }
}

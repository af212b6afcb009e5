import Foundation
import Testing

@testable import BriqueTool

/// Two files and one hidden one.
private func sources() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("a", to: "A.swift")
    try folder.write("b", to: "Sub/B.swift")
    try folder.write("x", to: ".build/cache")
    return folder
}

private func stamp(_ folder: borrowing TemporaryFolder, settings: [String] = ["s"]) -> SourceStamp? {
    SourceStamp(roots: [folder.path], settings: settings)
}

@Test func `unchanged sources have the same stamp`() throws {
    let folder = try sources()
    let first = stamp(folder)
    try folder.write("other", to: ".build/cache")
    #expect(first != nil && stamp(folder) == first)
}

@Test func `a change of size is noticed`() throws {
    let folder = try sources()
    let first = stamp(folder)
    let date = try FileManager.default.attributesOfItem(atPath: folder.path + "/A.swift")[.modificationDate] as? Date
    try folder.write("longer", to: "A.swift")
    try FileManager.default.setAttributes([.modificationDate: try #require(date)], ofItemAtPath: folder.path + "/A.swift")
    #expect(stamp(folder) != first)
}

@Test func `a change of the modification time is noticed`() throws {
    let folder = try sources()
    let first = stamp(folder)
    try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: folder.path + "/Sub/B.swift")
    #expect(stamp(folder) != first)
}

@Test func `a new, a removed and a renamed file are noticed`() throws {
    let folder = try sources()
    let first = stamp(folder)
    try folder.write("c", to: "Sub/C.swift")
    let second = stamp(folder)
    #expect(second != first)
    try FileManager.default.removeItem(atPath: folder.path + "/A.swift")
    let third = stamp(folder)
    #expect(third != second)
    try FileManager.default.moveItem(atPath: folder.path + "/Sub/C.swift", toPath: folder.path + "/Sub/D.swift")
    #expect(stamp(folder) != third)
}

@Test func `other settings make another stamp`() throws {
    let folder = try sources()
    #expect(stamp(folder, settings: ["swift 1"]) != stamp(folder, settings: ["swift 2"]))
}

@Test func `a link to a parent folder is not walked`() throws {
    let folder = try sources()
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/Sub/loop", withDestinationPath: folder.path)
    #expect(stamp(folder) != nil)
}

@Test func `a root that is missing adds nothing and its appearance is noticed`() throws {
    let folder = try sources()
    let roots = [folder.path, folder.path + "/.hidden"]
    let first = SourceStamp(roots: roots, settings: [])
    try folder.write("now", to: ".hidden")
    #expect(first != nil && SourceStamp(roots: roots, settings: []) != first)
}

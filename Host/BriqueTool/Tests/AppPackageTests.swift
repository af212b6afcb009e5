import Foundation
import Testing

@testable import BriqueTool

private func package(_ products: String, _ targets: String) throws -> AppPackage {
    let json = """
        {"name": "p", "products": [\(products)], "targets": [\(targets)], "toolsVersion": {"_version": "6.2.0"},
         "dependencies": [{"fileSystem": [{"identity": "brique", "path": "/b"}]}, {"sourceControl": [{"identity": "x"}]}]}
        """
    return try AppPackage(json: Data(json.utf8))
}

@Test func `an executable target is a product`() throws {
    let one = try package(#"{"name": "L", "type": {"library": ["automatic"]}}"#, #"{"name": "a", "type": "executable"}"#)
    #expect(one.executables == ["a"] && one.localDependencies == ["/b"])
    #expect(try one.product(named: nil) == "a")
    #expect(try one.product(named: "a") == "a")
}

@Test func `several executables need a choice`() throws {
    let two = try package(
        #"{"name": "x", "type": {"executable": null}}"#,
        #"{"name": "a", "type": "executable"}, {"name": "x", "type": "executable"}, {"name": "t", "type": "test"}"#)
    #expect(two.executables == ["x", "a"])
    #expect(throws: ToolFailure(.usage, "choose one with --product: x, a")) { try two.product(named: nil) }
    #expect(try two.product(named: "x") == "x")
    #expect(throws: ToolFailure.self) { try two.product(named: "t") }
}

@Test func `a package without an executable is refused`() throws {
    let none = try package("", #"{"name": "L", "type": "regular"}"#)
    #expect(throws: ToolFailure(.cannotOpen, "package p has no executable target")) { try none.product(named: nil) }
}

@Test func `a manifest that is no JSON is an internal error`() {
    #expect(throws: ToolFailure.self) { try AppPackage(json: Data("{".utf8)) }
}

@Test func `placeholders of a toolset are filled in every string`() throws {
    let template = Data(#"{"a": ["-T", "{{S}}", "-Map={{M}}"], "b": {"c": "{{S}}{{S}}"}, "n": 1}"#.utf8)
    let filled = try Toolset.fill(template: template, with: ["S": "/a \"b\"/s", "M": "/m"])
    let object = try #require(try JSONSerialization.jsonObject(with: filled) as? [String: Any])
    #expect(object["a"] as? [String] == ["-T", "/a \"b\"/s", "-Map=/m"])
    #expect((object["b"] as? [String: String])?["c"] == "/a \"b\"/s/a \"b\"/s")
    #expect(throws: ToolFailure.self) { try Toolset.fill(template: Data("x".utf8), with: [:]) }
}

@Test func `the log of a build keeps errors and shows steps`() {
    var log = BuildLog()
    #expect(log.add("[3/10] Compiling X") == "[3/10] Compiling X")
    #expect(log.add("Building for production...") == nil)
    #expect(log.add("/a.swift:1:1: error: no") == nil)
    #expect(log.add("[x] not a step") == nil)
    #expect(log.text == "/a.swift:1:1: error: no\n[x] not a step\n")
    for _ in 0..<3000 { _ = log.add(String(repeating: "x", count: 1000)) }
    #expect(log.text.utf8.count <= BuildLog.byteLimit)
}

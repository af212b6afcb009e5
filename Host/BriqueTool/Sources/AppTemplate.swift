import Foundation

/// The files of a new app package.
struct AppTemplate {
    let name: String
    /// Where the Brique package is when `BRIQUE_PACKAGE` does not say.
    let package: String

    static let nameByteLimit = 64

    /// - Throws: when the name is not one that a Swift module, a file and an image can all have.
    init(name: String, package: String) throws(ToolFailure) {
        let isWord = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard isWord, let first = name.first, first.isLetter, name.utf8.count <= Self.nameByteLimit else {
            throw ToolFailure(.usage, "\(name): a name begins with a letter and has at most 64 letters, digits, - and _")
        }
        guard !Self.reserved.contains(name), !Self.bricks(of: package).contains(name) else {
            throw ToolFailure(.usage, "\(name) is a word of Swift's or the name of a brick: choose another")
        }
        self.name = name
        self.package = package
    }

    /// Words that no module can have as its name, of The Swift Programming Language, "Keywords and Punctuation".
    private static let reserved: Set<String> = [
        "Any", "Self", "Swift", "Testing", "_", "actor", "as", "associatedtype", "borrowing", "brique", "break", "case", "catch",
        "class", "consuming", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false",
        "fileprivate", "for", "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator",
        "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "self", "static", "struct",
        "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]

    private static func bricks(of package: String) -> Set<String> {
        let files = FileManager.default
        let layers = (try? files.contentsOfDirectory(atPath: package + "/Bricks")) ?? []
        return Set(layers.flatMap { (try? files.contentsOfDirectory(atPath: "\(package)/Bricks/\($0)")) ?? [] })
    }

    private var module: String { name.replacing("-", with: "_") }

    /// A Swift string literal of a path.
    private static func literal(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// Paths below the package, and their text.
    var files: [(path: String, text: String)] {
        [
            ("Package.swift", manifest), ("Sources/\(name)/App.swift", app), ("Tests/\(name)Tests/GreetingTests.swift", tests),
            ("README.md", readme), (".gitignore", ".build*\n"),
        ]
    }

    private var manifest: String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        let brique = Context.environment["BRIQUE_PACKAGE"] ?? \(Self.literal(package))

        let package = Package(
            name: "\(name)",
            dependencies: [.package(name: "brique", path: brique)],
            targets: [
                .executableTarget(name: "\(name)", dependencies: [.product(name: "Brique", package: "brique")]),
                .testTarget(name: "\(name)Tests", dependencies: ["\(name)"]),
            ],
            swiftLanguageModes: [.v6]
        )

        """
    }

    private var app: String {
        """
        import Brique

        @main struct App {
            static func main() async {
                print(greeting(for: Instance.arguments.first ?? "world"))
            }
        }

        func greeting(for name: String) -> String { "Hello, \\(name), from \(name)" }

        """
    }

    private var tests: String {
        """
        import Testing

        @testable import \(module)

        @Test func `the greeting names who is greeted`() {
            #expect(greeting(for: "Ada") == "Hello, Ada, from \(name)")
        }

        """
    }

    private var readme: String {
        """
        # \(name)
        A Swift app that runs as a unikernel.

            brique run            # builds it and runs it as an isolated instance
            brique run . -- Ada   # with an argument
            swift test            # runs its tests as an ordinary program

        The app is `Sources/\(name)/App.swift`. `brique inspect` shows what is in its image.

        """
    }
}

// swift-tools-version: 6.2
import PackageDescription

// A server as one writes it for Linux: no part of it knows Brique. Tests run it in an instance.

let package = Package(
    name: "Server",
    platforms: [.macOS(.v14)],
    dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0")],
    targets: [.executableTarget(name: "Server", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])]
)

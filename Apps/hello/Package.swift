// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hello",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "hello", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

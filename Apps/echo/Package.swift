// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "echo",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "echo", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

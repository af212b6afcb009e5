// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "memory",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "memory", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

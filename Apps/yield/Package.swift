// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "yield",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "yield", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

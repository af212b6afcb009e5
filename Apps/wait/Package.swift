// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "wait",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "wait", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "crash",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "crash", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "tasks",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "tasks", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hostile",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [.executableTarget(name: "hostile", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

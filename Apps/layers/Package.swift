// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "layers",
    dependencies: [.package(name: "brique", path: "../..", traits: ["Layers"])],
    targets: [.executableTarget(name: "layers", dependencies: [.product(name: "Brique", package: "brique")], path: "Sources")]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "linux",
    dependencies: [.package(name: "brique", path: "../..", traits: ["Layers"])],
    targets: [
        .executableTarget(
            name: "linux",
            dependencies: [.product(name: "Brique", package: "brique"), .product(name: "BriqueLinux", package: "brique")],
            path: "Sources", swiftSettings: [.strictMemorySafety()])
    ]
)

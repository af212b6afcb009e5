// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "bulk",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [
        .executableTarget(
            name: "bulk",
            dependencies: [.product(name: "Brique", package: "brique"), .product(name: "BriqueNetwork", package: "brique")],
            path: "Sources")
    ],
    swiftLanguageModes: [.v6]
)

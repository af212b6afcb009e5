// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "fetch",
    dependencies: [.package(name: "brique", path: "../..", traits: ["HTTP"])],
    targets: [
        .executableTarget(
            name: "fetch",
            dependencies: [
                .product(name: "Brique", package: "brique"), .product(name: "BriqueNetwork", package: "brique"),
                .product(name: "HTTP", package: "brique"),
            ],
            path: "Sources")
    ],
    swiftLanguageModes: [.v6]
)

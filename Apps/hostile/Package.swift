// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hostile",
    dependencies: [.package(name: "brique", path: "../..")],
    targets: [
        .target(name: "SystemCall", path: "SystemCall"),
        .executableTarget(
            name: "hostile", dependencies: ["SystemCall", .product(name: "Brique", package: "brique")], path: "Sources"),
    ]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "web",
    dependencies: [.package(name: "brique", path: "../..", traits: ["HTTP"])],
    targets: [
        // The site: every file of Files/www that Files.c names becomes a part of the image.
        .target(name: "Files", path: "Files", exclude: ["www"]),
        .executableTarget(
            name: "web",
            dependencies: [
                "Files", .product(name: "Brique", package: "brique"), .product(name: "BriqueNetwork", package: "brique"),
                .product(name: "HTTP", package: "brique"),
            ],
            path: "Sources", swiftSettings: [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)

import Foundation
import Hummingbird

/// Ordinary Swift: SwiftNIO, Foundation, tasks.
@main struct Server {
    struct Sum: ResponseEncodable { var sum: Int }

    static func main() async throws {
        let router = Router()
        router.get("/") { _, _ in "hello from Swift\n" }
        router.post("/sum") { request, context in
            Sum(sum: try await request.decode(as: [Int].self, context: context).reduce(0, +))
        }
        router.get("/date") { _, _ in Date(timeIntervalSince1970: 0).formatted(.iso8601) + "\n" }
        let app = Application(router: router, configuration: .init(address: .hostname("0.0.0.0", port: 8080)))
        try await app.runService()
    }
}

import Brique
import BriqueNetwork
import HTTP

/// A web server: files of the image, JSON, a streamed answer, an upload, and metrics.
///
/// Arguments: the port, 80 unless given.
@main struct Web {
    static func main() async {
        var port: UInt16 = 80
        if let argument = Instance.arguments.first {
            guard let number = UInt16(argument), number > 0 else {
                print("web: \(argument) is no port")
                Instance.exit(64)
            }
            port = number
        }
        do throws(NetworkError) {
            let server = HTTPServer(try TCPListener(port: port))
            let site = Site(counts: { server.counts })
            print("web: listening on port \(port)")
            try await server.run { (request, response) throws(HTTPServerError) in try await site.answer(request, response) }
        } catch {
            print("web: cannot listen on port \(port)")
            Instance.exit(74)
        }
    }
}

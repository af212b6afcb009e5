import Brique
import BriqueNetwork
import HTTP

/// Prints what is behind an address: `fetch [-i] http://name/path`; with -i its status and fields first.
@main struct Fetch {
    static func main() async {
        var arguments = Instance.arguments
        let showsHead = arguments.first == "-i"
        if showsHead { arguments.removeFirst() }
        guard let url = arguments.first, arguments.count == 1 else {
            print("usage: fetch [-i] http://name[:port]/path")
            Instance.exit(64)
        }
        do throws(HTTPClientError) {
            let answer = try await HTTPClient(NameService.shared).get(url)
            if showsHead { show(answer.response) }
            while try await answer.readBody({ part in try? Console.write(part) }) {}
            if answer.status.kind != .successful { Instance.exit(22) }
        } catch {
            let (words, status) = explanation(of: error)
            print("fetch: \(url): \(words)")
            Instance.exit(status)
        }
    }

    private static func show(_ response: HTTPResponse) {
        print("HTTP/1.1 \(response.status.code) \(response.status.reasonPhrase)")
        for field in response.headerFields { print("\(field.name.rawName): \(field.value)") }
        print("")
    }

    /// Words, and an exit status of sysexits.h.
    private static func explanation(of error: HTTPClientError) -> (words: StaticString, status: Int32) {
        switch error {
        case .badURL: ("that is no address of the form http://name[:port]/path", 64)
        case .unsupportedScheme: ("only http is spoken here", 64)
        case .network(let error): explanation(of: error)
        case .message(.truncated): ("the answer ended too early", 76)
        case .message: ("what came is no answer of HTTP/1.1", 76)
        case .bodyTooLarge: ("the answer is too large", 76)
        case .upgraded: ("the server wants to speak another protocol", 76)
        }
    }

    private static func explanation(of error: NetworkError) -> (words: StaticString, status: Int32) {
        switch error {
        case .noSuchName: ("there is no host of that name", 68)
        case .invalidName: ("that is no name of a host", 64)
        case .resolverFailed: ("no name server answered", 75)
        case .refused: ("connection refused", 69)
        case .reset: ("the connection was reset", 69)
        case .timedOut: ("no answer in time", 75)
        case .unreachable, .addressNotAvailable: ("there is no way to that host", 69)
        case .noNetwork: ("this instance has no network", 69)
        case .cancelled, .closed, .addressInUse, .tooManyConnections, .tooLong, .busy: ("the connection failed", 71)
        }
    }
}

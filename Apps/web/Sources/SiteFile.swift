import HTTP

/// A file of the site.
struct SiteFile: Sendable {
    let path: String
    let type: String
    /// Where it is in the image.
    let bytes: ImageBytes
    /// A hash of the bytes, in quotes: the same for the same file in every instance of the image.
    let entityTag: String

    init(path: String, type: String, bytes: ImageBytes) {
        self.path = path
        self.type = type
        self.bytes = bytes
        entityTag = "\"" + String(bytes.hash, radix: 16) + "\""
    }

    static func named(_ request: HTTPServerRequest) -> SiteFile? {
        for file in all where request.isPath(file.path) { return file }
        return nil
    }

    /// All of it, the range that was asked for, or that nothing has changed.
    func send(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws(HTTPServerError) {
        let asked = request.head.section
        if asked.matchesEntityTag(entityTag) { return try await send(304, 0..<0, nil, response) }
        switch HTTPByteRange(asked, byteCount: bytes.byteCount) {
        case .part(let range) where asked.index(of: "if-range") == nil || asked.hasValue(of: "if-range", equalTo: entityTag):
            try await send(206, range, "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.byteCount)", response)
        case .whole, .part: try await send(200, 0..<bytes.byteCount, nil, response)
        case .unsatisfiable: try await send(416, 0..<0, "bytes */\(bytes.byteCount)", response)
        }
    }

    private func send(
        _ status: Int, _ range: Range<Int>, _ contentRange: String?, _ response: HTTPServerResponse
    ) async throws(HTTPServerError) {
        try response.begin(status: status, byteCount: range.count) { (head) throws(HTTPFormatError) in
            try head.field("Content-Type", type)
            try head.field("ETag", entityTag)
            try head.field("Cache-Control", "max-age=60")
            try head.field("Accept-Ranges", "bytes")
            if let contentRange { try head.field("Content-Range", contentRange) }
        }
        try await response.write(bytes.span.extracting(range))
        try response.end()
    }
}

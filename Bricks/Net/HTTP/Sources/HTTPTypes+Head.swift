@_exported import HTTPFormat
@_exported import HTTPTypes

extension HTTPFields {
    /// The same fields as strings. Names were checked when they were parsed.
    public init(_ section: borrowing HTTPFieldSection) {
        self.init()
        reserveCapacity(section.count)
        for index in 0..<section.count {
            guard let name = HTTPField.Name(section.text(section.nameRange(at: index))) else { continue }
            append(HTTPField(name: name, value: section.bytes[section.valueRange(at: index)]))
        }
    }
}

extension HTTPRequest {
    /// The head as a value. The path has the query; Host becomes the authority.
    public init(_ head: borrowing HTTPRequestHead) {
        let query = head.query
        self.init(
            method: Method(head.method) ?? .get, scheme: "http", authority: head.section.value(of: "host"),
            path: query.utf8.isEmpty ? head.path : head.path + "?" + query, headerFields: HTTPFields(head.section))
    }
}

extension HTTPResponse {
    public init(_ head: borrowing HTTPResponseHead) {
        let status = Status(code: head.status, reasonPhrase: head.section.text(head.reasonRange))
        self.init(status: status, headerFields: HTTPFields(head.section))
    }
}

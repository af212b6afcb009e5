/// Streams that are as they should be; each line ends with CR LF.
enum Samples {
    static let requests: [[UInt8]] = [
        "GET / HTTP/1.1\nHost: a\n\n",
        "\n\nGET /x?y=1&z HTTP/1.1\nhost:a:8080\nAccept: text/html;q=0.8, */*\nEmpty:\nBlank: \t \n\n",
        "GET / HTTP/1.0\n\n",
        "GET /%20a HTTP/1.0\nConnection: Keep-Alive\n\n",
        "GET / HTTP/1.1\nHost: a\nConnection: upgrade , CLOSE\n\n",
        "POST /form HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello",
        "PUT /up HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\nExpect: 100-continue\n\n5\nhello\nA;name=\"v\"\n0123456789\n0\n\n",
        "PUT /up HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: Sum\n\n0001\nx\n00;last\nSum: 17\nOther: b\n\n",
        "OPTIONS * HTTP/1.1\nHost: a\n\n",
        "GET http://example.org:80/p?q HTTP/1.1\nHost: example.org:80\n\n",
        "GET http://[::1] HTTP/1.1\nHost: [::1]\n\n",
        "CONNECT example.org:443 HTTP/1.1\nHost: example.org\n\n",
        "GET /1 HTTP/1.1\nHost: a\n\nPOST /2 HTTP/1.1\nHost: a\nContent-Length: 3\n\nabcGET /3 HTTP/1.1\nHost: a\n\n",
        "GET /obs HTTP/1.9\nHost: a\nX: caf\u{e9}\n\n",
    ].map { [UInt8](text: $0) }

    static let responses: [[UInt8]] = [
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 204 No Content\nContent-Length: 7\n\nHTTP/1.1 304\nContent-Length: 7\n\n",
        "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 \nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nT: 1\n\n",
        "HTTP/1.0 404 Not Found\nConnection: keep-alive\nContent-Length: 1\n\nx",
    ].map { [UInt8](text: $0) }
}

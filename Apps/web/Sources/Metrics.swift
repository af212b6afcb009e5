import Brique
import HTTP

extension Site {
    /// The text format of Prometheus, version 0.0.4.
    var metrics: HTTPWriter {
        let now = counts()
        var text = HTTPWriter()
        func add(_ name: String, _ type: String, _ help: String, _ value: Int) {
            for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " "] { text.append(part) }
            text.append(decimal: value)
            text.append("\n")
        }
        add("http_connections_total", "counter", "Connections accepted.", now.connections)
        add("http_connections_open", "gauge", "Connections open now.", now.openConnections)
        add("http_connections_refused_total", "counter", "Connections turned away, for there were too many.", now.refusedConnections)
        add("http_requests_total", "counter", "Requests whose head was read.", now.requests)
        add("http_requests_refused_total", "counter", "Requests that were malformed or too large.", now.refusedRequests)
        add("http_timeouts_total", "counter", "Clients that were too slow.", now.timeouts)
        add("http_received_body_bytes_total", "counter", "Bytes of requests' bodies.", now.receivedBodyBytes)
        add("http_sent_bytes_total", "counter", "Bytes sent, heads included.", now.sentBytes)
        text.append("# HELP http_responses_total Answers by class of status.\n# TYPE http_responses_total counter\n")
        for digit in 1...5 {
            text.append("http_responses_total{class=\"")
            text.append(decimal: digit)
            text.append("xx\"} ")
            text.append(decimal: now.answers[digit])
            text.append("\n")
        }
        add("memory_free_bytes", "gauge", "Memory that nothing holds.", Memory.freeByteCount)
        add("memory_total_bytes", "gauge", "The instance's memory.", Instance.memoryByteCount)
        return text
    }
}

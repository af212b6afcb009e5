import Foundation

/// The SwiftPM toolset of an image: a template of Tools/Toolchain with this app's paths filled in.
enum Toolset {
    /// Replaces `{{NAME}}` in every string of a JSON document.
    static func fill(template: Data, with values: [String: String]) throws(ToolFailure) -> Data {
        do {
            let document = try JSONSerialization.jsonObject(with: template)
            return try JSONSerialization.data(
                withJSONObject: fill(document, with: values), options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        } catch {
            throw ToolFailure(.internalError, "the toolset template is not JSON: \(error.localizedDescription)")
        }
    }

    private static func fill(_ value: Any, with values: [String: String]) -> Any {
        switch value {
        case let text as String:
            values.reduce(text) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value) }
        case let list as [Any]: list.map { fill($0, with: values) }
        case let object as [String: Any]: object.mapValues { fill($0, with: values) }
        default: value
        }
    }
}

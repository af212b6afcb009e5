import BootFormat
import CHypercalls
import Hypercalls

/// This running image: what it was started with, and its end.
public enum Instance {
    /// What the user gave after the image's name, in order; the name itself is not among them.
    public static var arguments: [String] { strings.prefix(upTo: min(argumentCount, strings.count)).map { $0 } }

    /// One variable of the environment.
    public struct Variable: Sendable {
        public let name: String
        public let value: String
    }

    /// The variables given with `-e NAME=VALUE`, in order. A name may stand twice.
    public static var environment: [Variable] {
        var variables: [Variable] = []
        for entry in strings.dropFirst(argumentCount) {
            let bytes = entry.utf8
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { continue }
            variables.append(
                Variable(
                    name: String(decoding: Array(bytes[..<equals]), as: UTF8.self),
                    value: String(decoding: Array(bytes[bytes.index(after: equals)...]), as: UTF8.self)))
        }
        return variables
    }

    /// The value of the last variable of this name, byte for byte, or nil.
    public static func environmentValue(of name: String) -> String? {
        environment.last { variable in variable.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// Ends the instance with `status`, of which the low eight bits count, after what was printed has gone out.
    public static func exit(_ status: Int32) -> Never { Hypercalls.exit(status) }

    /// Memory that the user gave this instance, in bytes. Zero in an ordinary process, which has no such bound.
    public static var memoryByteCount: Int { Int(clamping: boot.memory_bytes) }

    /// Layers that the loader mapped: number 0 is the image's root, number 1 a file system over it.
    public static var layerCount: Int { Int(BRIQUE_LAYER_COUNT) }

    /// The addresses of a layer's bytes, which are only ever read, and begin on a page; nil: there is no such layer.
    public static func layer(_ index: Int) -> Range<UInt64>? {
        let (start, end) = layerBounds(index)
        return start != 0 && start < end ? start..<end : nil
    }

    /// The monitor is this process: a hypercall is a function call.
    public static var isProcess: Bool { Int32(boot.platform) == BRIQUE_PLATFORM_PROCESS }

    /// There is no monitor of ours: the image answers its own hypercalls, and drives its own devices.
    public static var isPC: Bool { Int32(boot.platform) == BRIQUE_PLATFORM_PC }

    private static var argumentCount: Int { Int(boot.argument_count) }
}

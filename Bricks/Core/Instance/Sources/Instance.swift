import BootFormat
import CHypercalls
import Hypercalls

/// This running image: what it was started with, and its end.
public enum Instance {
    /// What the user gave after the image's name, in order; the name itself is not among them.
    public static var arguments: [String] { argumentBytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The same byte for byte, whether they are text or not.
    public static var argumentBytes: [[UInt8]] { Array(strings.prefix(argumentCount)) }

    /// One variable of the environment.
    public struct Variable: Sendable {
        public let name: String
        public let value: String
    }

    /// The variables given with `-e NAME=VALUE`, in order. A name may stand twice.
    public static var environment: [Variable] {
        var variables: [Variable] = []
        for entry in environmentBytes {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            variables.append(
                Variable(
                    name: String(decoding: entry[..<equals], as: UTF8.self),
                    value: String(decoding: entry[(equals + 1)...], as: UTF8.self)))
        }
        return variables
    }

    /// Each variable as "NAME=VALUE", byte for byte.
    public static var environmentBytes: [[UInt8]] { Array(strings.dropFirst(argumentCount)) }

    /// The value of the last variable of this name, byte for byte, or nil.
    public static func environmentValue(of name: String) -> String? {
        environment.last { variable in variable.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The same for a name that is known when the image is built.
    public static func environmentBytes(of name: StaticString) -> [UInt8]? {
        var value: [UInt8]?
        for entry in environmentBytes {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), isName(name, entry, equals) else { continue }
            value = Array(entry[(equals + 1)...])
        }
        return value
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

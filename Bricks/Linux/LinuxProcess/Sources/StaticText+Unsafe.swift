/// The bytes of a text that the image holds.
public func append(_ text: StaticString, to line: inout [UInt8]) {
    // SAFETY: a static string lives for ever; the names here are no single scalars.
    for index in 0..<text.utf8CodeUnitCount { line.append(unsafe text.utf8Start[index]) }
}

import Brique

/// Says what layers the instance has, reads every byte of each, and with an argument tries to write to one.
@main struct Layers {
    static func main() {
        for index in 0..<Instance.layerCount {
            guard let layer = Instance.layer(index) else {
                print("layer \(index): none")
                continue
            }
            print("layer \(index): \(layer.upperBound - layer.lowerBound) bytes, sum \(sum(layer))")
        }
        guard Instance.arguments.contains("write"), let layer = Instance.layer(0) else { return }
        UnsafeMutablePointer<UInt8>(bitPattern: UInt(layer.lowerBound))!.pointee = 0
        print("a layer was written")
    }

    /// FNV-1a, over all bytes.
    private static func sum(_ layer: Range<UInt64>) -> UInt64 {
        let bytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: UInt(layer.lowerBound)), count: Int(layer.upperBound - layer.lowerBound))
        return bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

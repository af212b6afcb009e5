import VirtioFormat

extension VirtioNetHeader {
    /// What `offload` asks of the link. Numbers beyond 16 bits, which no frame has, trap.
    @inlinable
    public init(_ offload: TransmitOffload) {
        self.init()
        guard offload.checksumStart > 0 else { return }
        needsChecksum = true
        checksumStart = UInt16(offload.checksumStart)
        checksumOffset = UInt16(offload.checksumOffset)
        guard offload.segmentSize > 0 else { return }
        segmentation = offload.isIPv6 ? .tcp6 : .tcp4
        segmentSize = UInt16(offload.segmentSize)
        headerByteCount = UInt16(offload.headerByteCount)
    }

    /// What the link says of a frame that arrived.
    @inlinable
    public var receiveOffload: ReceiveOffload {
        ReceiveOffload(
            isChecksumValid: needsChecksum || isChecksumValid, isChecksumPartial: needsChecksum,
            segmentSize: segmentation == .none ? 0 : Int(segmentSize))
    }
}

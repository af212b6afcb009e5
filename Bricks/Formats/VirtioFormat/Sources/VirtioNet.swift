/// virtio-net, virtio 1.3 §5.1: features, queues and configuration space.
public enum VirtioNet {
    public static let receiveQueue: UInt32 = 0
    public static let transmitQueue: UInt32 = 1

    /// `struct virtio_net_config`: MAC, status, queue pairs, MTU.
    public static let addressOffset = 0
    public static let statusOffset = 6
    public static let maximumTransmissionUnitOffset = 10
    public static let configurationByteCount = 12
    /// VIRTIO_NET_S_LINK_UP
    public static let statusLinkUp: UInt32 = 1
}

extension VirtioFeatures {
    /// VIRTIO_NET_F_…, §5.1.3: the device completes checksums; the driver takes partial ones.
    public static let netChecksum = VirtioFeatures(rawValue: 1 << 0)
    public static let netGuestChecksum = VirtioFeatures(rawValue: 1 << 1)
    /// The configuration space holds an MTU, a MAC address.
    public static let netMTU = VirtioFeatures(rawValue: 1 << 3)
    public static let netAddress = VirtioFeatures(rawValue: 1 << 5)
    /// The driver takes, the device cuts, segments of up to 64 KiB.
    public static let netGuestTSO4 = VirtioFeatures(rawValue: 1 << 7)
    public static let netGuestTSO6 = VirtioFeatures(rawValue: 1 << 8)
    public static let netHostTSO4 = VirtioFeatures(rawValue: 1 << 11)
    public static let netHostTSO6 = VirtioFeatures(rawValue: 1 << 12)
    /// A frame may take several receive buffers.
    public static let netMergeableBuffers = VirtioFeatures(rawValue: 1 << 15)
    public static let netStatus = VirtioFeatures(rawValue: 1 << 16)
}

#if hasFeature(Embedded)
    import BootFormat
    import Errno
    import Hypercalls
    import Instance
    import LinuxMemory
    import Memory
    import PageFrames

    /// Frames of the instance's heap.
    final class HeapFrames: PageFrames {
        /// What the library OS keeps for itself.
        static var reserve: Int { 256 << 10 }
        private static var chunkByteCount: Int { PageFrames.framesPerChunk * Frame.byteCount }
        /// A PC's memory may hold anything at first.
        private let isMemoryZero = !Instance.isPC

        init() { super.init(directMap: UInt(BRIQUE_VIRTUAL_BASE)) }

        override func takeChunk() -> (first: Frame, isZero: Bool)? {
            guard Memory.freeByteCount > Self.chunkByteCount + Self.reserve,
                let (address, isFresh) = Memory.allocatePages(byteCount: Self.chunkByteCount, alignment: Self.chunkByteCount)
            else { return nil }
            return (Frame(number: UInt64(address - UInt(BRIQUE_VIRTUAL_BASE)) >> 12), isFresh && isMemoryZero)
        }

        override func giveChunk(_ first: Frame) { Memory.freePages(address(of: first)) }

        override var hasRoomForTables: Bool { Memory.freeByteCount > Self.reserve / 2 }

        override var reserveCount: Int { max(0, Memory.freeByteCount - Self.reserve) / Frame.byteCount }
    }

    /// Pages for the processor, by the platform.
    final class PlatformMapper: PageMapper {
        override func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, _ protection: Protection) -> Bool {
            do throws(HypercallError) {
                try Memory.map(address, byteCount: byteCount, to: physical, access: UInt64(protection.rawValue))
                return true
            } catch {
                return false
            }
        }
    }
#endif

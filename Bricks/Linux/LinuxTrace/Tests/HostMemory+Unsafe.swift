import Glibc
import LinuxMemory
import PageFrames

/// Frames in a file of the host, so that they can be mapped where a program has them too.
final class HostFrames: PageFrames {
    let file: Int32
    private let start: UInt
    private let byteCount: Int
    private var available: [Int]

    init(chunkLimit: Int) {
        byteCount = chunkLimit * PageFrames.framesPerChunk * Frame.byteCount
        let name = "/dev/shm/brique-frames-\(UInt64.random(in: .min ... .max))"
        // SAFETY (the calls below): the string lives through them, and nothing is kept of it.
        file = unsafe open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
        unsafe unlink(name)
        ftruncate(file, byteCount)
        // SAFETY: the mapping is this object's own until deinit; frames are only used while it lives.
        start = UInt(bitPattern: unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
        available = Array((0..<chunkLimit).reversed())
        super.init(directMap: start)
    }

    deinit {
        // SAFETY: as above.
        _ = unsafe munmap(UnsafeMutableRawPointer(bitPattern: start), byteCount)
        close(file)
    }

    override func takeChunk() -> (first: Frame, isZero: Bool)? {
        guard let index = available.popLast() else { return nil }
        return (Frame(number: UInt64(index * PageFrames.framesPerChunk)), false)
    }
    override func giveChunk(_ first: Frame) { available.append(Int(first.number) / PageFrames.framesPerChunk) }
    override var reserveCount: Int { available.count * PageFrames.framesPerChunk }
}

/// Maps pages of a program where the host's processor finds them.
final class HostMapper: PageMapper {
    private let file: Int32
    init(_ frames: HostFrames) { file = frames.file }

    override func map(_ address: UInt64, byteCount: UInt64, to physical: UInt64, _ protection: Protection) -> Bool {
        // SAFETY: the addresses of the tests' programs are far from what the host's process has mapped.
        let place = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))
        if protection.isEmpty { return unsafe munmap(place, Int(byteCount)) == 0 }
        let bits = Int32(protection.rawValue & 3)
        let mapped = unsafe mmap(place, Int(byteCount), bits, MAP_SHARED | MAP_FIXED, file, Int(physical))
        return UInt(bitPattern: mapped) != .max
    }
}

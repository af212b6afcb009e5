import Errno
import LinuxMemory
import PageFrames
import VFS

/// The pages that every program is given beside its own: functions, and the clock page that they read (vdso(7)).
public final class VDSO {
    private let code: ProgramPages
    private let data: ProgramPages

    /// `bytes`: an ELF shared object of one segment, that finds the clock page on the page below it.
    public init(_ bytes: [UInt8], clockPage: Frame, frames: PageFrames) throws(Errno) {
        var pages: [Frame] = []
        var done = 0
        while done < bytes.count {
            let frame = try frames.allocate()
            let count = min(Frame.byteCount, bytes.count - done)
            frames.withBytes(of: frame) { target in
                for index in 0..<count { target.storeBytes(of: bytes[done + index], toByteOffset: index, as: UInt8.self) }
            }
            pages.append(frame)
            done += count
        }
        code = ProgramPages(pages, of: frames)
        data = ProgramPages([clockPage], of: frames)
    }

    /// Where the object begins, for AT_SYSINFO_EHDR.
    public func map(into memory: AddressSpace) throws(Errno) -> UInt64 {
        let start = try memory.findFree(data.byteCount + code.byteCount)
        // Shared and opened for reading: it can never be made writable. Code is a copy as soon as it is changed.
        try memory.map(start, data.byteCount, .read, isShared: true, file: data, name: .vvar)
        try memory.map(start + data.byteCount, code.byteCount, [.read, .execute], file: code, name: .vdso)
        return start + data.byteCount
    }
}

/// Frames that are there for as long as the instance.
private final class ProgramPages: OpenFile {
    private let pages: [Frame]
    private let frames: PageFrames

    init(_ pages: [Frame], of frames: PageFrames) {
        self.pages = pages
        self.frames = frames
        super.init(OpenFlags(rawValue: 0))
        retain()
    }

    var byteCount: UInt64 { UInt64(pages.count * Frame.byteCount) }

    override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard pageIndex >= 0, pageIndex < Int64(pages.count) else { throw .enodev }
        try frames.retain(pages[Int(pageIndex)])
        return pages[Int(pageIndex)]
    }
}

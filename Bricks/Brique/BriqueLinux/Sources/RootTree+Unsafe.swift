#if hasFeature(Embedded)
    import Bytes
    import DevFS
    import EROFS
    import Errno
    import Instance
    import LinuxProcess
    import PageFrames
    import ProcFS
    import RamFS
    import Random
    import Overlay
    import Time
    import VFS

    /// The tree that the program sees.
    struct RootTree {
        let mounts: MountTable
        /// For files without a name: memfd_create(2).
        let memory: RamFS
        let devices: Devices

        /// Throws if a layer is damaged, or /dev, /proc or /sys cannot be made.
        init(frames: PageFrames, source: ProcSource, key: SipHash.Key, system: System) throws(Errno) {
            let clock = { () -> FileTime in
                let now = system.wallTime.nanosecondsSince1970
                return FileTime(seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(now % 1_000_000_000))
            }
            let limit = Int64(Instance.memoryByteCount / 2)
            let makeRAM = { (device: UInt64) -> RamFS in
                RamFS(device: device, frames: frames, byteLimit: limit, inodeLimit: 1 << 20, key: key, clock: clock)
            }
            var layers: [Vnode] = []
            for index in (0..<Instance.layerCount).reversed() {
                guard let range = Instance.layer(index) else { continue }
                let byteCount = Int(range.upperBound - range.lowerBound) & ~(Frame.byteCount - 1)
                // SAFETY: the loader mapped the layer read-only at this address for the life of the instance.
                let region = unsafe ReadOnlyRegion(start: UInt(range.lowerBound), byteCount: byteCount, frames: frames)
                layers.append(try EROFS(region, frames: frames, device: UInt64(10 + index)).root)
            }
            let overlay = Overlay(layers, over: makeRAM(2), device: 1)
            mounts = MountTable(root: overlay, overlay.root)
            memory = makeRAM(6)
            let ram = makeRAM(3)
            let root = try ram.makeRoot()
            let terminals = try Devices.populate(root)
            devices = Devices(frames: frames, pseudoTerminals: terminals) { bytes in system.fill(&bytes) }
            mounts.specialFiles = devices
            try mount(ram, root, at: "/dev")
            let proc = ProcFS(source, device: 4, clock: clock)
            try mount(proc, proc.root, at: "/proc")
            let sys = SysFS(source, device: 5, clock: clock)
            try mount(sys, sys.root, at: "/sys")
            let context = PathContext(mounts)
            for (path, mode) in [("/tmp", 0o1777), ("/run", 0o755), ("/var", 0o755), ("/var/tmp", 0o1777)] as [(StaticString, UInt32)] {
                try makeDirectory(path.bytes, mode, context)
            }
        }

        private func mount(_ fileSystem: FileSystem, _ root: Vnode, at path: StaticString) throws(Errno) {
            let context = PathContext(mounts)
            try makeDirectory(path.bytes, 0o755, context)
            let place = try context.resolve(path.bytes)
            guard mounts.mount(fileSystem, root: root, at: place) else { throw .enotdir }
        }

        private func makeDirectory(_ path: [UInt8], _ mode: UInt32, _ context: PathContext) throws(Errno) {
            context.creationMask = 0
            do throws(Errno) { try context.makeDirectory(path, mode: mode) } catch {
                guard error == .eexist else { throw error }
            }
        }
    }
#endif

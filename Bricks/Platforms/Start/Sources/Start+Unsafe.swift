#if hasFeature(Embedded)
    import BootFormat
    import CHypercalls
    import Instance
    import Memory
    import PlatformKVM
    import PlatformPC
    import PlatformProcess

    /// The start of day, at CPL 3 on the main stack: finds the platform and gives the heap its
    /// memory. The entry then calls the app's `main`.
    @c(brique_start)
    public func start(_ boot: UnsafeMutablePointer<brique_boot_information>) {
        // SAFETY (all below): the loader that entered the image states the boot information, in memory that it gave to the
        // image, and that nobody else uses.
        guard unsafe boot.pointee.magic == UInt64(BRIQUE_BOOT_MAGIC), unsafe boot.pointee.abi_version == UInt32(BRIQUE_ABI_VERSION)
        else {
            // Without a platform there is nobody to tell: an illegal instruction is what a loader sees.
            fatalError()
        }
        switch unsafe Int32(boot.pointee.platform) {
        case BRIQUE_PLATFORM_PROCESS: unsafe PlatformProcess.start(gate: boot.pointee.gate)
        case BRIQUE_PLATFORM_PC: unsafe PlatformPC.start(&boot.pointee)
        default: unsafe PlatformKVM.start(tscKilohertz: boot.pointee.tsc_kilohertz)
        }
        unsafe Instance.start(boot)
        unsafe Memory.start(at: UInt(boot.pointee.memory_start), end: UInt(boot.pointee.memory_end))
        unsafe brique_stacks_set(UInt64(BRIQUE_VIRTUAL_BASE) + UInt64(BRIQUE_MEMORY_BASE), boot.pointee.memory_end)
    }
#endif

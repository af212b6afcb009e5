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
    public func start(_ boot: UnsafePointer<brique_boot_information>) {
        // SAFETY: the loader that entered the image states the boot information, in memory that it gave to the image.
        var information = unsafe boot.pointee
        guard information.magic == UInt64(BRIQUE_BOOT_MAGIC), information.abi_version == UInt32(BRIQUE_ABI_VERSION) else {
            // Without a platform there is nobody to tell: an illegal instruction is what a loader sees.
            fatalError()
        }
        switch Int32(information.platform) {
        case BRIQUE_PLATFORM_PROCESS: PlatformProcess.start(gate: information.gate)
        case BRIQUE_PLATFORM_PC: PlatformPC.start(&information)
        default: PlatformKVM.start(tscKilohertz: information.tsc_kilohertz)
        }
        unsafe Instance.start(information)
        unsafe Memory.start(at: UInt(information.memory_start), end: UInt(information.memory_end))
        brique_stacks_set(UInt64(BRIQUE_VIRTUAL_BASE) + UInt64(BRIQUE_MEMORY_BASE), information.memory_end)
    }
#endif

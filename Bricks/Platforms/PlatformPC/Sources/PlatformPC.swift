import BootFormat

/// The platform of PCs (QEMU and other hypervisors): the hypercalls answered inside the image, over virtio and the PC's own devices.
///
/// The start of day calls `start(&information)` first of all, then uses what it left in `information`.
public enum PlatformPC {
    #if hasFeature(Embedded)
        /// Decodes the command line into the boot information's strings, takes its memory off `memory_end`, finds the console,
        /// and sets the gate. What it refuses it says on the control channel, and the machine ends.
        public static func start(_ information: inout brique_boot_information) { startMachine(&information) }
    #endif
}

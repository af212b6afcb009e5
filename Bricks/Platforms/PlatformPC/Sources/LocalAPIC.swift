import RegisterBank

/// The interrupt controllers, as far as a machine needs them that only ever waits: Intel SDM vol. 3 ch. 11, 82093AA.
///
/// An interrupt does nothing but end a halt; whoever halted acknowledges it.
struct LocalAPIC<Bank: RegisterBank> {
    static var timerVector: UInt32 { 32 }
    static var consoleVector: UInt32 { 33 }
    private static var spuriousVector: UInt32 { 47 }

    private static var identityOffset: Int { 0x20 }
    private static var acknowledgeOffset: Int { 0xb0 }
    private static var spuriousOffset: Int { 0xf0 }
    private static var timerOffset: Int { 0x320 }
    private static var legacyOffset: Int { 0x350 }
    private static var initialCountOffset: Int { 0x380 }
    private static var currentCountOffset: Int { 0x390 }
    private static var divideOffset: Int { 0x3e0 }

    let bank: Bank

    var identity: UInt32 { bank.read(Self.identityOffset, .long) >> 24 }

    /// Enabled, the old interrupt controller shut out, the timer one-shot at a sixteenth of the bus clock.
    func start() {
        bank.write(0x100 | Self.spuriousVector, to: Self.spuriousOffset, .long)
        bank.write(0x10000, to: Self.legacyOffset, .long)
        bank.write(3, to: Self.divideOffset, .long)
        bank.write(Self.timerVector, to: Self.timerOffset, .long)
    }

    func acknowledge() { bank.write(0, to: Self.acknowledgeOffset, .long) }

    func arm(count: UInt32) { bank.write(count, to: Self.initialCountOffset, .long) }

    var count: UInt32 { bank.read(Self.currentCountOffset, .long) }
}

/// Sends a pin of an I/O APIC, by its edge, to the console's vector.
func routeInterrupt(_ pin: UInt32, of controller: some RegisterBank, to processor: UInt32, vector: UInt32) {
    controller.write(0x11 + 2 * pin, to: 0x00, .long)
    controller.write(processor << 24, to: 0x10, .long)
    controller.write(0x10 + 2 * pin, to: 0x00, .long)
    controller.write(vector, to: 0x10, .long)
}

import RegisterBank

/// The local interrupt controller, as far as a machine needs it that only ever waits: Intel SDM vol. 3 ch. 11.
///
/// An interrupt does nothing but end a halt; whoever halted acknowledges it.
struct LocalAPIC<Bank: RegisterBank> {
    static var timerVector: UInt32 { 32 }
    static var consoleVector: UInt32 { 33 }
    private static var spuriousVector: UInt32 { 47 }

    let bank: Bank

    /// As it stands in a message or redirection entry: bits 24 to 31.
    var destination: UInt32 { bank.read(0x20, .long) & 0xff00_0000 }

    /// Enabled; LINT0, the old interrupt controller, shut out; LINT1 the NMI, as on every PC; the timer one-shot, at a
    /// sixteenth of the bus clock.
    func start() {
        bank.write(0x100 | Self.spuriousVector, to: 0xf0, .long)
        bank.write(0x10000, to: 0x350, .long)
        bank.write(0x400, to: 0x360, .long)
        bank.write(3, to: 0x3e0, .long)
        bank.write(Self.timerVector, to: 0x320, .long)
    }

    func acknowledge() { bank.write(0, to: 0xb0, .long) }

    func arm(count: UInt32) { bank.write(count, to: 0x380, .long) }

    var count: UInt32 { bank.read(0x390, .long) }
}

/// Sends a pin of an I/O APIC (82093AA), by its edge, to `vector`.
@inline(__always) func routeInterrupt(_ pin: UInt32, of controller: some RegisterBank, destination: UInt32, vector: UInt32) {
    controller.write(0x11 &+ 2 &* pin, to: 0x00, .long)
    controller.write(destination, to: 0x10, .long)
    controller.write(0x10 &+ 2 &* pin, to: 0x00, .long)
    controller.write(vector, to: 0x10, .long)
}

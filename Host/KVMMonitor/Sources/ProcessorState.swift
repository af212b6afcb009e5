import BootFormat
import ELFFormat
import LinuxCalls
import MonitorSupport

/// The registers with which a guest begins: 64-bit user mode, as if the core had just returned to it.
enum ProcessorState {
    /// IF, and the bit that is always set.
    static let flags: UInt64 = 0x202

    static func system(_ map: InstanceMap, tables: UInt64, features: ProcessorFeatures = ProcessorFeatures()) -> kvm_sregs {
        var state = kvm_sregs()
        state.cr0 = 0x8005_0033  // PG AM WP NE ET MP PE
        state.cr3 = tables
        state.cr4 = 0x620  // OSXMMEXCPT OSFXSR PAE
        // What programs of today expect, as far as the processor has it.
        if features.hasFSGSBASE { state.cr4 |= 1 << 16 }
        if features.extendedState != 0 { state.cr4 |= 1 << 18 }
        // NXE LMA LME. Without SCE the SYSCALL instruction is an invalid opcode: an image with programs sets it.
        state.efer = 0xd00
        state.apic_base = 0xfee0_0900  // as after a reset
        let all: UInt32 = 0xffff_ffff
        state.cs = segment(limit: all, selector: BRIQUE_SELECTOR_USER_CODE, type: 11, isLong: true)
        state.ss = segment(limit: all, selector: BRIQUE_SELECTOR_USER_DATA, type: 3, isLong: false)
        var unusable = kvm_segment()
        unusable.unusable = 1
        state.ds = unusable
        state.es = unusable
        state.fs = unusable
        state.gs = unusable
        state.ldt = unusable
        state.tr.base = Descriptors.virtual(map, BRIQUE_AREA_TSS)
        state.tr.limit = Descriptors.taskLimit
        state.tr.selector = UInt16(BRIQUE_SELECTOR_TSS)
        state.tr.type = 11
        state.tr.present = 1
        state.gdt.base = Descriptors.virtual(map, BRIQUE_AREA_DESCRIPTORS)
        state.gdt.limit = Descriptors.tableLimit
        state.idt.base = state.gdt.base + UInt64(BRIQUE_IDT_OFFSET)
        state.idt.limit = Descriptors.interruptTableLimit
        return state
    }

    static func general(_ map: InstanceMap, bootInformation: UInt64) -> kvm_regs {
        var state = kvm_regs()
        state.rip = map.layout.note.start
        state.rsp = map.layout.note.machineArea + UInt64(BRIQUE_AREA_STACK_TOP)
        state.rdi = bootInformation
        state.rflags = flags
        return state
    }

    private static func segment(limit: UInt32, selector: Int32, type: UInt8, isLong: Bool) -> kvm_segment {
        var segment = kvm_segment()
        segment.limit = limit
        segment.selector = UInt16(selector)
        segment.type = type
        segment.present = 1
        segment.dpl = 3
        segment.s = 1
        segment.g = 1
        segment.l = isLong ? 1 : 0
        segment.db = isLong ? 0 : 1
        return segment
    }
}

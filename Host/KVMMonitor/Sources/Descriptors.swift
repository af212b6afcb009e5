import BootFormat
import Bytes
import ELFFormat
import MonitorSupport

/// GDT, IDT and TSS in the machine area (Intel SDM volume 3, §3.4.5, §6.14.1, §7.7).
enum Descriptors {
    static let tableLimit: UInt16 = 0x4f
    static let interruptTableLimit: UInt16 = 32 * 16 - 1
    /// The TSS proper, then the I/O permission bitmap up to the hypercall port: ports beyond the limit are refused.
    static let taskByteCount = 0x68
    static let bitmapByteCount = Int(BRIQUE_HYPERCALL_PORT) / 8 + 2
    static let taskLimit = UInt32(taskByteCount + bitmapByteCount - 1)

    static func virtual(_ map: InstanceMap, _ offset: Int32) -> UInt64 { map.layout.note.machineArea + UInt64(offset) }

    static func write(_ map: InstanceMap, into memory: GuestMemory) {
        let area = map.layout.machineArea
        let page = UInt64(BRIQUE_PAGE_SIZE)
        guard let descriptors = memory.range(physical: area + UInt64(BRIQUE_AREA_DESCRIPTORS), byteCount: page),
            let task = memory.range(physical: area + UInt64(BRIQUE_AREA_TSS), byteCount: page)
        else { preconditionFailure() }
        let areWritten = memory.withMutableBytes(descriptors) { bytes in
            var writer = ByteWriter(&bytes)
            do throws(FormatError) {
                try writeSegments(map, &writer)
                try writer.writeZeros(Int(BRIQUE_IDT_OFFSET) - writer.offset)
                try writeGates(map.layout.note, &writer)
                return true
            } catch {
                return false
            }
        }
        let isTaskWritten = memory.withMutableBytes(task) { bytes in
            var writer = ByteWriter(&bytes)
            do throws(FormatError) {
                try writeTask(map, &writer)
                return true
            } catch {
                return false
            }
        }
        precondition(areWritten && isTaskWritten)
    }

    /// Linux's own layout: a CPL 3 guest may really run on the host's selectors.
    private static func writeSegments(_ map: InstanceMap, _ writer: inout ByteWriter) throws(FormatError) {
        let task = virtual(map, BRIQUE_AREA_TSS)
        try writer.writeZeros(Int(BRIQUE_SELECTOR_CORE_CODE))
        try writer.write(0x00af_9b00_0000_ffff as UInt64, .little)  // 0x08 core code
        try writer.write(0x00cf_9300_0000_ffff as UInt64, .little)  // 0x10 core data
        try writer.write(0 as UInt64, .little)
        try writer.write(0x00cf_fb00_0000_ffff as UInt64, .little)  // 0x23 user code, 32-bit
        try writer.write(0x00cf_f300_0000_ffff as UInt64, .little)  // 0x2b user data
        try writer.write(0x00af_fb00_0000_ffff as UInt64, .little)  // 0x33 user code
        try writer.write(0 as UInt64, .little)
        let busyTask: UInt64 = 0x8b << 40
        try writer.write(UInt64(taskLimit) | (task & 0xff_ffff) << 16 | busyTask | (task >> 24 & 0xff) << 56, .little)  // 0x40 TSS
        try writer.write(task >> 32, .little)
    }

    private static func writeGates(_ note: BriqueNote, _ writer: inout ByteWriter) throws(FormatError) {
        for vector in 0..<32 {
            if vector == Int(BRIQUE_CORE_VECTOR) {
                // A 64-bit interrupt gate: the core is not interrupted.
                try writeGate(note.coreEntry, BRIQUE_SELECTOR_CORE_CODE, type: 0xe, stack: BRIQUE_IST_CORE, &writer)
            } else {
                let entry = note.exceptionEntries + UInt64(vector * Int(BRIQUE_EXCEPTION_STRIDE))
                try writeGate(entry, BRIQUE_SELECTOR_USER_CODE, type: 0xf, stack: BRIQUE_IST_EXCEPTION, &writer)
            }
        }
    }

    /// Present, and DPL 3.
    private static func writeGate(
        _ address: UInt64, _ selector: Int32, type: UInt64, stack: Int32, _ writer: inout ByteWriter
    ) throws(FormatError) {
        let low = address & 0xffff | UInt64(selector) << 16 | UInt64(stack) << 32
        try writer.write(low | (0xe0 | type) << 40 | (address >> 16 & 0xffff) << 48, .little)
        try writer.write(address >> 32, .little)
    }

    private static func writeTask(_ map: InstanceMap, _ writer: inout ByteWriter) throws(FormatError) {
        try writer.writeZeros(4)
        try writer.write(virtual(map, BRIQUE_AREA_CORE_STACK_TOP), .little)  // RSP0
        try writer.writeZeros(0x24 - writer.offset)
        try writer.write(virtual(map, BRIQUE_AREA_EXCEPTION_STACK_TOP), .little)  // IST1
        try writer.write(virtual(map, BRIQUE_AREA_CORE_STACK_TOP), .little)  // IST2
        try writer.writeZeros(0x66 - writer.offset)
        try writer.write(UInt16(taskByteCount), .little)
        // A zero bit lets a port through: the four ports of the 32-bit OUT.
        for index in 0..<bitmapByteCount {
            let isHypercallPort = index == Int(BRIQUE_HYPERCALL_PORT) / 8
            try writer.write(isHypercallPort ? ~(UInt8(0xf) << UInt8(BRIQUE_HYPERCALL_PORT % 8)) : 0xff, .little)
        }
    }
}

import Bytes

/// One program header (System V gABI, "Program Header", Elf64_Phdr).
public struct ELFProgramHeader: Equatable {
    public static let byteCount = 56
    /// PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS
    public static let load: UInt32 = 1, dynamic: UInt32 = 2, interpreter: UInt32 = 3, note: UInt32 = 4, threadLocal: UInt32 = 7
    /// PF_X, PF_W, PF_R
    public static let execute: UInt32 = 1, write: UInt32 = 2, read: UInt32 = 4

    /// p_type
    public var type: UInt32
    /// p_flags
    public var flags: UInt32
    /// p_offset
    public var offset: UInt64
    /// p_vaddr
    public var virtualAddress: UInt64
    /// p_paddr
    public var physicalAddress: UInt64
    /// p_filesz
    public var fileByteCount: UInt64
    /// p_memsz
    public var memoryByteCount: UInt64
    /// p_align
    public var alignment: UInt64

    public init(parsing reader: inout ByteReader) throws(FormatError) {
        type = try reader.read(UInt32.self, .little)
        flags = try reader.read(UInt32.self, .little)
        offset = try reader.read(UInt64.self, .little)
        virtualAddress = try reader.read(UInt64.self, .little)
        physicalAddress = try reader.read(UInt64.self, .little)
        fileByteCount = try reader.read(UInt64.self, .little)
        memoryByteCount = try reader.read(UInt64.self, .little)
        alignment = try reader.read(UInt64.self, .little)
    }

    public init(
        type: UInt32, flags: UInt32, offset: UInt64, virtualAddress: UInt64, physicalAddress: UInt64, fileByteCount: UInt64,
        memoryByteCount: UInt64, alignment: UInt64
    ) {
        self.type = type
        self.flags = flags
        self.offset = offset
        self.virtualAddress = virtualAddress
        self.physicalAddress = physicalAddress
        self.fileByteCount = fileByteCount
        self.memoryByteCount = memoryByteCount
        self.alignment = alignment
    }

    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(type, .little)
        try writer.write(flags, .little)
        try writer.write(offset, .little)
        try writer.write(virtualAddress, .little)
        try writer.write(physicalAddress, .little)
        try writer.write(fileByteCount, .little)
        try writer.write(memoryByteCount, .little)
        try writer.write(alignment, .little)
    }
}

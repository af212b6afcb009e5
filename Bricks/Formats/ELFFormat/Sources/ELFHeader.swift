import Bytes

/// The ELF64 file header (System V gABI, "ELF Header", Elf64_Ehdr).
public struct ELFHeader: Equatable {
    public static let byteCount = 64
    /// ET_EXEC
    public static let executable: UInt16 = 2
    /// EM_X86_64
    public static let x86_64: UInt16 = 62

    /// e_ident[EI_CLASS]: 2 is 64-bit.
    public var fileClass: UInt8 = 2
    /// e_ident[EI_DATA]: 1 is little-endian. The rest of the header is always read as that.
    public var encoding: UInt8 = 1
    /// e_ident[EI_VERSION]
    public var identVersion: UInt8 = 1
    /// e_type
    public var type = executable
    /// e_machine
    public var machine = x86_64
    /// e_version
    public var version: UInt32 = 1
    /// e_entry
    public var entry: UInt64 = 0
    /// e_phoff
    public var programHeaderOffset: UInt64 = 64
    /// e_shoff
    public var sectionHeaderOffset: UInt64 = 0
    /// e_flags
    public var flags: UInt32 = 0
    /// e_ehsize
    public var headerByteCount = UInt16(byteCount)
    /// e_phentsize
    public var programHeaderByteCount = UInt16(ELFProgramHeader.byteCount)
    /// e_phnum
    public var programHeaderCount: UInt16 = 0
    /// e_shentsize
    public var sectionHeaderByteCount: UInt16 = 0
    /// e_shnum
    public var sectionHeaderCount: UInt16 = 0
    /// e_shstrndx
    public var sectionNamesIndex: UInt16 = 0

    public init() {}

    /// Throws `invalid` if the magic is not ELF's.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        guard try reader.read(UInt32.self, .big) == Self.magic else { throw .invalid }
        fileClass = try reader.read(UInt8.self, .little)
        encoding = try reader.read(UInt8.self, .little)
        identVersion = try reader.read(UInt8.self, .little)
        try reader.skip(9)
        type = try reader.read(UInt16.self, .little)
        machine = try reader.read(UInt16.self, .little)
        version = try reader.read(UInt32.self, .little)
        entry = try reader.read(UInt64.self, .little)
        programHeaderOffset = try reader.read(UInt64.self, .little)
        sectionHeaderOffset = try reader.read(UInt64.self, .little)
        flags = try reader.read(UInt32.self, .little)
        headerByteCount = try reader.read(UInt16.self, .little)
        programHeaderByteCount = try reader.read(UInt16.self, .little)
        programHeaderCount = try reader.read(UInt16.self, .little)
        sectionHeaderByteCount = try reader.read(UInt16.self, .little)
        sectionHeaderCount = try reader.read(UInt16.self, .little)
        sectionNamesIndex = try reader.read(UInt16.self, .little)
    }

    public func write(into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(Self.magic, .big)
        try writer.write(fileClass, .little)
        try writer.write(encoding, .little)
        try writer.write(identVersion, .little)
        try writer.writeZeros(9)
        try writer.write(type, .little)
        try writer.write(machine, .little)
        try writer.write(version, .little)
        try writer.write(entry, .little)
        try writer.write(programHeaderOffset, .little)
        try writer.write(sectionHeaderOffset, .little)
        try writer.write(flags, .little)
        try writer.write(headerByteCount, .little)
        try writer.write(programHeaderByteCount, .little)
        try writer.write(programHeaderCount, .little)
        try writer.write(sectionHeaderByteCount, .little)
        try writer.write(sectionHeaderCount, .little)
        try writer.write(sectionNamesIndex, .little)
    }

    /// 0x7f "ELF", as a big-endian integer.
    private static let magic: UInt32 = 0x7f45_4c46
}

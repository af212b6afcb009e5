import Glibc

@testable import Memory

/// Pages of this process that a test lends to a heap.
final class TestRegion {
    let base: UInt
    let byteCount: Int

    init(pageCount: Int, filledWith byte: UInt8 = 0xa5) {
        byteCount = pageCount * pageByteCount
        // SAFETY: freed in deinit, and every heap of a test dies before its region does.
        let memory = unsafe aligned_alloc(pageByteCount, byteCount)!
        unsafe memset(memory, Int32(byte), byteCount)
        base = UInt(bitPattern: memory)
    }

    deinit { unsafe free(UnsafeMutableRawPointer(bitPattern: base)) }

    func emptyHeap() -> Heap { unsafe Heap(base: base, byteCount: 0) }

    func heap() -> Heap { unsafe Heap(base: base, byteCount: byteCount) }

    func fill(_ address: UInt, byteCount: Int, with byte: UInt8) {
        precondition(address >= base && address + UInt(byteCount) <= base + UInt(self.byteCount))
        // SAFETY: checked to lie inside of the region.
        unsafe memset(UnsafeMutableRawPointer(bitPattern: address)!, Int32(byte), byteCount)
    }

    func holds(_ address: UInt, byteCount: Int, only byte: UInt8) -> Bool {
        // SAFETY: the heap gave these bytes, and `fill` checked them.
        let bytes = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: byteCount)
        return unsafe bytes.allSatisfy { $0 == byte }
    }
}

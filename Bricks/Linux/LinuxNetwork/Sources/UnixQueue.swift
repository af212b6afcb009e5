import Bytes
import LinuxPipes
import VFS

/// What a Unix socket has been sent and nobody has read.
struct UnixQueue {
    /// What goes with bytes: descriptors, and who sent them.
    struct Attachment {
        var files: [OpenFile] = []
        var credentials = SocketCredentials.nobody
        var name = SocketName()
    }

    /// Descriptors at a place of the stream.
    private struct Mark {
        /// Distances from the begin of the stream.
        var start: UInt64
        var end: UInt64
        var attachment: Attachment
    }

    private struct Record {
        var byteCount: Int
        var attachment: Attachment
    }

    /// Bytes that wait at most (wmem_default of Linux), and records.
    static var byteLimit: Int { 212_992 }
    static var recordLimit: Int { 512 }

    private var ring = ByteRing()
    private var marks: [Mark] = []
    private var records: [Record] = []
    private var firstRecord = 0
    private var position: UInt64 = 0
    /// Of whoever wrote to the stream last.
    private var lastCredentials = SocketCredentials.nobody
    /// It closes with bytes that the other side never got.
    var hasUnread = false

    var byteCount: Int { ring.count }
    private var recordCount: Int { records.count - firstRecord }
    var isEmpty: Bool { ring.isEmpty && recordCount == 0 }
    var room: Int { max(0, Self.byteLimit - ring.count) }
    /// poll(2) tells of room only when there is a good part of it.
    var isWritable: Bool { ring.count * 4 <= Self.byteLimit * 3 && recordCount < Self.recordLimit }
    func hasRoom(for count: Int) -> Bool { (count <= room || recordCount == 0) && recordCount < Self.recordLimit }

    func firstByteCount(isStream: Bool) -> Int {
        if isStream { return ring.count }
        return firstRecord < records.count ? records[firstRecord].byteCount : 0
    }

    mutating func append(stream bytes: RawSpan, _ attachment: Attachment) {
        let start = position + UInt64(ring.count)
        ring.append(bytes)
        if !attachment.files.isEmpty {
            marks.append(Mark(start: start, end: start + UInt64(bytes.byteCount), attachment: attachment))
        }
        lastCredentials = attachment.credentials
    }

    mutating func append(record bytes: RawSpan, _ attachment: Attachment) {
        ring.append(bytes)
        records.append(Record(byteCount: bytes.byteCount, attachment: attachment))
    }

    /// Takes bytes up to the end of what came with the first descriptors.
    mutating func take(stream bytes: inout MutableRawSpan, isPeek: Bool, _ attachment: inout Attachment) -> Int {
        var limit = min(bytes.byteCount, ring.count)
        attachment.credentials = lastCredentials
        if bytes.byteCount > 0, let mark = marks.first {
            if mark.start < position + UInt64(limit) {
                limit = min(limit, Int(mark.end - position))
                attachment = mark.attachment
                if !isPeek {
                    marks[0].attachment.files = []
                    if mark.end <= position + UInt64(limit) { marks.removeFirst() }
                }
            }
        }
        var part = bytes._mutatingExtracting(first: limit)
        let count = ring.copy(into: &part)
        if !isPeek {
            ring.removeFirst(count)
            position += UInt64(count)
        }
        return count
    }

    /// Takes one record, whole or cut; gives its length.
    mutating func take(record bytes: inout MutableRawSpan, isPeek: Bool, _ attachment: inout Attachment) -> Int {
        guard firstRecord < records.count else { return 0 }
        let record = records[firstRecord]
        var part = bytes._mutatingExtracting(first: min(record.byteCount, bytes.byteCount))
        _ = ring.copy(into: &part)
        attachment = record.attachment
        if isPeek { return record.byteCount }
        ring.removeFirst(record.byteCount)
        records[firstRecord].attachment = Attachment()
        firstRecord += 1
        if firstRecord * 2 > records.count {
            records.removeFirst(firstRecord)
            firstRecord = 0
        }
        return record.byteCount
    }

    /// All descriptors that never arrived.
    mutating func removeAll() -> [OpenFile] {
        var files: [OpenFile] = []
        for mark in marks { files.append(contentsOf: mark.attachment.files) }
        for record in records { files.append(contentsOf: record.attachment.files) }
        self = UnixQueue()
        return files
    }
}

import VFS

/// What poll(2) and select(2) wait for: the readiness of several files at once.
public struct PollSet {
    public struct Entry {
        public let file: OpenFile
        public let wanted: PollEvents
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    public mutating func add(_ file: OpenFile, _ wanted: PollEvents) {
        entries.append(Entry(file: file, wanted: wanted.union(.always)))
    }

    /// Whose observers tell when to look again.
    public var lists: [ObserverList] { entries.map { $0.file.observers } }

    /// What poll(2) tells of a file.
    public static func found(_ file: OpenFile, _ wanted: PollEvents) -> PollEvents {
        file.readiness.withSynonyms.intersection(wanted.union(.always).union(.invalid))
    }
}

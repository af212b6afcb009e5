/// Wants to know that the readiness of a file may have changed. Stands in one list at a time.
open class Observer {
    fileprivate(set) final var list: ObserverList?
    fileprivate final var next: Observer?
    fileprivate final var previous: Observer?
    fileprivate final var number: UInt64 = 0

    public init() {}

    /// May have become ready for `events`; the file's `readiness` tells. May add and remove observers, itself too.
    open func notify(_ events: PollEvents) {}

    /// The file is closed for good, and the observer is out of its list.
    open func fileClosed() {}

    public final var isObserving: Bool { list != nil }
}

/// Observers in the order they came. A list keeps its observers alive until they are removed.
public final class ObserverList {
    private var first: Observer?
    private var last: Observer?
    private var count: UInt64 = 0
    /// The next one to notify, while a notification goes round.
    private var cursor: Observer?
    private var isNotifying = false
    private var again: PollEvents = []

    public init() {}

    public var isEmpty: Bool { first == nil }

    /// Puts it last; one that stands in another list leaves that one, one that is here stays where it is.
    public func add(_ observer: Observer) {
        if let other = observer.list {
            if other === self { return }
            other.remove(observer)
        }
        count += 1
        observer.number = count
        observer.list = self
        observer.previous = last
        if let last { last.next = observer } else { first = observer }
        last = observer
    }

    public func remove(_ observer: Observer) {
        guard observer.list === self else { return }
        if cursor === observer { cursor = observer.next }
        if let next = observer.next { next.previous = observer.previous } else { last = observer.previous }
        if let previous = observer.previous { previous.next = observer.next } else { first = observer.next }
        observer.next = nil
        observer.previous = nil
        observer.list = nil
    }

    /// Tells all that stand here now. A notification that comes up meanwhile follows once all are told.
    public func notify(_ events: PollEvents) {
        if first == nil { return }
        again.formUnion(events)
        if isNotifying { return }
        isNotifying = true
        var rounds = 0
        while !again.isEmpty && rounds < Self.roundLimit {
            let events = again
            again = []
            let end = count
            cursor = first
            while let observer = cursor, observer.number <= end {
                cursor = observer.next
                observer.notify(events)
            }
            rounds += 1
        }
        again = []
        cursor = nil
        isNotifying = false
    }

    /// Two lists whose observers notify each other would go on for ever.
    static var roundLimit: Int { 4 }

    /// Lets all go: the file is closed for good.
    public func close() {
        while let observer = first {
            remove(observer)
            observer.fileClosed()
        }
    }
}

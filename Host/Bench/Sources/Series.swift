/// Durations of one thing measured many times, in milliseconds.
public struct Series: Sendable, Equatable {
    private var sorted: [Double] = []

    public init(milliseconds: [Double] = []) { sorted = milliseconds.sorted() }

    public mutating func add(_ milliseconds: Double) {
        let place = sorted.firstIndex { $0 > milliseconds } ?? sorted.endIndex
        sorted.insert(milliseconds, at: place)
    }

    public var count: Int { sorted.count }
    public var minimum: Double? { sorted.first }
    public var maximum: Double? { sorted.last }

    /// The middle one, or the mean of the two in the middle.
    public var median: Double? {
        guard !sorted.isEmpty else { return nil }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

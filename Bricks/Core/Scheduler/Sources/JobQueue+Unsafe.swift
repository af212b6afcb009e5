/// Jobs of the concurrency runtime, first in first out, linked through the word that a job keeps for its scheduler.
@safe struct JobQueue {
    /// `Job.SchedulerPrivate[0]` of Swift's runtime ABI (Task.h).
    private static var linkOffset: Int { 16 }

    private var head: UnsafeMutableRawPointer?
    private var tail: UnsafeMutableRawPointer?

    var isEmpty: Bool { unsafe head == nil }

    // SAFETY: the runtime hands a job to its executor once, and leaves the scheduler's words of it alone until the
    // executor runs it; so a queued job is alive, and its link is ours.
    @unsafe mutating func append(_ job: UnsafeMutableRawPointer) {
        unsafe Self.link(of: job).pointee = nil
        if let tail = unsafe tail { unsafe Self.link(of: tail).pointee = job } else { unsafe head = job }
        unsafe tail = job
    }

    @unsafe mutating func removeFirst() -> UnsafeMutableRawPointer? {
        guard let job = unsafe head else { return nil }
        unsafe head = Self.link(of: job).pointee
        if unsafe head == nil { unsafe tail = nil }
        return unsafe job
    }

    private static func link(of job: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        unsafe (job + linkOffset).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }
}

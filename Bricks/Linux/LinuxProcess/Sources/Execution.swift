import CLinuxFormat
import Errno
import Time

/// What a thread runs on: a fiber in an instance, something of its own in a test.
open class Execution {
    public init() {}
    /// Begins to run `body`, soon.
    open func start(_ body: @escaping () -> Void) throws(Errno) { throw .enosys }
    /// Stops the thread that runs until `wake`, or until the deadline; the caller is that thread.
    open func block(until deadline: Instant?) {}
    open func wake() {}
    /// Lets the others run.
    open func yield() {}
    /// Lets the others run as long as any of them is ready, within reason.
    open func yieldToAll() {}
}

/// The world of a process: what it shares with nobody's code. One per instance.
open class System {
    public init() {}
    open var now: Instant { Instant(nanoseconds: 0) }
    open var wallTime: WallTime { WallTime(nanosecondsSince1970: 0) }
    /// How long no thread had anything to do.
    open var idleNanoseconds: UInt64 { 0 }
    open func makeExecution() -> Execution { Execution() }
    open func fill(_ bytes: inout MutableRawSpan) {}
    /// One line of the log.
    open func log(_ line: [UInt8]) {}
    open func exit(_ status: Int32) {}
    /// The program ends by a fault of this thread.
    open func crashed(_ thread: LinuxThread, _ information: linux_signal_information) {}
    /// The instance's memory, in bytes.
    open var memoryByteCount: UInt64 { 0 }
    /// Interrupts programs so that none keeps the others waiting, from now on until nobody runs.
    open func startTicks() {}
}

import Containers
import NetFormats
import NetStack
import Resumption
import Time

/// A stack with the tasks that wait for it. Its owner drives it; everything belongs to the thread, or the actor, that does.
public final class Network: @unchecked Sendable {
    public let stack: NetStack
    private var deadlines = DeadlineHeap()
    private var waiting: [WaitingTask?] = []
    private var freeSlots: [Int] = []

    private var services: [NetworkService] = []

    public init(_ stack: NetStack) { self.stack = stack }

    /// Drives `service` with the network from now on.
    public func add(_ service: NetworkService) { services.append(service) }

    /// When `advance` must be called at the latest.
    public var nextDeadline: Instant {
        var deadline = min(stack.nextDeadline, deadlines.nextDeadline)
        for service in services { deadline = min(deadline, service.nextDeadline) }
        return deadline
    }

    /// Moves the time of the stack, and wakes tasks whose deadline has come.
    public func advance(to now: Instant) {
        stack.advance(to: now)
        while let slot = deadlines.removeDue(now: now) { waiting[slot]?.wake(.timedOut) }
        for service in services { service.advance(to: now) }
    }

    /// Suspends the task until what `register` was given is woken.
    public func wait(until deadline: Instant, _ register: (WaitingTask) -> Void) async throws(NetworkError) {
        switch await suspend(until: deadline, register).outcome {
        case .woken: return
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        }
    }

    /// Suspends the task until what `register` was given is woken, or until `deadline`, or until the task is cancelled.
    func suspend(until deadline: Instant, _ register: (WaitingTask) -> Void) async -> WaitingTask {
        let one = WaitingTask()
        guard deadline > stack.now else {
            one.wake(.timedOut)
            return one
        }
        await withTaskCancellationHandler {
            await Resumption.suspend { resumption in
                one.begin(resumption)
                register(one)
                if deadline != .distantFuture { schedule(one, at: deadline) }
            }
        } onCancel: {
            one.wake(.cancelled)
        }
        if one.slot >= 0 { unschedule(one) }
        return one
    }

    private func schedule(_ one: WaitingTask, at deadline: Instant) {
        if let slot = freeSlots.popLast() {
            one.slot = slot
            waiting[slot] = one
        } else {
            one.slot = waiting.count
            waiting.append(one)
        }
        deadlines.schedule(one.slot, at: deadline)
    }

    private func unschedule(_ one: WaitingTask) {
        deadlines.remove(one.slot)
        waiting[one.slot] = nil
        freeSlots.append(one.slot)
    }
}

/// Something that lives in a network beside its sockets, and is driven with it: after each batch of frames, and at its deadline.
open class NetworkService: @unchecked Sendable {
    public init() {}
    open var nextDeadline: Instant { .distantFuture }
    open func advance(to now: Instant) {}
}

extension Network {
    /// How long a configuration that has yet to come is waited for.
    private static var configurationLimit: Duration { .seconds(10) }
    private static var configurationStep: Duration { .milliseconds(5) }

    /// Waits while there is no way to `address` but one may turn up: a lease, a router.
    public func waitForWay(to address: SocketAddress, until deadline: Instant = .distantFuture) async throws(NetworkError) {
        let limit = min(deadline, stack.now.advanced(by: Self.configurationLimit))
        while !stack.isReachable(address), stack.mayBecomeReachable(address.address), stack.now < limit {
            let one = await suspend(until: stack.now.advanced(by: Self.configurationStep)) { _ in }
            if one.outcome == .cancelled { throw .cancelled }
        }
    }

    /// Waits while no name server is known but a lease or a router may tell of one.
    public func waitForNameServer(until deadline: Instant = .distantFuture) async throws(NetworkError) {
        let limit = min(deadline, stack.now.advanced(by: Self.configurationLimit))
        while stack.nameServers.isEmpty, stack.mayBecomeReachable(.v4(.unspecified)), stack.now < limit {
            let one = await suspend(until: stack.now.advanced(by: Self.configurationStep)) { _ in }
            if one.outcome == .cancelled { throw .cancelled }
        }
    }
}

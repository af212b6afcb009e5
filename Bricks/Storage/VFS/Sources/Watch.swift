/// What inotify(7) reports, by its own bits.
public struct WatchEvents: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var access: WatchEvents { WatchEvents(rawValue: 1) }
    public static var modify: WatchEvents { WatchEvents(rawValue: 2) }
    public static var attributes: WatchEvents { WatchEvents(rawValue: 4) }
    public static var closeWrite: WatchEvents { WatchEvents(rawValue: 8) }
    public static var closeNoWrite: WatchEvents { WatchEvents(rawValue: 0x10) }
    public static var open: WatchEvents { WatchEvents(rawValue: 0x20) }
    public static var movedFrom: WatchEvents { WatchEvents(rawValue: 0x40) }
    public static var movedTo: WatchEvents { WatchEvents(rawValue: 0x80) }
    public static var create: WatchEvents { WatchEvents(rawValue: 0x100) }
    public static var delete: WatchEvents { WatchEvents(rawValue: 0x200) }
    public static var deleteSelf: WatchEvents { WatchEvents(rawValue: 0x400) }
    public static var moveSelf: WatchEvents { WatchEvents(rawValue: 0x800) }
    public static var unmount: WatchEvents { WatchEvents(rawValue: 0x2000) }
    public static var overflow: WatchEvents { WatchEvents(rawValue: 0x4000) }
    public static var ignored: WatchEvents { WatchEvents(rawValue: 0x8000) }
    public static var isDirectory: WatchEvents { WatchEvents(rawValue: 0x4000_0000) }
}

/// Is told what happens to a vnode. The vnode keeps it until it is removed.
open class Watch {
    public init() {}
    /// `name`: of the entry, when the vnode is the directory that holds it; empty for the vnode itself.
    open func report(_ events: WatchEvents, cookie: UInt32, name: RawSpan) {}
}

extension Vnode {
    public final func report(_ events: WatchEvents, cookie: UInt32 = 0, name: RawSpan) {
        for watch in watches { watch.report(events, cookie: cookie, name: name) }
    }

    public final func report(_ events: WatchEvents) {
        guard isWatched else { return }
        let saysKind = kind == .directory && !events.contains(.deleteSelf)
        report(saysKind ? events.union(.isDirectory) : events, name: RawSpan())
    }
}

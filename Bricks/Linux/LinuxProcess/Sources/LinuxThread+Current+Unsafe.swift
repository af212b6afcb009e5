// SAFETY: one processor; set whenever a thread begins to run.
nonisolated(unsafe) private var running: LinuxThread?

extension LinuxThread {
    /// The thread whose call is being answered.
    public static var current: LinuxThread? {
        get { unsafe running }
        set { unsafe running = newValue }
    }
}

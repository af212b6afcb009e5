import ELFLoader
import LinuxFiles
import LinuxNetwork
import LinuxPipes
import LinuxProcess
import LinuxTime

/// Every call that programs have. docs/syscalls.md lists them.
enum SyscallRows {
    static func add(to catalogue: Catalogue) {
        ProcessRows.add(to: catalogue)
        ExecRows.add(to: catalogue)
        FileCalls.add(to: catalogue)
        PipeRows.add(to: catalogue)
        TimeRows.add(to: catalogue)
        SocketRows.add(to: catalogue)
    }
}

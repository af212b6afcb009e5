import Errno
import LinuxFormat
import LinuxProcess

/// The rows of the catalogue for sockets.
public enum SocketRows {
    public static func add(to catalogue: Catalogue) {
        catalogue.add(Syscall(.socket, .partial("AF_UNIX, AF_INET, AF_INET6 and NETLINK_ROUTE; no raw sockets"), LinuxThread.sysSocket))
        catalogue.add(Syscall(.socketpair, .full, LinuxThread.sysSocketpair))
        catalogue.add(Syscall(.bind, .full, LinuxThread.sysBind))
        catalogue.add(Syscall(.listen, .full, LinuxThread.sysListen))
        catalogue.add(Syscall(.accept, .full, LinuxThread.sysAccept))
        catalogue.add(Syscall(.accept4, .full, LinuxThread.sysAccept4))
        catalogue.add(Syscall(.connect, .full, LinuxThread.sysConnect))
        catalogue.add(Syscall(.getsockname, .full, LinuxThread.sysGetsockname))
        catalogue.add(Syscall(.getpeername, .full, LinuxThread.sysGetpeername))
        catalogue.add(Syscall(.shutdown, .full, LinuxThread.sysShutdown))
        let messages: Syscall.Level = .partial("no out-of-band data, no MSG_ERRQUEUE, no MSG_ZEROCOPY")
        catalogue.add(Syscall(.sendto, messages, LinuxThread.sysSendto))
        catalogue.add(Syscall(.recvfrom, messages, LinuxThread.sysRecvfrom))
        catalogue.add(Syscall(.sendmsg, messages, LinuxThread.sysSendmsg))
        catalogue.add(Syscall(.recvmsg, messages, LinuxThread.sysRecvmsg))
        catalogue.add(Syscall(.sendmmsg, messages, LinuxThread.sysSendmmsg))
        catalogue.add(Syscall(.recvmmsg, messages, LinuxThread.sysRecvmmsg))
        let options: Syscall.Level = .partial("buffer sizes and some others are kept and change nothing")
        catalogue.add(Syscall(.setsockopt, options, LinuxThread.sysSetsockopt))
        catalogue.add(Syscall(.getsockopt, options, LinuxThread.sysGetsockopt))
    }
}

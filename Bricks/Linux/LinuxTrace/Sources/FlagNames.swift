import Bytes

/// Names of flags and numbers of arguments, as the manual pages have them.
enum FlagNames {
    /// "PROT_READ|PROT_WRITE"; what has no name is hexadecimal.
    static func text(_ letter: UInt8, _ value: UInt64) -> [UInt8] {
        var text: [UInt8] = []
        var rest = value
        table.forEachLine { line in
            guard line.first == letter else { return }
            let isSet = line[1] == 0x7c
            var prefix: [UInt8] = []
            var name: [UInt8]?
            for word in line[2...].split(separator: 0x20) {
                guard let current = name else {
                    if word.last == 0x5f { prefix = Array(word) } else { name = prefix + word }
                    continue
                }
                name = nil
                let number = word.reduce(0) { $0 << 4 | UInt64($1 < 0x3a ? $1 - 0x30 : $1 - 0x57) }
                let matches = isSet && number != 0 ? rest & number == number : value == number
                guard matches, text.isEmpty || isSet && number != 0 else { continue }
                if !text.isEmpty { text.append(0x7c) }
                text += current
                rest &= ~number
            }
        }
        if rest == 0, !text.isEmpty { return text }
        if !text.isEmpty { text.append(0x7c) }
        return text + (rest == 0 ? [0x30] : hexadecimal(rest))
    }

    // A letter; "|" a set, "=" one of them; then prefixes, which end in "_", and names with their values in hexadecimal.
    private static var table: StaticString {
        """
        O|O_ TMPFILE 410000 PATH 200000 CREAT 40 EXCL 80 NOCTTY 100 TRUNC 200 APPEND 400 NONBLOCK 800 SYNC 101000 DSYNC 1000 \
        DIRECT 4000 NOFOLLOW 20000 NOATIME 40000 CLOEXEC 80000 DIRECTORY 10000
        L|O_ NONBLOCK 800 DIRECT 4000 CLOEXEC 80000
        P|PROT_ NONE 0 READ 1 WRITE 2 EXEC 4 GROWSDOWN 1000000
        M|MAP_ SHARED_VALIDATE 3 SHARED 1 PRIVATE 2 FIXED 10 ANONYMOUS 20 GROWSDOWN 100 DENYWRITE 800 LOCKED 2000 NORESERVE 4000 \
        POPULATE 8000 NONBLOCK 10000 STACK 20000 HUGETLB 40000 FIXED_NOREPLACE 100000
        A|F_OK 0 R_OK 4 W_OK 2 X_OK 1
        F|AT_ SYMLINK_NOFOLLOW 100 REMOVEDIR 200 SYMLINK_FOLLOW 400 NO_AUTOMOUNT 800 EMPTY_PATH 1000 STATX_FORCE_SYNC 2000
        w=SEEK_ SET 0 CUR 1 END 2 DATA 3 HOLE 4
        h=SIG_ BLOCK 0 UNBLOCK 1 SETMASK 2
        c=CLOCK_ REALTIME 0 MONOTONIC 1 PROCESS_CPUTIME_ID 2 THREAD_CPUTIME_ID 3 MONOTONIC_RAW 4 REALTIME_COARSE 5 \
        MONOTONIC_COARSE 6 BOOTTIME 7
        b=MADV_ NORMAL 0 RANDOM 1 SEQUENTIAL 2 WILLNEED 3 DONTNEED 4 FREE 8 DONTFORK a HUGEPAGE e NOHUGEPAGE f DONTDUMP 10
        f=F_ DUPFD 0 GETFD 1 SETFD 2 GETFL 3 SETFL 4 GETLK 5 SETLK 6 SETLKW 7 OFD_SETLK 25 DUPFD_CLOEXEC 406 GETPIPE_SZ 408 ADD_SEALS 409
        e=EPOLL_CTL_ ADD 1 DEL 2 MOD 3
        v|EPOLLIN 1 EPOLLPRI 2 EPOLLOUT 4 EPOLLERR 8 EPOLLHUP 10 EPOLLRDHUP 2000 EPOLLEXCLUSIVE 10000000 EPOLLONESHOT 40000000 \
        EPOLLET 80000000
        j|POLLIN 1 POLLPRI 2 POLLOUT 4 POLLERR 8 POLLHUP 10 POLLNVAL 20 POLLRDHUP 2000
        X=AF_ UNSPEC 0 UNIX 1 INET 2 INET6 a NETLINK 10
        Y|SOCK_ DGRAM 2 STREAM 1 SEQPACKET 5 CLOEXEC 80000 NONBLOCK 800
        k|MSG_ OOB 1 PEEK 2 TRUNC 20 DONTWAIT 40 WAITALL 100 NOSIGNAL 4000 MORE 8000 CMSG_CLOEXEC 40000000
        K|CLONE_ VM 100 FS 200 FILES 400 SIGHAND 800 VFORK 4000 THREAD 10000 SYSVSEM 40000 SETTLS 80000 PARENT_SETTID 100000 \
        CHILD_CLEARTID 200000 CHILD_SETTID 1000000 SIGCHLD 11
        I=TCGETS 5401 TCSETS 5402 TIOCGPGRP 540f TIOCGWINSZ 5413 FIONREAD 541b FIONBIO 5421 FIOCLEX 5451
        z=PR_ SET_PDEATHSIG 1 SET_DUMPABLE 4 SET_NAME f GET_NAME 10 CAPBSET_READ 17 SET_NO_NEW_PRIVS 26 SET_VMA 53564d41
        C=ARCH_ SET_GS 1001 SET_FS 1002 GET_FS 1003 GET_GS 1004
        r=RLIMIT_ CPU 0 FSIZE 1 DATA 2 STACK 3 CORE 4 RSS 5 NPROC 6 NOFILE 7 MEMLOCK 8 AS 9
        Z=FUTEX_ WAIT 0 WAKE 1 REQUEUE 3 CMP_REQUEUE 4 WAKE_OP 5 LOCK_PI 6 UNLOCK_PI 7 WAIT_BITSET 9 WAKE_BITSET a
        s|SA_ NOCLDSTOP 1 NOCLDWAIT 2 SIGINFO 4 RESTORER 4000000 ONSTACK 8000000 RESTART 10000000 NODEFER 40000000 RESETHAND 80000000
        """
    }
}

func hexadecimal(_ value: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = value
    repeat {
        let digit = UInt8(rest & 15)
        digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        rest >>= 4
    } while rest > 0
    digits.append(0x78)
    digits.append(0x30)
    digits.reverse()
    return digits
}

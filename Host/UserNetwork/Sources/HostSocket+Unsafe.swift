import Glibc
import LinuxSockets
import NetFormats

/// A non-blocking socket of the host. It is closed by `close()`, not by itself.
struct HostSocket {
    let descriptor: Int32

    enum Kind {
        case tcp, udp
        /// Echo without privilege: a datagram socket of ICMP (Linux, icmp(7)).
        case echo
    }

    /// What an operation came to: a count, or that it must wait, or `errno`.
    enum Outcome: Equatable {
        case done(Int)
        case wait
        case failed(Int32)

        init(_ result: Int) {
            if result >= 0 {
                self = .done(result)
            } else {
                self = errno == EAGAIN || errno == EINTR ? .wait : .failed(errno)
            }
        }
    }

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Nil, with `errno`, if there is none.
    init?(_ kind: Kind, isIPv6: Bool) {
        let type = (kind == .tcp ? Int32(SOCK_STREAM.rawValue) : Int32(SOCK_DGRAM.rawValue)) | Int32(SOCK_NONBLOCK.rawValue)
        let icmp = Int32(isIPv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), kind == .echo ? icmp : 0)
        guard descriptor >= 0 else { return nil }
    }

    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // SAFETY: the option's value is read during the call.
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// As many descriptors as the system lets this program have: each connection takes one.
    static func raiseDescriptorLimit() {
        var limit = rlimit()
        // SAFETY: the structure is written and read during the calls.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    func setNoDelay() { set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    func close() { Glibc.close(descriptor) }

    /// Closes with a RST.
    func reset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        // SAFETY: as in `set`.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Adds one to an eventfd.
    func signal() {
        var one: UInt64 = 1
        // SAFETY: an eventfd takes eight bytes.
        _ = unsafe write(descriptor, &one, 8)
    }

    func shutdownWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The error that a connection attempt ended with; 0: none.
    func takeError() -> Int32 {
        var value: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        // SAFETY: the kernel writes at most the four bytes it is given.
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &byteCount) == 0 else { return errno }
        return value
    }

    func connect(to address: SocketAddress) -> Outcome {
        var storage = NativeAddress(address)
        let result = unsafe storage.withPointer { pointer, byteCount in unsafe Glibc.connect(descriptor, pointer, byteCount) }
        return result < 0 && errno == EINPROGRESS ? .wait : Outcome(Int(result))
    }

    /// False, with `errno`, if the address is taken or forbidden.
    func bind(to address: SocketAddress) -> Bool {
        if address.address.isIPv6 { set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        var storage = NativeAddress(address)
        return unsafe storage.withPointer { pointer, byteCount in unsafe Glibc.bind(descriptor, pointer, byteCount) } == 0
    }

    /// Its own address.
    var localAddress: SocketAddress? {
        var storage = NativeAddress()
        let result = unsafe storage.withWritablePointer { pointer, byteCount in unsafe getsockname(descriptor, pointer, byteCount) }
        return result == 0 ? storage.address : nil
    }

    /// Nil: nobody is waiting, or no descriptor is left.
    func accept() -> (HostSocket, SocketAddress)? {
        var storage = NativeAddress()
        let result = unsafe storage.withWritablePointer { pointer, byteCount in unsafe brique_accept(descriptor, pointer, byteCount) }
        guard result >= 0 else { return nil }
        return (HostSocket(descriptor: result), storage.address ?? SocketAddress(IPv4Address.unspecified, port: 0))
    }
}

extension HostSocket {
    func receive(into buffer: TransferBuffer, limit: Int) -> Outcome {
        // SAFETY: the buffer owns `byteCount` bytes, and the limit is below that.
        Outcome(unsafe recv(descriptor, buffer.start, min(limit, buffer.byteCount), 0))
    }

    func receive(into buffer: TransferBuffer) -> (Outcome, from: SocketAddress?) {
        var storage = NativeAddress()
        let count = unsafe storage.withWritablePointer { pointer, byteCount in
            // SAFETY: as above; the address is written within its length.
            unsafe recvfrom(descriptor, buffer.start, buffer.byteCount, 0, pointer, byteCount)
        }
        return (Outcome(count), count >= 0 ? storage.address : nil)
    }

    /// Sends both pieces, or a part of them.
    func send(_ first: RawSpan, _ second: RawSpan, to address: SocketAddress? = nil) -> Outcome {
        var storage = address.map { NativeAddress($0) } ?? NativeAddress()
        // SAFETY: the pieces and the address are borrowed for the call alone; sendmsg reads them and keeps nothing.
        return unsafe first.withUnsafeBytes { first in
            unsafe second.withUnsafeBytes { second in
                var pieces = unsafe (
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
                )
                return unsafe withUnsafeMutablePointer(to: &pieces) { pieces in
                    unsafe storage.withPointer { name, nameByteCount in
                        var message = unsafe msghdr()
                        if address != nil {
                            unsafe message.msg_name = UnsafeMutableRawPointer(mutating: name)
                            unsafe message.msg_namelen = nameByteCount
                        }
                        unsafe message.msg_iov = UnsafeMutableRawPointer(pieces).assumingMemoryBound(to: iovec.self)
                        unsafe message.msg_iovlen = second.count > 0 ? 2 : 1
                        return Outcome(unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)))
                    }
                }
            }
        }
    }
}

/// Bytes on their way between two descriptors.
@safe final class TransferBuffer {
    fileprivate let start: UnsafeMutableRawPointer
    let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = byteCount
        // SAFETY: allocated and zeroed here, freed in deinit; spans borrow the object.
        unsafe start = .allocate(byteCount: byteCount, alignment: 64)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    deinit { unsafe start.deallocate() }

    func withBytes<Result>(_ count: Int, _ body: (RawSpan) -> Result) -> Result {
        precondition(count >= 0 && count <= byteCount)
        // SAFETY: the memory is initialized and lives as long as this object, which the call keeps alive.
        return unsafe body(UnsafeRawBufferPointer(start: start, count: count).bytes)
    }
}

/// A `sockaddr` of either family.
struct NativeAddress {
    private var storage = sockaddr_storage()
    private var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)

    init() {}

    init(_ address: SocketAddress) {
        switch address.address {
        case .v4(let v4):
            var native = sockaddr_in()
            native.sin_family = sa_family_t(AF_INET)
            native.sin_port = address.port.bigEndian
            native.sin_addr.s_addr = v4.rawValue.bigEndian
            store(native)
        case .v6(let v6):
            var native = sockaddr_in6()
            native.sin6_family = sa_family_t(AF_INET6)
            native.sin6_port = address.port.bigEndian
            native.sin6_scope_id = address.zone
            var words = (v6.high.bigEndian, v6.low.bigEndian)
            // SAFETY: both are sixteen bytes without padding.
            unsafe withUnsafeMutableBytes(of: &native.sin6_addr) { target in
                unsafe withUnsafeBytes(of: &words) { source in unsafe target.copyMemory(from: source) }
            }
            store(native)
        }
    }

    private mutating func store<Native>(_ native: Native) {
        var native = native
        byteCount = socklen_t(MemoryLayout<Native>.size)
        // SAFETY: sockaddr_storage is larger than each of the two, which are plain bytes.
        unsafe withUnsafeMutableBytes(of: &storage) { target in
            unsafe withUnsafeBytes(of: &native) { source in unsafe target.copyMemory(from: source) }
        }
    }

    var address: SocketAddress? {
        var copy = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            // SAFETY: the family says which structure the kernel wrote.
            let native = unsafe withUnsafeBytes(of: &copy) { unsafe $0.load(as: sockaddr_in.self) }
            return SocketAddress(IPv4Address(rawValue: UInt32(bigEndian: native.sin_addr.s_addr)), port: UInt16(bigEndian: native.sin_port))
        case AF_INET6:
            // SAFETY: as above; the address is the sixteen bytes at offset 8 (RFC 3493 §3.3).
            let native = unsafe withUnsafeBytes(of: &copy) { unsafe $0.load(as: sockaddr_in6.self) }
            let words = unsafe withUnsafeBytes(of: &copy) {
                unsafe ($0.loadUnaligned(fromByteOffset: 8, as: UInt64.self), $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            }
            let v6 = IPv6Address(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
            return SocketAddress(v6, port: UInt16(bigEndian: native.sin6_port), zone: native.sin6_scope_id)
        default: return nil
        }
    }

    mutating func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let byteCount = byteCount
        // SAFETY: every sockaddr begins with the family; the length tells the kernel how much there is.
        return unsafe withUnsafeBytes(of: &storage) { unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), byteCount) }
    }

    mutating func withWritablePointer<Result>(_ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result) -> Result
    {
        byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var count = byteCount
        defer { byteCount = count }
        // SAFETY: the kernel writes at most the length it is given.
        return unsafe withUnsafeMutableBytes(of: &storage) {
            unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &count)
        }
    }
}

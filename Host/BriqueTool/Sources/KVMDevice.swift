import Glibc
import SystemPackage

/// The host's /dev/kvm (Linux, Documentation/virt/kvm/api.rst).
enum KVMDevice {
    static let path = "/dev/kvm"
    /// KVM_GET_API_VERSION; its answer has been 12 since Linux 2.6.22.
    private static let apiVersionRequest: UInt = 0xae00
    private static let apiVersion: Int32 = 12
    /// KVM_CREATE_VM
    private static let createRequest: UInt = 0xae01

    /// Why it cannot be used, nil when it can.
    static func reasonAgainst() -> String? {
        withDevice { device in
            let version = ioctl(device.rawValue, apiVersionRequest, CInt(0))
            return version == apiVersion ? nil : "\(path) speaks version \(version) of its interface, not \(apiVersion)"
        }
    }

    /// As `reasonAgainst`, and makes a virtual machine to be sure.
    static func reasonAgainstMachine() -> String? {
        reasonAgainst()
            ?? withDevice { device in
                let machine = ioctl(device.rawValue, createRequest, CInt(0))
                guard machine >= 0 else { return "\(path) makes no virtual machine: \(Errno(rawValue: errno))" }
                close(machine)
                return nil
            }
    }

    private static func withDevice(_ body: (FileDescriptor) -> String?) -> String? {
        do {
            let device = try FileDescriptor.open(FilePath(path), .readWrite, options: .closeOnExec)
            defer { try? device.close() }
            return body(device)
        } catch Errno.noSuchFileOrDirectory {
            return "there is no \(path): no virtualization, or the kvm module is not loaded"
        } catch Errno.permissionDenied {
            return "no permission for \(path): join its group (usually kvm)"
        } catch {
            return "\(path): \(error)"
        }
    }
}

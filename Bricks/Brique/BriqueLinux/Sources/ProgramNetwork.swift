#if hasFeature(Embedded)
    import InstanceNetwork
    import DevFS
    import LinuxNetwork
    import LinuxPipes
    import LinuxProcess
    import LinuxTime
    import Sockets
    import VFS

    extension LinuxProgram {
        /// What pipes, timers and sockets need: the run loop's clock, and the instance's own network, which is up from here on.
        static func addServices(to process: LinuxProcess, _ devices: Devices) {
            devices.fifos = FIFOs()
            process.attachments.append(TimeServices(TimeSource()))
            process.attachments.append(SocketNetwork(Network.bringUp().network.stack, paths: process.paths))
        }
    }
#endif

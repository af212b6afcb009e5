#if hasFeature(Embedded)
    import ELFLoader
    import LinuxFiles
    import LinuxNetwork
    import LinuxPipes
    import LinuxProcess
    import LinuxTime

    extension LinuxProgram {
        static func addRows(to catalogue: Catalogue) {
            ProcessRows.add(to: catalogue)
            ExecRows.add(to: catalogue)
            FileCalls.add(to: catalogue)
            PipeRows.add(to: catalogue)
            TimeRows.add(to: catalogue)
            SocketRows.add(to: catalogue)
        }
    }
#endif

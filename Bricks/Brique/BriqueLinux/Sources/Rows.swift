#if hasFeature(Embedded)
    import ELFLoader
    import LinuxFiles
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
        }
    }
#endif

#if hasFeature(Embedded)
    import ELFLoader
    import LinuxFiles
    import LinuxProcess

    extension LinuxProgram {
        static func addRows(to catalogue: Catalogue) {
            ExecRows.add(to: catalogue)
            FileCalls.add(to: catalogue)
            ProcessRows.add(to: catalogue)
        }
    }
#endif

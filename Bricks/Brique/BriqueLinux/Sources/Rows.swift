#if hasFeature(Embedded)
    import ELFLoader
    import LinuxProcess

    extension LinuxProgram {
        static func addRows(to catalogue: Catalogue) {
            ExecRows.add(to: catalogue)
        }
    }
#endif

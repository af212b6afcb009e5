#if hasFeature(Embedded)
    import CHypercalls

    // SAFETY: the assembly calls these on the kernel stack of the thread that runs.
    @c(brique_program_answer)
    public func answerProgram(_ context: UnsafeMutablePointer<brique_user_context>) -> Int64 { LinuxThread.current!.answer() }

    @c(brique_program_interrupted)
    public func interruptProgram(_ context: UnsafeMutablePointer<brique_user_context>) {
        LinuxThread.current!.interrupted(
            vector: brique_program_vector(), error: brique_program_error(), address: brique_program_address())
    }

    @c(brique_program_tick)
    public func tickProgram(_ context: UnsafeMutablePointer<brique_user_context>) {
        LinuxThread.current!.interrupted(vector: UInt64(BRIQUE_VECTOR_TICK), error: 0, address: 0)
    }
#endif

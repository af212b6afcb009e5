// SAFETY: one processor, and nothing here is entered again from inside.
nonisolated(unsafe) private var spareStacks = SpareStacks()

func withSpareStacks<Result>(_ body: (inout SpareStacks) -> Result) -> Result { unsafe body(&spareStacks) }

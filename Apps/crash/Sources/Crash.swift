import Brique

/// Dies in the way that its argument names.
@main struct Crash {
    static func main() async {
        guard let way = Instance.arguments.first else {
            print("crash: trap, overflow, bounds, unwrap, pointer, readonly, stack, fiber, divide, memory, panic, hang, exit")
            Instance.exit(64)
        }
        print("about to \(way)")
        switch Way(named: way) {
        case .trap: fatalError("on purpose")
        case .overflow: overflow(by: Int.max)
        case .bounds: outOfBounds(index: 7)
        case .unwrap: unwrap(nil)
        case .pointer: readNowhere()
        case .readonly: writeToCode()
        case .stack: print(recurse(1))
        case .fiber: await overflowAFiber()
        case .divide: divide(by: 0)
        case .memory: exhaust()
        case .panic: precondition(Instance.arguments.count > 9, "a broken promise")
        case .hang: hang()
        case .exit: Instance.exit(42)
        case nil:
            print("crash: no such way")
            Instance.exit(64)
        }
    }
}

private enum Way: CaseIterable {
    case trap, overflow, bounds, unwrap, pointer, readonly, stack, fiber, divide, memory, panic, hang, exit

    init?(named name: String) {
        for way in Way.allCases where name.utf8.elementsEqual(way.name.utf8) {
            self = way
            return
        }
        return nil
    }

    private var name: String {
        switch self {
        case .trap: "trap"
        case .overflow: "overflow"
        case .bounds: "bounds"
        case .unwrap: "unwrap"
        case .pointer: "pointer"
        case .readonly: "readonly"
        case .stack: "stack"
        case .fiber: "fiber"
        case .divide: "divide"
        case .memory: "memory"
        case .panic: "panic"
        case .hang: "hang"
        case .exit: "exit"
        }
    }
}

@inline(never) private func overflow(by amount: Int) {
    let sum = Instance.arguments.count + amount
    print(sum)
}

@inline(never) private func outOfBounds(index: Int) {
    print(Instance.arguments[index])
}

@inline(never) private func unwrap(_ value: Int?) {
    print(value!)
}

@inline(never) private func readNowhere() {
    print(unsafe UnsafePointer<Int>(bitPattern: 0x1234_5678)!.pointee)
}

@inline(never) private func writeToCode() {
    let function: @convention(c) () -> Void = {}
    unsafe UnsafeMutablePointer<UInt8>(bitPattern: unsafeBitCast(function, to: UInt.self))!.pointee = 0
}

@inline(never) private func recurse(_ depth: Int) -> Int {
    guard depth > 0 else { return 0 }
    var words = InlineArray<16, Int>(repeating: depth)
    words[depth & 15] = recurse(depth + 1)
    return words[0] + words[depth & 15]
}

private func overflowAFiber() async {
    do {
        let fiber = try Fiber(stackByteCount: 16 << 10) { print(recurse(1)) }
        await fiber.finished()
    } catch {
        print("no room for a stack")
    }
}

@inline(never) private func divide(by divisor: Int) {
    print(100 / divisor)
}

@inline(never) private func exhaust() {
    var lists: [[UInt8]] = []
    while true { lists.append([UInt8](repeating: 1, count: 64 << 10)) }
}

@inline(never) private func hang() {
    var spins: UInt64 = 0
    while true { spins &+= Instant.now.nanoseconds | 1 }
}

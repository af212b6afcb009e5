import Foundation

/// brique-fuzz elf|erofs|boundary|formats|http|stack|tcp|all SECONDS [SEED]: feeds hostile bytes to whatever reads them.
/// A finding is a trap.
func usage() -> Never {
    FileHandle.standardError.write(Data("usage: brique-fuzz [elf|erofs|boundary|formats|http|stack|tcp|all] SECONDS [SEED]\n".utf8))
    exit(64)
}

// `./dev fuzz [SECONDS] [SEED]` names no target.
var words = Array(CommandLine.arguments.dropFirst())
if let first = words.first, first.allSatisfy(\.isNumber) || words.isEmpty { words.insert("all", at: 0) }
if words.isEmpty { words = ["all", "10"] }
guard words.count <= 3, words.count >= 2, let seconds = Double(words[1]), seconds > 0 else { usage() }
let seed: UInt64
if words.count == 3 {
    guard let given = UInt64(words[2]) else { usage() }
    seed = given
} else {
    seed = UInt64.random(in: .min ... .max)
}

let targets: [String: (UInt64, Double) throws -> String] = [
    "elf": fuzzELF, "erofs": fuzzEROFS, "boundary": fuzzBoundary, "http": fuzzHTTP, "stack": fuzzStack, "tcp": fuzzTCP,
    "formats": fuzzFormats,
]
let names = words[0] == "all" ? targets.keys.sorted() : [words[0]]
for name in names {
    guard let target = targets[name] else { usage() }
    let share = seconds / Double(names.count)
    // The seed is told first, and at once, so that it is known after a trap too.
    FileHandle.standardOutput.write(Data("\(name): seed \(seed), \(share) s\n".utf8))
    FileHandle.standardOutput.write(Data("\(name): \(try target(seed, share))\n".utf8))
}

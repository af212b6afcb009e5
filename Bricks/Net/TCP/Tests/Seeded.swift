import Random

typealias Seeded = SplitMix

import Brique
import BriqueLinux

/// Runs the program of the image's root.
@main struct Linux {
    static func main() async { await LinuxProgram.run() }
}

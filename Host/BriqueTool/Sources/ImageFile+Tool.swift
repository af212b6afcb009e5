import Image

extension ImageFile {
    /// The image at `path`, or the one line that says why it is none.
    static func open(_ path: String) throws(ToolFailure) -> ImageFile {
        do throws(ImageError) {
            return try ImageFile(path: path)
        } catch {
            switch error {
            case .unreadable: throw ToolFailure(.cannotOpen, "cannot read \(path): \(error.text)")
            case .tooLarge, .refused: throw ToolFailure(.imageRefused, "\(path) is not a Brique image: \(error.text)")
            }
        }
    }
}

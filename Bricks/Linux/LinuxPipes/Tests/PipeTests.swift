import Bytes
import Errno
import LinuxPipes
import Testing
import VFS

func bytes(_ count: Int, _ value: UInt8 = 7) -> [UInt8] { [UInt8](repeating: value, count: count) }

extension OpenFile {
    func tryWrite(_ data: [UInt8]) -> Result<Int, Errno> {
        do throws(Errno) { return .success(try write(data.raw)) } catch { return .failure(error) }
    }

    func tryRead(_ limit: Int) -> Result<[UInt8], Errno> {
        var buffer = [UInt8](repeating: 0, count: limit)
        var span = buffer.mutableSpan
        var raw = span.raw
        do throws(Errno) {
            let count = try read(into: &raw)
            return .success(Array(buffer[0..<count]))
        } catch {
            return .failure(error)
        }
    }
}

func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) { try body() } catch { return error }
    return nil
}

final class Witness: Observer {
    var events: [PollEvents] = []
    override func notify(_ events: PollEvents) { self.events.append(events) }
}

struct PipeTests {
    func make(_ flags: OpenFlags = []) -> (reader: PipeEnd, writer: PipeEnd) {
        let ends = Pipe.make(number: 1, flags)
        ends.reader.retain()
        ends.writer.retain()
        return ends
    }

    @Test func `bytes come out in order, whatever the sizes`() {
        let (reader, writer) = make()
        var sent = 0, received = 0
        var step = 1
        while sent < 300_000 {
            step = step * 7 % 9973
            let piece = (0..<step).map { UInt8(truncatingIfNeeded: sent + $0) }
            if case .success(let count) = writer.tryWrite(piece) { sent += count }
            guard case .success(let got) = reader.tryRead(step / 2 + 3000) else { continue }
            for byte in got {
                #expect(byte == UInt8(truncatingIfNeeded: received))
                received += 1
            }
        }
    }

    @Test func `a full pipe takes nothing of a small write, and part of a large one`() {
        let (reader, writer) = make()
        #expect(writer.tryWrite(bytes(65_000)) == .success(65_000))
        #expect(writer.tryWrite(bytes(4096)) == .failure(.eagain))
        #expect(writer.tryWrite(bytes(4097)) == .success(536))
        #expect(writer.tryWrite(bytes(1)) == .failure(.eagain))
        #expect(!writer.readiness.contains(.output))
        _ = reader.tryRead(4096)
        #expect(writer.readiness == .output)
    }

    @Test func `ends see each other go`() {
        let (reader, writer) = make()
        let atReader = Witness(), atWriter = Witness()
        reader.observers.add(atReader)
        writer.observers.add(atWriter)
        #expect(reader.tryRead(1) == .failure(.eagain))
        _ = writer.tryWrite([1])
        #expect(atReader.events == [.input])
        writer.release()
        #expect(reader.readiness == [.input, .hangUp])
        #expect(reader.tryRead(10) == .success([1]))
        #expect(reader.tryRead(10) == .success([]))
        let (other, broken) = make()
        other.release()
        #expect(broken.readiness.contains(.error))
        #expect(broken.tryWrite([1]) == .failure(.epipe))
    }

    @Test func `packets stay apart, and their rest is lost`() {
        let (reader, writer) = make(.direct)
        _ = writer.tryWrite([1, 2, 3])
        _ = writer.tryWrite([4, 5])
        #expect(reader.tryRead(2) == .success([1, 2]))
        #expect(reader.tryRead(9) == .success([4, 5]))
    }

    @Test func `the capacity is a power of two and never below what is inside`() throws {
        let (_, writer) = make()
        #expect(try writer.pipe.setCapacity(5000, isPrivileged: false) == 8192)
        _ = writer.tryWrite(bytes(8192))
        #expect(failure { () throws(Errno) in _ = try writer.pipe.setCapacity(4096, isPrivileged: false) } == .ebusy)
        #expect(failure { () throws(Errno) in _ = try writer.pipe.setCapacity(2 << 20, isPrivileged: false) } == .eperm)
    }

    @Test func `an event counter adds up, or counts down as a semaphore`() {
        let counter = EventCounter(value: 3, isSemaphore: false, []), semaphore = EventCounter(value: 2, isSemaphore: true, [])
        #expect(counter.tryWrite([2, 0, 0, 0, 0, 0, 0, 0]) == .success(8))
        #expect(counter.tryRead(8) == .success([5, 0, 0, 0, 0, 0, 0, 0]))
        #expect(counter.tryRead(8) == .failure(.eagain))
        #expect(counter.tryRead(7) == .failure(.einval))
        #expect(counter.tryWrite(bytes(8, 0xff)) == .failure(.einval))
        #expect(counter.tryWrite([0xfe] + bytes(7, 0xff)) == .success(8))
        #expect(counter.readiness == .input)
        #expect(counter.tryWrite([1, 0, 0, 0, 0, 0, 0, 0]) == .failure(.eagain))
        for _ in 0..<2 { #expect(semaphore.tryRead(8) == .success([1, 0, 0, 0, 0, 0, 0, 0])) }
        #expect(semaphore.tryRead(8) == .failure(.eagain))
    }
}

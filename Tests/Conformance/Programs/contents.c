// Bytes of files: read and write in all forms, offsets, append, truncation, holes, fallocate, copies in the kernel.
#include <limits.h>
#include <linux/falloc.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "check.h"
CHECK_STATE

static char text[256];
static const char *all(int file) {
    long count = pread(file, text, sizeof text - 1, 0);
    text[count < 0 ? 0 : count] = 0;
    return text;
}

static void offsets(void) {
    int file = make_file("file", "0123456789");
    returned("lseek to the start", lseek(file, 0, SEEK_SET));
    char byte[4] = "";
    returned("read", read(file, byte, 3));
    shown("its bytes", "%s", byte);
    returned("the offset", lseek(file, 0, SEEK_CUR));
    returned("pread leaves it", pread(file, byte, 2, 7));
    returned("the offset", lseek(file, 0, SEEK_CUR));
    returned("from the end", lseek(file, -2, SEEK_END));
    returned("read of more than is there", read(file, byte, 4));
    returned("read at the end", read(file, byte, 4));
    returned("beyond the end", lseek(file, 100, SEEK_SET));
    returned("read there", read(file, byte, 4));
    returned("before the start", lseek(file, -1, SEEK_SET));
    returned("from a point that is none", lseek(file, 0, 99));
    returned("a write beyond the end", write(file, "x", 1));
    returned("the size", lseek(file, 0, SEEK_END));
    pread(file, byte, 1, 50);
    number("between is zero", byte[0]);
    returned("pwrite at a negative offset", pwrite(file, "x", 1, -5));
    returned("pread at a negative offset", pread(file, byte, 1, -5));
    returned("pread beyond the end", pread(file, byte, 1, 1000));
    returned("an offset that is too large", pwrite(file, "abc", 3, LONG_MAX - 1));
    returned("a write of nothing", write(file, "", 0));
    returned("a read of nothing", read(file, byte, 0));
    returned("a negative count", syscall(SYS_read, file, byte, -1L));
    returned("a bad pointer", syscall(SYS_pread64, file, 8L, 5, 0));
    returned("a write from a bad pointer", syscall(SYS_write, file, 8L, 5));
    close(file);
    file = open("file", O_RDWR | O_APPEND);
    write(file, "end", 3);
    pwrite(file, "END", 3, 0);
    returned("O_APPEND, and pwrite with it: the size", lseek(file, 0, SEEK_END));
    close(file);
    unlink("file");
}

static void vectors(void) {
    int file = make_file("file", "");
    struct iovec parts[3] = {{"abc", 3}, {"", 0}, {"defg", 4}};
    returned("writev", writev(file, parts, 3));
    returned("pwritev", pwritev(file, parts, 1, 5));
    shown("the file", "%s", all(file));
    char a[3] = "", b[20] = "";
    struct iovec into[2] = {{a, 2}, {b, 10}};
    returned("preadv", preadv(file, into, 2, 1));
    shown("its parts", "%s %s", a, b);
    returned("preadv2 at the offset", preadv2(file, into, 2, -1, 0));
    returned("pwritev2 with RWF_APPEND", pwritev2(file, parts, 1, 0, RWF_APPEND));
    shown("the file", "%s", all(file));
    returned("an unknown flag", preadv2(file, into, 2, 0, 0x1000));
    returned("no parts", readv(file, into, 0));
    returned("a negative count of parts", syscall(SYS_readv, file, into, -1));
    returned("too many parts", syscall(SYS_readv, file, into, 1025));
    into[1].iov_len = (size_t)-1;
    returned("a part that is too large", readv(file, into, 2));
    into[1].iov_len = 10, into[1].iov_base = (void *)8;
    lseek(file, 0, SEEK_SET);
    returned("a bad second part", readv(file, into, 2));
    returned("bad parts", syscall(SYS_readv, file, 8L, 2));
    close(file);
    unlink("file");
}

static void sizes(void) {
    int file = make_file("file", "0123456789");
    struct stat state;
    returned("ftruncate to less", ftruncate(file, 4));
    shown("the file", "%s", all(file));
    returned("ftruncate to more", ftruncate(file, 8));
    pread(file, text, 8, 0);
    shown("zeros", "%d %d", text[4], text[7]);
    returned("truncate", truncate("file", 2));
    returned("a negative size", ftruncate(file, -1));
    returned("of a folder", truncate(".", 0));
    returned("of nothing", truncate("none", 0));
    int reading = open("file", O_RDONLY);
    returned("of a description for reading", ftruncate(reading, 0));
    close(reading);
    returned("fallocate", fallocate(file, 0, 0, 10000));
    fstat(file, &state);
    number("the size", state.st_size);
    number("blocks", state.st_blocks >= 20);
    returned("FALLOC_FL_KEEP_SIZE", fallocate(file, FALLOC_FL_KEEP_SIZE, 10000, 100000));
    fstat(file, &state);
    number("the size", state.st_size);
    pwrite(file, "kept", 4, 8192);
    returned("a hole", fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    pread(file, text, 4, 8192);
    shown("what is after it stays", "%.4s", text);
    returned("a hole without KEEP_SIZE", fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, 4096));
    returned("of no bytes", fallocate(file, 0, 0, 0));
    returned("negative", fallocate(file, 0, -1, 10));
    returned("posix_fallocate", posix_fallocate(file, 0, 20000));
    int pipes[2];
    must("pipe", pipe(pipes));
    returned("of a pipe", fallocate(pipes[1], 0, 0, 10));
    returned("ftruncate of a pipe", ftruncate(pipes[1], 0));
    returned("lseek of a pipe", lseek(pipes[0], 0, SEEK_CUR));
    returned("pread of a pipe", pread(pipes[0], text, 1, 0));
    returned("fsync of a pipe", fsync(pipes[0]));
    close(pipes[0]), close(pipes[1]);
    returned("fsync", fsync(file));
    returned("fdatasync", fdatasync(file));
    returned("sync_file_range", sync_file_range(file, 0, 0, 0));
    returned("posix_fadvise", posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL));
    returned("readahead", readahead(file, 0, 4096));
    close(file);
    unlink("file");
}

static void holes(void) {
    int file = make_file("sparse", "");
    must("ftruncate", ftruncate(file, 1L << 30));
    struct stat state;
    fstat(file, &state);
    number("blocks of a file of 1 GiB without bytes", state.st_blocks);
    must("pwrite", pwrite(file, "data", 4, 1 << 20));
    fstat(file, &state);
    holds("blocks with four bytes", state.st_blocks > 0 && state.st_blocks <= 128);
    returned("SEEK_DATA", lseek(file, 0, SEEK_DATA));
    returned("SEEK_HOLE", lseek(file, 0, SEEK_HOLE));
    returned("SEEK_HOLE in the data", lseek(file, 1 << 20, SEEK_HOLE) - (1 << 20));
    returned("SEEK_DATA after it", lseek(file, (1 << 20) + 4096, SEEK_DATA));
    returned("SEEK_HOLE at the end", lseek(file, 1L << 30, SEEK_HOLE));
    returned("SEEK_DATA beyond the end", lseek(file, 1L << 31, SEEK_DATA));
    fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096);
    returned("SEEK_DATA after a hole was made", lseek(file, 0, SEEK_DATA));
    fstat(file, &state);
    number("blocks then", state.st_blocks);
    close(file);
    unlink("sparse");
}

static void copies(void) {
    int from = make_file("from", "the quick brown fox"), to = make_file("to", "");
    off_t start = 4;
    returned("sendfile", sendfile(to, from, &start, 5));
    shown("copied", "%s, offset %ld", all(to), (long)start);
    lseek(from, 10, SEEK_SET);
    returned("sendfile from the offset", sendfile(to, from, NULL, 100));
    shown("copied", "%s", all(to));
    returned("at the end", sendfile(to, from, NULL, 100));
    loff_t in = 0, out = 2;
    returned("copy_file_range", copy_file_range(from, &in, to, &out, 3, 0));
    shown("copied", "%s, %ld %ld", all(to), (long)in, (long)out);
    out = 1;
    returned("copy_file_range over itself", copy_file_range(to, &(loff_t){0}, to, &out, 3, 0));
    returned("with a flag", copy_file_range(from, NULL, to, NULL, 3, 1));
    int pipes[2];
    must("pipe", pipe(pipes));
    in = 0;
    returned("splice into a pipe", splice(from, &in, pipes[1], NULL, 9, 0));
    returned("splice from it", splice(pipes[0], NULL, to, &(loff_t){0}, 9, 0));
    shown("copied", "%s", all(to));
    returned("splice without a pipe", splice(from, NULL, to, NULL, 9, 0));
    returned("an empty pipe with SPLICE_F_NONBLOCK", splice(pipes[0], NULL, to, NULL, 9, SPLICE_F_NONBLOCK));
    int second[2];
    must("pipe", pipe(second));
    write(pipes[1], "tee", 3);
    returned("tee", tee(pipes[0], second[1], 10, 0));
    returned("both have it", read(pipes[0], text, 10) + read(second[0], text, 10));
    struct iovec part = {"vmsplice", 8};
    returned("vmsplice", vmsplice(pipes[1], &part, 1, 0));
    returned("its bytes", read(pipes[0], text, 100));
    returned("sendfile into a pipe", sendfile(pipes[1], from, &(off_t){0}, 4));
    returned("sendfile from a pipe", sendfile(to, pipes[0], NULL, 4));
    returned("sendfile to a file for reading", sendfile(open("to", O_RDONLY), from, NULL, 4));
    returned("sendfile with a bad offset", syscall(SYS_sendfile, to, from, 8L, 4));
    unlink("from"), unlink("to");
}

static void unlinked(void) {
    int file = make_file("file", "still here");
    unlink("file");
    struct stat state;
    fstat(file, &state);
    number("links of an unlinked file", (long)state.st_nlink);
    shown("its bytes", "%s", all(file));
    returned("written", pwrite(file, "x", 1, 100000));
    fstat(file, &state);
    number("its size", state.st_size);
    close(file);
    // A file of some megabytes, by pieces of odd sizes.
    file = make_file("large", "");
    static unsigned char piece[70001];
    long total = 0;
    uint32_t sum = 0, back = 0;
    for (int round = 0; round < 100; round++) {
        for (int index = 0; index < (int)sizeof piece; index++) {
            piece[index] = (unsigned char)(index * 31 + round * 7);
            sum = sum * 33 + piece[index];
        }
        total += write(file, piece, sizeof piece);
    }
    number("bytes written", total);
    lseek(file, 0, SEEK_SET);
    for (long count; (count = read(file, piece, 65537)) > 0;)
        for (long index = 0; index < count; index++) back = back * 33 + piece[index];
    holds("read as they were written", sum == back);
    close(file);
    unlink("large");
}

int main(void) {
    topic = "contents";
    enter_scratch();
    offsets();
    vectors();
    sizes();
    holes();
    copies();
    unlinked();
    leave_scratch();
    return 0;
}

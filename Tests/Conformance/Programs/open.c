// open(2), openat2(2), creat(2), O_TMPFILE, and the errors of paths.
#include <linux/openat2.h>
#include <sys/vfs.h>
#include "check.h"
CHECK_STATE

static long opened(const char *path, int flags) {
    int file = open(path, flags, 0644);
    if (file < 0) return -1;
    close(file);
    return 0;
}

static void flags(void) {
    outcome("a file that is not there", opened("missing", O_RDONLY));
    outcome("O_CREAT", opened("file", O_RDWR | O_CREAT));
    outcome("O_CREAT of what is there", opened("file", O_RDWR | O_CREAT));
    outcome("O_CREAT with O_EXCL", opened("file", O_RDWR | O_CREAT | O_EXCL));
    close(make_file("text", "0123456789"));
    struct stat state;
    outcome("O_TRUNC", opened("text", O_WRONLY | O_TRUNC));
    stat("text", &state);
    number("its size then", state.st_size);
    outcome("a folder for writing", opened(".", O_WRONLY));
    outcome("a folder for reading", opened(".", O_RDONLY));
    outcome("a folder with O_CREAT", opened(".", O_RDONLY | O_CREAT));
    outcome("O_DIRECTORY of a file", opened("file", O_RDONLY | O_DIRECTORY));
    outcome("O_DIRECTORY of a folder", opened(".", O_RDONLY | O_DIRECTORY));
    outcome("a file with a slash after it", opened("file/", O_RDONLY));
    outcome("a new file with a slash after it", opened("new/", O_RDWR | O_CREAT));
    outcome("a file as a folder", opened("file/x", O_RDONLY));
    outcome("a folder that is not there", opened("none/x", O_RDWR | O_CREAT));
    outcome("an empty path", opened("", O_RDONLY));
    int file = open("file", O_RDONLY);
    returned("writing to O_RDONLY", write(file, "x", 1));
    close(file);
    file = open("file", O_WRONLY);
    returned("reading from O_WRONLY", read(file, &state, 1));
    close(file);
    file = open("file", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    shown("F_GETFL", "%o", fcntl(file, F_GETFL) & ~0100000);
    number("F_GETFD", fcntl(file, F_GETFD));
    close(file);
    file = open("file", O_PATH);
    returned("reading of O_PATH", read(file, &state, 1));
    returned("fstat of O_PATH", fstat(file, &state));
    returned("fchmod of O_PATH", fchmod(file, 0600));
    shown("its flags", "%o", fcntl(file, F_GETFL) & ~0100000);
    close(file);
    file = creat("created", 0751);
    fstat(file, &state);
    shown("creat with a umask", "%o", state.st_mode);
    close(file);
    outcome("the access mode 3", opened("file", 3));
    unlink("created"), unlink("text");
}

static void paths(void) {
    char name[5000];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    outcome("a name of 255", opened(name, O_RDWR | O_CREAT));
    unlink(name);
    name[255] = 'n', name[256] = 0;
    outcome("a name of 256", opened(name, O_RDWR | O_CREAT));
    for (int index = 0; index < 4095; index++) name[index] = index & 1 ? '/' : '.';
    name[4095] = 0, name[4094] = '.';
    outcome("a path of 4095", opened(name, O_RDONLY));
    name[4095] = '/', name[4096] = 0;
    outcome("a path of 4096", opened(name, O_RDONLY));
    outcome("a bad pointer", syscall(SYS_openat, AT_FDCWD, 8L, O_RDONLY));
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memset(page, 'a', 4096);
    outcome("a path that runs into nothing", syscall(SYS_openat, AT_FDCWD, page + 4090, O_RDONLY));
    strcpy(page + 4091, "file");
    outcome("a path that ends at the last byte", opened(page + 4091, O_RDONLY));
    outcome("names with more slashes", opened(".//.///file", O_RDONLY));
    int folder = open(".", O_RDONLY | O_DIRECTORY), file = open("file", O_RDONLY);
    outcome("openat a folder", openat(folder, "file", O_RDONLY));
    outcome("openat a file", openat(file, "file", O_RDONLY));
    outcome("openat a closed descriptor", openat(999, "file", O_RDONLY));
    outcome("openat it with a whole path", openat(999, "/dev/null", O_RDONLY));
    outcome("openat a folder, to its parent", openat(folder, "..", O_RDONLY));
    outcome("above the root", opened("/../../dev/null", O_RDONLY));
    close(folder), close(file);
    mkdir("folder", 0755);
    folder = open("folder", O_RDONLY);
    rmdir("folder");
    outcome("openat a folder that was removed", openat(folder, "x", O_RDWR | O_CREAT, 0644));
    outcome("its dot", openat(folder, ".", O_RDONLY));
    close(folder);
}

static void links(void) {
    returned("a symbolic link", symlink("file", "link"));
    outcome("opened through it", opened("link", O_RDONLY));
    outcome("O_NOFOLLOW", opened("link", O_RDONLY | O_NOFOLLOW));
    outcome("O_NOFOLLOW with O_PATH", opened("link", O_PATH | O_NOFOLLOW));
    outcome("O_CREAT with O_EXCL of a link", opened("link", O_RDWR | O_CREAT | O_EXCL));
    symlink("nowhere", "dangling");
    outcome("a link to nothing", opened("dangling", O_RDONLY));
    outcome("O_CREAT through it", opened("dangling", O_RDWR | O_CREAT));
    outcome("it made the file", opened("nowhere", O_RDONLY));
    symlink("loop-b", "loop-a"), symlink("loop-a", "loop-b");
    outcome("links in a circle", opened("loop-a", O_RDONLY));
    char from[16], to[16];
    for (int index = 0; index < 41; index++) {
        snprintf(from, sizeof from, "l%d", index);
        snprintf(to, sizeof to, index ? "l%d" : "file", index - 1);
        symlink(to, from);
    }
    outcome("forty links", opened("l39", O_RDONLY));
    outcome("forty-one links", opened("l40", O_RDONLY));
    for (int index = 0; index < 41; index++) snprintf(from, sizeof from, "l%d", index), unlink(from);
    mkdir("target", 0755), symlink("target", "folder-link");
    outcome("a link to a folder with O_DIRECTORY", opened("folder-link", O_RDONLY | O_DIRECTORY));
    outcome("with a slash and O_NOFOLLOW", opened("folder-link/", O_RDONLY | O_NOFOLLOW));
    outcome("a file through it", opened("folder-link/f", O_RDWR | O_CREAT));
    unlink("target/f"), rmdir("target");
    const char *names[] = {"link", "dangling", "nowhere", "loop-a", "loop-b", "folder-link"};
    for (int index = 0; index < 6; index++) unlink(names[index]);
}

static long second(const char *path, uint64_t open_flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = open_flags, .mode = mode, .resolve = resolve};
    long file = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (file < 0) return -1;
    close((int)file);
    return 0;
}

static void openat2_calls(void) {
    symlink("file", "link");
    symlink("/dev/null", "outside");
    outcome("openat2", second("file", O_RDONLY, 0, 0));
    outcome("a mode without O_CREAT", second("file", O_RDONLY, 0644, 0));
    outcome("an unknown flag", second("file", 1UL << 40, 0, 0));
    outcome("an unknown way", second("file", O_RDONLY, 0, 1 << 20));
    outcome("RESOLVE_NO_SYMLINKS", second("link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
    outcome("RESOLVE_BENEATH, a plain file", second("file", O_RDONLY, 0, RESOLVE_BENEATH));
    outcome("RESOLVE_BENEATH, a whole path", second("/dev/null", O_RDONLY, 0, RESOLVE_BENEATH));
    outcome("RESOLVE_BENEATH, the parent", second("..", O_RDONLY, 0, RESOLVE_BENEATH));
    outcome("RESOLVE_BENEATH, a link outside", second("outside", O_RDONLY, 0, RESOLVE_BENEATH));
    outcome("RESOLVE_IN_ROOT, a whole path", second("/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
    outcome("RESOLVE_IN_ROOT, the parent's", second("../../file", O_RDONLY, 0, RESOLVE_IN_ROOT));
    struct open_how how = {.flags = O_RDONLY};
    outcome("too few bytes", syscall(SYS_openat2, AT_FDCWD, "file", &how, 8));
    outcome("a bad pointer", syscall(SYS_openat2, AT_FDCWD, "file", 8L, sizeof how));
    char larger[64] = {0};
    outcome("more bytes, of zero", syscall(SYS_openat2, AT_FDCWD, "file", larger, 64));
    larger[50] = 1;
    outcome("more bytes, not of zero", syscall(SYS_openat2, AT_FDCWD, "file", larger, 64));
    unlink("link"), unlink("outside");
}

static void temporary(void) {
    int file = open(".", O_TMPFILE | O_RDWR, 0640);
    outcome("O_TMPFILE", file);
    struct stat state;
    fstat(file, &state);
    shown("its mode and links", "%o %ld", state.st_mode, (long)state.st_nlink);
    returned("written", write(file, "temporary", 9));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    returned("given a name", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    stat("named", &state);
    shown("its size and links", "%ld %ld", (long)state.st_size, (long)state.st_nlink);
    close(file);
    outcome("O_TMPFILE for reading", opened(".", O_TMPFILE | O_RDONLY));
    outcome("O_TMPFILE of a file", opened("file", O_TMPFILE | O_RDWR));
    outcome("O_TMPFILE where nothing is", opened("none", O_TMPFILE | O_RDWR));
    file = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    returned("with O_EXCL it gets no name", linkat(AT_FDCWD, path, AT_FDCWD, "second", AT_SYMLINK_FOLLOW));
    close(file);
    unlink("named");
}

int main(void) {
    topic = "open";
    enter_scratch();
    flags();
    paths();
    links();
    openat2_calls();
    temporary();
    unlink("file");
    leave_scratch();
    return 0;
}

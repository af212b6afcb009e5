// stat(2), statx(2), chmod, chown, utimensat, access, statfs, extended attributes: what is said about files.
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include "check.h"
CHECK_STATE

static void states(void) {
    int file = make_file("file", "12345");
    struct stat state, other;
    returned("fstat", fstat(file, &state));
    shown("mode, links, size", "%o %ld %ld", state.st_mode, (long)state.st_nlink, (long)state.st_size);
    shown("owner and group are ours", "%d %d", state.st_uid == getuid(), state.st_gid == getgid());
    returned("stat", stat("file", &other));
    holds("the same inode", state.st_ino == other.st_ino && state.st_dev == other.st_dev);
    returned("fstatat with AT_EMPTY_PATH", fstatat(file, "", &other, AT_EMPTY_PATH));
    returned("an empty path without", fstatat(file, "", &other, 0));
    returned("an unknown flag", fstatat(AT_FDCWD, "file", &other, 1));
    returned("of nothing", stat("none", &other));
    returned("into a bad pointer", syscall(SYS_fstat, file, 8L));
    returned("of a closed descriptor", fstat(999, &other));
    symlink("file", "link");
    lstat("link", &other);
    holds("lstat sees the link", S_ISLNK(other.st_mode));
    fstatat(AT_FDCWD, "link", &other, AT_SYMLINK_NOFOLLOW);
    holds("so does AT_SYMLINK_NOFOLLOW", S_ISLNK(other.st_mode));
    int64_t before = state.st_mtim.tv_sec * 1000000000LL + state.st_mtim.tv_nsec;
    sleep_ms(20);
    write(file, "x", 1);
    fstat(file, &other);
    holds("writing moves mtime", other.st_mtim.tv_sec * 1000000000LL + other.st_mtim.tv_nsec > before);
    sleep_ms(20);
    state = other;
    fchmod(file, 0600);
    fstat(file, &other);
    holds("chmod moves ctime", other.st_ctim.tv_sec > state.st_ctim.tv_sec || other.st_ctim.tv_nsec != state.st_ctim.tv_nsec);
    holds("and not mtime", other.st_mtim.tv_nsec == state.st_mtim.tv_nsec);
    int null = open("/dev/null", O_RDWR), pipes[2];
    must("pipe", pipe(pipes));
    fstat(null, &other);
    shown("/dev/null", "%o %d:%d", other.st_mode, major(other.st_rdev), minor(other.st_rdev));
    fstat(pipes[0], &other);
    shown("a pipe", "%o", other.st_mode);
    close(null), close(pipes[0]), close(pipes[1]), close(file);
}

static void extended(void) {
    struct statx state;
    returned("statx", statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &state));
    shown("mask, mode, size", "%x %o %ld", state.stx_mask & STATX_BASIC_STATS, state.stx_mode, (long)state.stx_size);
    returned("of a link itself", statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &state));
    holds("it is one", S_ISLNK(state.stx_mode));
    returned("AT_EMPTY_PATH", statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_TYPE, &state));
    returned("AT_STATX_DONT_SYNC", statx(AT_FDCWD, "file", AT_STATX_DONT_SYNC, STATX_ALL, &state));
    returned("an unknown flag", statx(AT_FDCWD, "file", 1, STATX_ALL, &state));
    returned("a reserved mask", statx(AT_FDCWD, "file", 0, 0x80000000, &state));
    returned("both ways to synchronize", statx(AT_FDCWD, "file", AT_STATX_DONT_SYNC | AT_STATX_FORCE_SYNC, STATX_ALL, &state));
    returned("bad pointers", syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_ALL, 8L));
}

static void times(void) {
    struct timespec value[2] = {{1000, 5}, {2000, 7}}, omit[2] = {{0, UTIME_OMIT}, {3000, 9}}, bad[2] = {{0, 1000000000}, {0, 0}};
    struct stat state;
    returned("utimensat", utimensat(AT_FDCWD, "file", value, 0));
    stat("file", &state);
    shown("times", "%ld.%09ld %ld.%09ld", state.st_atim.tv_sec, state.st_atim.tv_nsec, state.st_mtim.tv_sec, state.st_mtim.tv_nsec);
    returned("UTIME_OMIT", utimensat(AT_FDCWD, "file", omit, 0));
    stat("file", &state);
    shown("times", "%ld %ld", state.st_atim.tv_sec, state.st_mtim.tv_sec);
    returned("a billion nanoseconds", utimensat(AT_FDCWD, "file", bad, 0));
    returned("of a link", utimensat(AT_FDCWD, "link", value, AT_SYMLINK_NOFOLLOW));
    lstat("link", &state);
    number("its time", state.st_mtim.tv_sec);
    returned("now", utimensat(AT_FDCWD, "file", NULL, 0));
    stat("file", &state);
    holds("is now", state.st_mtim.tv_sec > 1000000000);
    int file = open("file", O_RDONLY);
    returned("futimens", futimens(file, value));
    returned("of nothing", utimensat(AT_FDCWD, "none", value, 0));
    returned("a bad pointer", syscall(SYS_utimensat, AT_FDCWD, "file", 8L, 0));
    returned("an unknown flag", utimensat(AT_FDCWD, "file", value, 1));
    close(file);
}

static void modes(void) {
    struct stat state;
    returned("chmod", chmod("file", 04751));
    stat("file", &state);
    shown("the mode", "%o", state.st_mode);
    returned("chmod of nothing", chmod("none", 0600));
    returned("fchmodat", fchmodat(AT_FDCWD, "file", 0640, 0));
    returned("chmod of a closed descriptor", fchmod(999, 0600));
    returned("chown to the same", chown("file", (uid_t)-1, (gid_t)-1));
    returned("lchown", lchown("link", getuid(), getgid()));
    returned("fchownat, empty path", fchownat(AT_FDCWD, "", getuid(), getgid(), 0));
    returned("access to read", access("file", R_OK));
    returned("access to execute", access("file", X_OK));
    returned("access of nothing", access("none", F_OK));
    returned("access in a way that is none", access("file", 64));
    returned("faccessat of a folder", faccessat(AT_FDCWD, ".", X_OK, 0));
    number("the old umask", umask(077));
    int file = open("masked", O_CREAT | O_RDWR, 0666);
    fstat(file, &state);
    shown("a mode under another umask", "%o", state.st_mode);
    close(file);
    unlink("masked");
    number("umask takes nine bits", umask(07022));
    number("as it says", umask(022));
}

static void systems(void) {
    struct statfs state;
    returned("statfs", statfs(".", &state));
    holds("has blocks", state.f_bsize >= 512 && state.f_blocks > 0 && state.f_bavail <= state.f_blocks);
    number("longest name", state.f_namelen);
    returned("of nothing", statfs("none", &state));
    returned("fstatfs of a closed descriptor", fstatfs(999, &state));
    returned("into a bad pointer", syscall(SYS_statfs, ".", 8L));
    returned("statfs of /proc", statfs("/proc", &state));
    shown("its kind", "%lx", (long)state.f_type);
    returned("pathconf of a name", pathconf(".", _PC_NAME_MAX));
    returned("of a link's count", pathconf(".", _PC_PIPE_BUF));
}

static void attributes(void) {
    char value[32];
    returned("a name without a part", getxattr("file", "nothing", value, 32));
    returned("of a file that is not there", getxattr("none", "user.x", value, 32));
    returned("fgetxattr of a closed descriptor", fgetxattr(999, "user.x", value, 32));
    returned("an empty name", getxattr("file", "", value, 32));
}

int main(void) {
    topic = "attributes";
    enter_scratch();
    states();
    extended();
    times();
    modes();
    systems();
    attributes();
    unlink("link"), unlink("file");
    leave_scratch();
    return 0;
}

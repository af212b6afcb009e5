// mkdir, rmdir, unlink, rename in all forms, hard links, symlinks, getdents64, getcwd, chdir.
#include <dirent.h>
#include <linux/fs.h>
#include "check.h"
CHECK_STATE

static void touch(const char *name) { close(make_file(name, name)); }
static const char *contents(const char *name) {
    static char text[64];
    int file = open(name, O_RDONLY);
    if (file < 0) return error_name(errno);
    long count = read(file, text, sizeof text - 1);
    close(file);
    if (count < 0) return error_name(errno);
    text[count] = 0;
    return text;
}

static void making(void) {
    returned("mkdir", mkdir("a", 0777));
    struct stat state;
    stat("a", &state);
    shown("its mode", "%o", state.st_mode);
    number("its links", (long)state.st_nlink);
    returned("once more", mkdir("a", 0777));
    returned("with a slash after it", mkdir("b/", 0700));
    returned("under what is not there", mkdir("x/y", 0700));
    touch("file");
    returned("under a file", mkdir("file/y", 0700));
    returned("over a file", mkdir("file", 0700));
    returned("of the root", mkdir("/", 0700));
    returned("of a dot", mkdir(".", 0700));
    returned("a/b", mkdir("a/b", 0755));
    stat("a", &state);
    number("the parent's links", (long)state.st_nlink);
    returned("rmdir of what is not empty", rmdir("a"));
    returned("rmdir of a dot", rmdir("a/."));
    returned("rmdir of two dots", rmdir("a/b/.."));
    returned("rmdir of a file", rmdir("file"));
    returned("rmdir of the root", rmdir("/"));
    returned("rmdir", rmdir("a/b"));
    returned("unlink of a folder", unlink("a"));
    returned("unlinkat with AT_REMOVEDIR", unlinkat(AT_FDCWD, "a", AT_REMOVEDIR));
    returned("unlinkat with a flag that is none", unlinkat(AT_FDCWD, "file", 1));
    returned("unlink", unlink("file"));
    returned("once more", unlink("file"));
    returned("unlink with a slash after it", unlink("b/"));
    rmdir("b");
    returned("a named pipe", mknod("pipe", S_IFIFO | 0600, 0));
    stat("pipe", &state);
    shown("its mode", "%o", state.st_mode);
    unlink("pipe");
    returned("a regular file by mknod", mknod("node", S_IFREG | 0600, 0));
    returned("a folder by mknod", mknod("node2", S_IFDIR | 0600, 0));
    unlink("node");
}

static void renaming(void) {
    touch("one"), touch("two");
    returned("rename", rename("one", "three"));
    shown("it moved", "%s", contents("three"));
    returned("of what is gone", rename("one", "four"));
    returned("over another", rename("three", "two"));
    shown("it replaced", "%s", contents("two"));
    mkdir("d", 0755), mkdir("e", 0755), touch("e/f");
    returned("a file over a folder", rename("two", "d"));
    returned("a folder over a file", rename("d", "two"));
    returned("a folder over one that is not empty", rename("d", "e"));
    returned("a folder over an empty one", rename("e", "d"));
    shown("with what is in it", "%s", contents("d/f"));
    returned("a folder into itself", rename("d", "d/x"));
    returned("onto itself", rename("two", "two"));
    link("two", "same");
    returned("onto another link of itself", rename("two", "same"));
    shown("both stay", "%s %d", contents("two"), access("same", F_OK));
    returned("a dot", rename(".", "y"));
    returned("with a slash after a file", rename("two", "z/"));
    returned("RENAME_NOREPLACE over one", renameat2(AT_FDCWD, "two", AT_FDCWD, "d", RENAME_NOREPLACE));
    returned("RENAME_NOREPLACE to nothing", renameat2(AT_FDCWD, "two", AT_FDCWD, "five", RENAME_NOREPLACE));
    touch("six");
    returned("RENAME_EXCHANGE", renameat2(AT_FDCWD, "five", AT_FDCWD, "six", RENAME_EXCHANGE));
    shown("exchanged", "%s", contents("five"));
    returned("RENAME_EXCHANGE with nothing", renameat2(AT_FDCWD, "five", AT_FDCWD, "seven", RENAME_EXCHANGE));
    returned("a file and a folder", renameat2(AT_FDCWD, "five", AT_FDCWD, "d", RENAME_EXCHANGE));
    shown("the file is the folder's name", "%s", contents("d"));
    returned("both flags", renameat2(AT_FDCWD, "six", AT_FDCWD, "d", RENAME_EXCHANGE | RENAME_NOREPLACE));
    returned("a flag that is none", renameat2(AT_FDCWD, "six", AT_FDCWD, "eight", 64));
    returned("bad pointers", syscall(SYS_renameat2, AT_FDCWD, 8L, AT_FDCWD, 8L, 0));
    unlink("five/f"), rmdir("five"), unlink("d"), unlink("six"), unlink("same");
}

static void links(void) {
    touch("file");
    struct stat state;
    returned("link", link("file", "hard"));
    stat("file", &state);
    ino_t inode = state.st_ino;
    number("links", (long)state.st_nlink);
    stat("hard", &state);
    holds("one inode", state.st_ino == inode);
    returned("over another", link("file", "hard"));
    returned("of a folder", link(".", "folder"));
    returned("of nothing", link("none", "other"));
    unlink("file");
    shown("the other name stays", "%s", contents("hard"));
    returned("symlink", symlink("hard", "soft"));
    returned("a hard link of it", link("soft", "soft-hard"));
    lstat("soft-hard", &state);
    holds("is a link too", S_ISLNK(state.st_mode));
    returned("linkat with AT_SYMLINK_FOLLOW", linkat(AT_FDCWD, "soft", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    lstat("followed", &state);
    holds("is the file", S_ISREG(state.st_mode));
    char text[16] = "";
    returned("readlink", readlink("soft", text, sizeof text));
    shown("its text", "%.4s", text);
    returned("readlink of two bytes", readlink("soft", text, 2));
    returned("readlink of none", readlink("soft", text, 0));
    returned("readlink of a file", readlink("hard", text, sizeof text));
    returned("readlink into a bad pointer", syscall(SYS_readlink, "soft", 8L, 16));
    lstat("soft", &state);
    shown("its mode and size", "%o %ld", state.st_mode, (long)state.st_size);
    returned("an empty symlink", symlink("", "empty"));
    char long_name[5000];
    memset(long_name, 'x', 4999);
    long_name[4999] = 0;
    returned("a symlink that is too long", symlink(long_name, "long"));
    unlink("hard"), unlink("soft"), unlink("soft-hard"), unlink("followed");
}

static void listing(void) {
    mkdir("many", 0755);
    char name[300];
    for (int index = 0; index < 300; index++) snprintf(name, sizeof name, "many/a-file-with-a-name-%d", index), touch(name);
    mkdir("many/folder", 0755), symlink("x", "many/link"), mknod("many/pipe", S_IFIFO | 0600, 0);
    DIR *folder = opendir("many");
    struct dirent *entry;
    int files = 0, others = 0, dots = 0;
    unsigned long hash = 0;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.') dots++;
        else if (entry->d_type == DT_REG) files++;
        else others += entry->d_type == DT_DIR ? 1 : entry->d_type == DT_LNK ? 100 : entry->d_type == DT_FIFO ? 10000 : 1000000;
        for (char *letter = entry->d_name; *letter; letter++) hash += (unsigned long)(*letter * 31);
    }
    shown("entries", "%d files, kinds %d, %d dots, %lu", files, others, dots, hash);
    rewinddir(folder);
    entry = readdir(folder);
    long place = telldir(folder);
    entry = readdir(folder);
    snprintf(name, sizeof name, "%s", entry->d_name);
    for (int index = 0; index < 100; index++) readdir(folder);
    seekdir(folder, place);
    entry = readdir(folder);
    holds("seekdir comes back", strcmp(entry->d_name, name) == 0);
    int removed = 0;
    rewinddir(folder);
    while ((entry = readdir(folder)))
        if (entry->d_type == DT_REG) removed += unlinkat(dirfd(folder), entry->d_name, 0) == 0;
    number("all removed while listing", removed);
    closedir(folder);
    char bytes[4096];
    int file = open("many", O_RDONLY);
    holds("getdents64", syscall(SYS_getdents64, file, bytes, sizeof bytes) > 100);
    returned("at the end", syscall(SYS_getdents64, file, bytes, sizeof bytes));
    lseek(file, 0, SEEK_SET);
    returned("too small a buffer", syscall(SYS_getdents64, file, bytes, 10));
    returned("a bad pointer", syscall(SYS_getdents64, file, 8L, 4096));
    returned("read of a folder", read(file, bytes, 100));
    unlinkat(file, "folder", AT_REMOVEDIR), unlinkat(file, "link", 0), unlinkat(file, "pipe", 0);
    rmdir("many");
    returned("getdents64 of a removed folder", syscall(SYS_getdents64, file, bytes, sizeof bytes));
    close(file);
    returned("getdents64 of a pipe", syscall(SYS_getdents64, 0, bytes, sizeof bytes));
}

static void places(void) {
    char before[256], path[256];
    getcwd(before, sizeof before);
    mkdir("here", 0755);
    returned("chdir", chdir("here"));
    getcwd(path, sizeof path);
    shown("getcwd", "%s", path + strlen(before));
    returned("getcwd's count", syscall(SYS_getcwd, path, sizeof path) - (long)strlen(before));
    returned("getcwd of too few", syscall(SYS_getcwd, path, 3));
    returned("getcwd into a bad pointer", syscall(SYS_getcwd, 8L, 100));
    int up = open("..", O_RDONLY);
    rmdir("../here");
    returned("getcwd of a removed folder", syscall(SYS_getcwd, path, sizeof path));
    returned("a file in it", open("x", O_RDWR | O_CREAT, 0600));
    returned("fchdir", fchdir(up));
    getcwd(path, sizeof path);
    holds("is back", strcmp(path, before) == 0);
    touch("file");
    returned("chdir to a file", chdir("file"));
    returned("chdir to nothing", chdir("none"));
    returned("fchdir to a file", fchdir(0));
    returned("fchdir to a closed descriptor", fchdir(999));
    unlink("file"), close(up);
}

int main(void) {
    topic = "folders";
    enter_scratch();
    making();
    renaming();
    links();
    listing();
    places();
    leave_scratch();
    return 0;
}

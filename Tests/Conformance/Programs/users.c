// Users and groups, and what a file allows to one without rights. Started as root.
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include "check.h"
CHECK_STATE

static void numbers(const char *what) {
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    getresuid(&real, &effective, &saved);
    getresgid(&real_group, &effective_group, &saved_group);
    shown(what, "%d %d %d, %d %d %d", real, effective, saved, real_group, effective_group, saved_group);
}

static void groups(void) {
    gid_t list[4] = {100, 200, 300, 0}, back[8];
    returned("setgroups", setgroups(3, list));
    returned("getgroups of none", getgroups(0, NULL));
    returned("getgroups", getgroups(8, back));
    shown("they are", "%d %d %d", back[0], back[1], back[2]);
    returned("getgroups of too few", getgroups(2, back));
    returned("getgroups into a bad pointer", syscall(SYS_getgroups, 8, 8L));
    returned("too many", setgroups(70000, list));
    returned("from a bad pointer", syscall(SYS_setgroups, 3, 8L));
    setgroups(0, NULL);
}

static void as_nobody(void) {
    char byte;
    returned("reading a file of root's", open("private", O_RDONLY));
    returned("writing one that all may read", open("readable", O_WRONLY));
    int file = open("readable", O_RDONLY);
    outcome("reading it", file);
    returned("its byte", read(file, &byte, 1));
    returned("a new file in root's folder", open("new", O_CREAT | O_RDWR, 0600));
    returned("mkdir there", mkdir("folder2", 0755));
    returned("unlink there", unlink("readable"));
    returned("rename there", rename("readable", "renamed"));
    returned("chmod of another's", chmod("readable", 0666));
    returned("chown of another's", chown("readable", 65534, 65534));
    returned("utimes of another's", utimensat(AT_FDCWD, "readable", (struct timespec[2]){{1, 0}, {1, 0}}, 0));
    returned("now, without writing", utimensat(AT_FDCWD, "readable", NULL, 0));
    returned("truncate", truncate("readable", 0));
    returned("a folder without x", open("closed/file", O_RDONLY));
    returned("stat in it", access("closed/file", F_OK));
    returned("a folder with x alone: listing", open("passage", O_RDONLY | O_DIRECTORY));
    file = open("passage/file", O_RDONLY);
    outcome("a file through it", file);
    returned("in everybody's folder", mkdir("open/mine", 0700));
    returned("removing another's where all may write", unlink("open/others"));
    returned("where the sticky bit is set", unlink("sticky/others"));
    returned("access by the real user", access("private", R_OK));
    returned("chmod of one's own", chmod("open/mine", 0750));
    returned("chown of one's own to another", chown("open/mine", 0, 0));
    returned("mknod of a device", mknod("open/null", S_IFCHR | 0666, 0x103));
    returned("chroot", chroot("/"));
    returned("setuid back to root", setuid(0));
    returned("setgid to another", setgid(5));
    returned("setgroups", setgroups(0, NULL));
    returned("setuid to oneself", setuid(65534));
    returned("setreuid to root", setreuid(0, -1));
    rmdir("open/mine");
}

static void files(void) {
    close(make_file("private", "x")), chmod("private", 0600);
    close(make_file("readable", "x"));
    const char *names[] = {"closed", "passage", "open", "sticky"};
    int modes[] = {0700, 0711, 0777, 01777};
    for (int index = 0; index < 4; index++) {
        char path[64];
        mkdir(names[index], 0755);
        snprintf(path, sizeof path, "%s/%s", names[index], index < 2 ? "file" : "others");
        close(make_file(path, "x"));
        chmod(names[index], (mode_t)modes[index]);
    }
    chmod(".", 0755);
}

int main(void) {
    topic = "users";
    enter_scratch();
    numbers("at the start");
    groups();
    files();
    returned("root reads what nobody may", chmod("private", 0) == 0 ? access("private", R_OK) : -1);
    returned("and executes nothing without x", access("private", X_OK));
    chmod("private", 0600);
    returned("setresgid", setresgid(65534, 65534, 65534));
    returned("setresuid keeping the saved one", setresuid(65534, 65534, 0));
    numbers("then");
    returned("reading a file of root's", open("private", O_RDONLY));
    returned("back by the saved one", seteuid(0));
    outcome("reading it", open("private", O_RDONLY));
    returned("access asks the real user", access("private", R_OK));
    returned("faccessat with AT_EACCESS", faccessat(AT_FDCWD, "private", R_OK, AT_EACCESS));
    number("setfsuid's old value", setfsuid(65534));
    returned("reading then", open("private", O_RDONLY));
    setfsuid(0);
    chown("open/others", 65534, 65534);
    struct stat state;
    chmod("readable", 04755), chown("readable", 1, 1);
    stat("readable", &state);
    shown("chown clears set-user-ID", "%o", state.st_mode);
    chmod("readable", 0644), chown("readable", 0, 0);
    returned("for ever", setresuid(65534, 65534, 65534));
    numbers("then");
    as_nobody();
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    returned("capget", syscall(SYS_capget, &header, data));
    shown("no capability is left", "%x %x", data[0].effective, data[0].permitted);
    returned("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    returned("set", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    returned("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    return 0;
}

// What /proc, /sys and /dev say, as far as runtimes of languages read it.
#include <sys/sysmacros.h>
#include "check.h"
CHECK_STATE

static char text[1 << 16];
static const char *contents(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return NULL;
    long total = 0, count;
    while ((count = read(file, text + total, sizeof text - 1 - (size_t)total)) > 0) total += count;
    close(file);
    text[total] = 0;
    return text;
}

static bool has_line(const char *path, const char *begin) {
    const char *all = contents(path);
    if (!all) return false;
    if (strncmp(all, begin, strlen(begin)) == 0) return true;
    char wanted[100];
    snprintf(wanted, sizeof wanted, "\n%s", begin);
    return strstr(all, wanted) != NULL;
}

static long field(const char *path, const char *begin) {
    const char *all = contents(path), *place = all ? strstr(all, begin) : NULL;
    return place ? atol(place + strlen(begin)) : -1;
}

static void maps(void) {
    char *area = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(area + 4096, 4096, PROT_NONE);
    mprotect(area + 8192, 4096, PROT_READ);
    char wanted[100];
    snprintf(wanted, sizeof wanted, "%lx-%lx ---p 00000000 00:00 0", (long)area + 4096, (long)area + 8192);
    holds("maps has a line for an area without access", has_line("/proc/self/maps", wanted));
    snprintf(wanted, sizeof wanted, "%lx-", (long)area + 8192);
    holds("and one for that which can be read", has_line("/proc/self/maps", wanted) && strstr(strstr(text, wanted), "r--p"));
    holds("the stack", strstr(contents("/proc/self/maps"), "[stack]") != NULL);
    holds("the vDSO", strstr(text, "[vdso]") != NULL);
    char *line = text;
    unsigned long last = 0, here = (unsigned long)&text, first, end;
    bool sorted = true, contains = false;
    for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (sscanf(line, "%lx-%lx", &first, &end) != 2) break;
        sorted &= first >= last && end > first;
        contains |= here >= first && here < end;
        last = end;
    }
    holds("in order and without overlap", sorted);
    holds("the program's data is in it", contains);
    number("anonymous memory of the program grows VmSize", field("/proc/self/status", "VmSize:") > 0);
}

static void self(void) {
    char path[4096] = "", own[4096] = "";
    long count = readlink("/proc/self/exe", path, sizeof path - 1);
    holds("exe is a path", count > 0 && path[0] == '/');
    holds("that opens", access("/proc/self/exe", X_OK) == 0);
    const char *name = strrchr(path, '/') + 1;
    snprintf(own, 16, "%s", name);
    holds("comm is its name", contents("/proc/self/comm") && strncmp(text, own, strlen(own)) == 0);
    holds("cmdline has the arguments", contents("/proc/self/cmdline") && strstr(text, name));
    holds("environ", contents("/proc/self/environ") != NULL);
    holds("auxv", contents("/proc/self/auxv") != NULL);
    snprintf(path, sizeof path, "/proc/%d/status", getpid());
    holds("one's own number is a folder", access(path, R_OK) == 0);
    readlink("/proc/self", path, sizeof path);
    holds("self is that number", atoi(path) == getpid());
    holds("status has Name", has_line("/proc/self/status", "Name:\t"));
    holds("its Pid", field("/proc/self/status", "\nPid:\t") == getpid());
    number("Threads", field("/proc/self/status", "Threads:\t"));
    holds("its Uid", field("/proc/self/status", "Uid:\t") == (long)getuid());
    holds("VmRSS", field("/proc/self/status", "VmRSS:") > 0);
    holds("SigBlk", has_line("/proc/self/status", "SigBlk:\t0000000000000000"));
    long values[3] = {0};
    contents("/proc/self/stat");
    char state = '?';
    char *after = strrchr(text, ')');
    holds("stat", after && sscanf(text, "%ld", &values[0]) == 1 && sscanf(after + 1, " %c %ld", &state, &values[1]) == 2);
    holds("its number, state and parent", values[0] == getpid() && state == 'R' && values[1] == getppid());
    int fields = 0;
    for (char *place = after; place && *place; place++) fields += *place == ' ';
    number("fields after the name", fields);
    holds("statm has seven numbers", contents("/proc/self/statm") && sscanf(text, "%*d %*d %*d %*d %*d %*d %ld", values) == 1);
    holds("limits names Max open files", has_line("/proc/self/limits", "Max open files"));
    holds("task has the thread", access("/proc/self/task", X_OK) == 0);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
    holds("with its stat", access(path, R_OK) == 0);
    holds("fd lists descriptors", access("/proc/self/fd/1", F_OK) == 0);
    holds("cwd is a link", readlink("/proc/self/cwd", path, sizeof path) > 0);
    holds("root is a link", readlink("/proc/self/root", path, sizeof path) == 1 && path[0] == '/');
    holds("mountinfo or mounts", contents("/proc/self/mounts") && strstr(text, " / "));
    holds("cgroup", contents("/proc/self/cgroup") != NULL);
    holds("oom_score_adj", contents("/proc/self/oom_score_adj") != NULL);
    returned("one that is none", open("/proc/self/nothing", O_RDONLY));
    returned("making one", open("/proc/new", O_CREAT | O_RDWR, 0600) < 0 ? -1 : 0);
}

// A thread is known by its own number too.
static void *of_thread(void *argument) {
    char path[64], name[16];
    int number = (int)syscall(SYS_gettid), found = 0;
    char state;
    snprintf(path, sizeof path, "/proc/%d/stat", number);
    holds("stat of a thread by its number", contents(path) && sscanf(text, "%d %15s %c", &found, name, &state) == 3);
    holds("its number and state", found == number && state == 'R');
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", number, getpid());
    holds("task there has the first thread", access(path, R_OK) == 0);
    return argument;
}

static void threads(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, of_thread, NULL);
    pthread_join(thread, NULL);
    returned("of one that is none", open("/proc/4194303/stat", O_RDONLY));
}

static void whole(void) {
    holds("meminfo MemTotal", field("/proc/meminfo", "MemTotal:") > 1000);
    holds("MemAvailable", field("/proc/meminfo", "MemAvailable:") > 0);
    holds("MemFree", field("/proc/meminfo", "MemFree:") > 0);
    holds("cpuinfo processor", has_line("/proc/cpuinfo", "processor\t: 0"));
    holds("flags", strstr(contents("/proc/cpuinfo"), " sse2") != NULL);
    holds("stat cpu", has_line("/proc/stat", "cpu ") && has_line("/proc/stat", "btime "));
    holds("uptime", contents("/proc/uptime") && atof(text) > 0);
    holds("loadavg", contents("/proc/loadavg") != NULL);
    holds("version", contents("/proc/version") && strncmp(text, "Linux version ", 14) == 0);
    holds("filesystems", contents("/proc/filesystems") && strstr(text, "proc\n"));
    holds("sys/kernel/osrelease", contents("/proc/sys/kernel/osrelease") != NULL);
    holds("sys/vm/overcommit_memory", contents("/proc/sys/vm/overcommit_memory") && text[1] == '\n');
    holds("sys/net/core/somaxconn", contents("/proc/sys/net/core/somaxconn") && atoi(text) >= 128);
    holds("sys/kernel/pid_max", contents("/proc/sys/kernel/pid_max") && atoi(text) > 0);
    holds("sys/kernel/random/uuid", contents("/proc/sys/kernel/random/uuid") && strlen(text) == 37);
    holds("sys/fs/file-max", contents("/proc/sys/fs/file-max") && atol(text) > 0);
    holds("processors of /sys", contents("/sys/devices/system/cpu/online") && text[0] == '0');
    holds("THP of /sys", access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == 0 || errno == ENOENT);
}

static void devices(void) {
    const char *names[] = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"};
    struct stat state;
    char path[64], bytes[64];
    for (int index = 0; index < 7; index++) {
        snprintf(path, sizeof path, "/dev/%s", names[index]);
        stat(path, &state);
        shown(path, "%o %d:%d", state.st_mode & S_IFMT, major(state.st_rdev), minor(state.st_rdev));
    }
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    int random_file = open("/dev/urandom", O_RDWR);
    shown("null", "%ld %ld", read(null, bytes, 10), write(null, bytes, 10));
    memset(bytes, 1, sizeof bytes);
    shown("zero", "%ld %ld", read(zero, bytes, 10), write(zero, bytes, 10));
    shown("its bytes", "%d %d", bytes[9], bytes[10]);
    returned("full: read", read(full, bytes, 10));
    returned("full: write", write(full, bytes, 10));
    shown("urandom", "%ld %ld", read(random_file, bytes, 64), write(random_file, bytes, 10));
    returned("lseek of null", lseek(null, 100, SEEK_SET));
    returned("truncation of null", open("/dev/null", O_WRONLY | O_TRUNC) < 0 ? -1 : 0);
    returned("ftruncate of null", ftruncate(null, 5));
    returned("/dev/shm is a folder", access("/dev/shm", R_OK | W_OK | X_OK));
    int shared = shm_open("/conformance-shm", O_CREAT | O_RDWR | O_EXCL, 0600);
    outcome("shm_open", shared);
    returned("its size", ftruncate(shared, 4096));
    returned("shm_unlink", shm_unlink("/conformance-shm"));
    readlink("/dev/fd", bytes, sizeof bytes);
    holds("/dev/fd is a link", memcmp(bytes, "/proc/self/fd", 13) == 0);
}

int main(void) {
    topic = "proc";
    maps();
    self();
    threads();
    whole();
    topic = "devices";
    devices();
    return 0;
}

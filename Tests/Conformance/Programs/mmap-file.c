// Files in memory: private and shared, beyond the end, truncation, several views, memfd and its seals.
#include "check.h"
CHECK_STATE

#define PAGE 4096L
#define BOTH (PROT_READ | PROT_WRITE)

static char *view(int file, long count, int access, int flags, long offset) {
    return mmap(NULL, (size_t)count, access, flags, file, offset);
}
static long mapped(const void *address) { return address == MAP_FAILED ? -1 : 0; }

static int filled(const char *name, int pages) {
    int file = (int)must(name, open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
    char page[PAGE];
    for (int index = 0; index < pages; index++) {
        memset(page, 'a' + index, PAGE);
        must("fill", write(file, page, PAGE));
    }
    return file;
}

static char byte_at(int file, long offset) {
    char byte = '?';
    return pread(file, &byte, 1, offset) == 1 ? byte : '-';
}

static void private_view(void) {
    int file = filled("private", 3);
    char *area = view(file, 3 * PAGE, BOTH, MAP_PRIVATE, 0);
    shown("private view", "%c %c %c", area[0], area[PAGE], area[3 * PAGE - 1]);
    area[0] = 'X';
    shown("written privately, the file has", "%c", byte_at(file, 0));
    pwrite(file, "Y", 1, PAGE);
    shown("the file's change of an untouched page is seen", "%c", area[PAGE]);
    pwrite(file, "Z", 1, 1);
    shown("the file's change of a copied page is not", "%c", area[1]);
    char *second = view(file, PAGE, PROT_READ, MAP_PRIVATE, 2 * PAGE);
    shown("a view from the third page", "%c", second[0]);
    close(file);
    shown("the view outlives the descriptor", "%c", second[5]);
    unlink("private");
    shown("and the name", "%c", area[2 * PAGE + 1]);
    madvise(area, PAGE, MADV_DONTNEED);
    shown("MADV_DONTNEED brings the file's page back", "%c", area[0]);
    munmap(area, 3 * PAGE);
    munmap(second, PAGE);
}

static void shared_view(void) {
    int file = filled("shared", 2);
    char *one = view(file, 2 * PAGE, BOTH, MAP_SHARED, 0);
    char *two = view(file, PAGE, BOTH, MAP_SHARED, PAGE);
    one[PAGE] = 'S';
    shown("another view sees the byte", "%c", two[0]);
    shown("read(2) sees it", "%c", byte_at(file, PAGE));
    pwrite(file, "W", 1, PAGE + 1);
    shown("the view sees write(2)", "%c", two[1]);
    returned("msync MS_SYNC", msync(one, 2 * PAGE, MS_SYNC));
    returned("msync MS_ASYNC", msync(one, 2 * PAGE, MS_ASYNC));
    returned("msync MS_SYNC and MS_ASYNC", msync(one, 2 * PAGE, MS_SYNC | MS_ASYNC));
    returned("msync at an odd address", msync(one + 1, PAGE, MS_SYNC));
    munmap(two, PAGE);
    returned("msync of a hole", msync(two, PAGE, MS_SYNC));
    int second = open("shared", O_RDONLY);
    char *three = view(second, PAGE, PROT_READ, MAP_SHARED, 0);
    one[7] = 'T';
    shown("a view by another description sees it", "%c", three[7]);
    outcome("a shared writable view of a read-only description", mapped(view(second, PAGE, BOTH, MAP_SHARED, 0)));
    outcome("a private writable one", mapped(view(second, PAGE, BOTH, MAP_PRIVATE, 0)));
    returned("mprotect to write of the read-only shared view", mprotect(three, PAGE, BOTH));
    int third = open("shared", O_WRONLY);
    outcome("a view of a write-only description", mapped(view(third, PAGE, PROT_WRITE, MAP_SHARED, 0)));
    outcome("an offset that is no page's", syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 512L));
    outcome("an offset far beyond the end", mapped(view(file, PAGE, PROT_READ, MAP_SHARED, 1L << 40)));
    struct stat before;
    fstat(file, &before);
    number("the size has not changed", before.st_size);
    close(second), close(third), close(file);
    munmap(one, 2 * PAGE);
    unlink("shared");
}

static void beyond_the_end(void) {
    int file = filled("end", 1);
    must("ftruncate", ftruncate(file, 100));
    char *area = view(file, 3 * PAGE, BOTH, MAP_SHARED, 0);
    number("after the end in the last page there is zero", area[100]);
    poke("and it can be written", area + 200);
    peek("a whole page beyond the end", area + PAGE);
    peek("and one more", area + 2 * PAGE);
    must("ftruncate", ftruncate(file, 2 * PAGE));
    peek("the file has grown: the second page", area + PAGE);
    peek("the third", area + 2 * PAGE);
    area[PAGE] = 'G';
    must("ftruncate", ftruncate(file, PAGE));
    peek("the file has shrunk: the second page", area + PAGE);
    must("ftruncate", ftruncate(file, 2 * PAGE));
    number("it has grown again: the byte is zero", area[PAGE]);
    munmap(area, 3 * PAGE);
    char *copy = view(file, 2 * PAGE, BOTH, MAP_PRIVATE, 0);
    copy[PAGE] = 'P';
    must("ftruncate", ftruncate(file, 10));
    peek("a private copy of a page that was cut off", copy + PAGE);
    // The kernel's copies do not fault: the calls say EFAULT.
    int pipes[2];
    must("pipe", pipe(pipes));
    returned("write(2) of a page beyond the end", write(pipes[1], copy + PAGE, 10));
    returned("read(2) into a page beyond the end", pread(file, copy + PAGE, 10, 0));
    close(pipes[0]), close(pipes[1]), close(file);
    munmap(copy, 2 * PAGE);
    unlink("end");
}

static void memory_files(void) {
    int file = (int)must("memfd_create", memfd_create("a name", MFD_ALLOW_SEALING | MFD_CLOEXEC));
    number("its descriptor's flags", fcntl(file, F_GETFD));
    struct stat state;
    fstat(file, &state);
    shown("its mode", "%o", state.st_mode);
    number("its size", state.st_size);
    number("its links", (long)state.st_nlink);
    returned("its seals", fcntl(file, F_GET_SEALS));
    must("ftruncate", ftruncate(file, 2 * PAGE));
    char *area = view(file, 2 * PAGE, BOTH, MAP_SHARED, 0);
    strcpy(area, "hello");
    char text[6] = "";
    pread(file, text, 5, 0);
    shown("what a view wrote is read", "%s", text);
    returned("F_SEAL_SHRINK", fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
    returned("shrinking", ftruncate(file, PAGE));
    returned("growing", ftruncate(file, 3 * PAGE));
    returned("F_SEAL_GROW", fcntl(file, F_ADD_SEALS, F_SEAL_GROW));
    returned("growing", ftruncate(file, 4 * PAGE));
    returned("writing beyond the end", pwrite(file, "x", 1, 3 * PAGE));
    returned("F_SEAL_WRITE while a writable view stands", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
    munmap(area, 2 * PAGE);
    returned("F_SEAL_WRITE without", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
    returned("writing", pwrite(file, "x", 1, 0));
    outcome("a shared writable view", mapped(view(file, PAGE, BOTH, MAP_SHARED, 0)));
    outcome("a private writable view", mapped(view(file, PAGE, BOTH, MAP_PRIVATE, 0)));
    returned("F_SEAL_SEAL", fcntl(file, F_ADD_SEALS, F_SEAL_SEAL));
    returned("one more seal", fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
    shown("all seals", "%x", fcntl(file, F_GET_SEALS));
    close(file);
    file = memfd_create("unsealable", 0);
    returned("seals of one without MFD_ALLOW_SEALING", fcntl(file, F_GET_SEALS));
    returned("a seal for it", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
    close(file);
    outcome("unknown flags", memfd_create("x", 0x40000000));
    outcome("a bad pointer", syscall(SYS_memfd_create, 8L, 0));
    char long_name[300];
    memset(long_name, 'n', 299);
    long_name[299] = 0;
    outcome("a name that is too long", memfd_create(long_name, 0));
}

static void devices(void) {
    int zero = open("/dev/zero", O_RDWR);
    char *area = view(zero, 2 * PAGE, BOTH, MAP_PRIVATE, 0);
    outcome("/dev/zero privately", mapped(area));
    if (area != MAP_FAILED) number("its byte", area[PAGE]);
    int null = open("/dev/null", O_RDWR);
    outcome("/dev/null", mapped(view(null, PAGE, PROT_READ, MAP_PRIVATE, 0)));
}

int main(void) {
    topic = "mmap-file";
    catch_faults();
    enter_scratch();
    private_view();
    shared_view();
    beyond_the_end();
    memory_files();
    devices();
    leave_scratch();
    return 0;
}

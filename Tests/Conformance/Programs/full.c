// A file system and a memory that are full say so, and go on when there is room again.
#include "check.h"
CHECK_STATE

int main(void) {
    topic = "full";
    enter_scratch();
    static char block[1 << 16];
    int file = open("large", O_CREAT | O_RDWR, 0600), other;
    long total = 0, count;
    while ((count = write(file, block, sizeof block)) > 0 && total < 4L << 30) total += count;
    returned("writing until nothing fits", count);
    holds("something fitted", total > 1 << 20);
    returned("one byte more, at the end", pwrite(file, "x", 1, total + (1 << 20)));
    returned("what is there can be read", pread(file, block, 10, 0));
    struct stat state;
    fstat(file, &state);
    holds("the size is what was written", state.st_size == total);
    returned("cut", ftruncate(file, 0));
    other = open("other", O_CREAT | O_RDWR, 0600);
    returned("then there is room", write(other, block, sizeof block));
    close(file), close(other);
    unlink("large"), unlink("other");
    leave_scratch();
    return 0;
}

// The same line through a static C library.
#include <stdio.h>

int main(void) {
    puts("Hello from a process");
    return 0;
}

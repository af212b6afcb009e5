#include "CMemory.h"
#if !__STDC_HOSTED__

// The string instructions are as fast as any loop on processors with ERMS, and the smallest code on all.
void *memset(void *to, int byte, size_t count) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
    return start;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t count) {
    if ((size_t)to - (size_t)from >= count) return memcpy(to, from, count);
    unsigned char *d = to;
    const unsigned char *s = from;
    while (count >= 8) {
        count -= 8;
        unsigned long word;
        __builtin_memcpy(&word, s + count, 8);
        __builtin_memcpy(d + count, &word, 8);
    }
    while (count--) d[count] = s[count];
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *x = a, *y = b;
    for (; count; count--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

int bcmp(const void *a, const void *b, size_t count) { return memcmp(a, b, count); }

size_t strlen(const char *string) {
    size_t count = 0;
    while (string[count]) count++;
    return count;
}

char *strncpy(char *restrict to, const char *restrict from, size_t count) {
    size_t i = 0;
    for (; i < count && from[i]; i++) to[i] = from[i];
    for (; i < count; i++) to[i] = 0;
    return to;
}
#endif

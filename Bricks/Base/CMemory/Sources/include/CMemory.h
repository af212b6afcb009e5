// The memory functions that a compiler may call in freestanding code (C11 §4 ¶6 and the Swift runtime).
#ifndef BRIQUE_CMEMORY_H
#define BRIQUE_CMEMORY_H
#include <stddef.h>
#if !__STDC_HOSTED__
void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);
int bcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *string);
char *strncpy(char *restrict to, const char *restrict from, size_t count);
#endif
#endif

#include "CRuntime.h"
#if !__STDC_HOSTED__
#include "CHypercalls.h"
#include <stdarg.h>

int putchar(int character) {
    brique_output_put((char)character);
    return character;
}

int puts(const char *string) {
    while (*string) putchar(*string++);
    return putchar('\n');
}

// The concurrency runtime formats its fatal errors with these: %s, %u, %d, %x, %p, %l… and %% are enough for it.
static uint64_t put_number(char *to, uint64_t capacity, uint64_t at, uint64_t value, unsigned base) {
    char digits[20];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count) {
        char digit = digits[--count];
        if (at + 1 < capacity) to[at] = digit;
        at++;
    }
    return at;
}

int vsnprintf(char *to, size_t capacity, const char *format, va_list arguments) {
    uint64_t at = 0;
    for (; *format; format++) {
        if (*format != '%') {
            if (at + 1 < capacity) to[at] = *format;
            at++;
            continue;
        }
        int is_long = 0;
        while (*++format == 'l' || *format == 'z' || *format == '0' || (*format >= '1' && *format <= '9'))
            is_long |= *format == 'l' || *format == 'z';
        if (*format == 's') {
            for (const char *s = va_arg(arguments, const char *); *s; s++, at++)
                if (at + 1 < capacity) to[at] = *s;
        } else if (*format == 'p' || ((*format == 'x' || *format == 'u') && is_long)) {
            at = put_number(to, capacity, at, va_arg(arguments, uint64_t), *format == 'u' ? 10 : 16);
        } else if (*format == 'x' || *format == 'u') {
            at = put_number(to, capacity, at, va_arg(arguments, unsigned), *format == 'u' ? 10 : 16);
        } else if (*format == 'd') {
            int64_t value = is_long ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            if (value < 0) {
                if (at + 1 < capacity) to[at] = '-';
                at++;
            }
            at = put_number(to, capacity, at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
        } else {
            if (at + 1 < capacity) to[at] = *format;
            at++;
            if (!*format) break;
        }
    }
    if (capacity) to[at < capacity ? at : capacity - 1] = 0;
    return (int)at;
}

int vprintf(const char *format, va_list arguments) {
    char text[256];
    int count = vsnprintf(text, sizeof text, format, arguments);
    for (int i = 0; text[i]; i++) putchar(text[i]);
    return count;
}

_Noreturn void abort(void) {
    static const char message[] = "abort()";
    brique_panic(BRIQUE_CRASH_PANIC, message, sizeof message - 1);
}

_Noreturn void exit(int status) { brique_exit(status); }
#endif

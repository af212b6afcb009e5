#include "CRuntime.h"
#if !__STDC_HOSTED__
#include "CHypercalls.h"
#include <stdarg.h>

static char line[BRIQUE_LINE_BYTES];
static uint64_t line_count;

static void write_all(const char *bytes, uint64_t count) {
    while (count > 0) {
        int64_t written = brique_call(BRIQUE_CALL_CONSOLE_WRITE, (uint64_t)bytes, count, 0);
        if (written <= 0) return;  // the console is gone: output has nowhere to go, as with a closed terminal
        bytes += written;
        count -= (uint64_t)written;
    }
}

void brique_output_flush(void) {
    uint64_t count = line_count;
    line_count = 0;
    write_all(line, count);
}

int putchar(int character) {
    line[line_count++] = (char)character;
    if (character == '\n' || line_count == BRIQUE_LINE_BYTES) brique_output_flush();
    return character;
}

void brique_output_write(const char *bytes, uint64_t count) {
    brique_output_flush();
    write_all(bytes, count);
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
    // What the Swift runtime said before it gave up is the best message there is.
    static const char message[] = "abort()";
    char said[BRIQUE_CRASH_MESSAGE_BYTES];
    uint64_t count = line_count < sizeof said ? line_count : sizeof said;
    if (count == 0) brique_panic(BRIQUE_CRASH_PANIC, message, sizeof message - 1);
    memcpy(said, line, count);
    line_count = 0;
    brique_panic(BRIQUE_CRASH_PANIC, said, count);
}

_Noreturn void exit(int status) {
    brique_output_flush();
    brique_exit(status);
}
#endif

// Pseudo-terminals: opening, canonical input and echo, raw mode, sizes, signals of keys, the end.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "check.h"
CHECK_STATE

static int control, terminal;
static char bytes[8192];

// What is typed is worked on by and by.
static void type(const char *keys) {
    write(control, keys, strlen(keys));
    sleep_ms(10);
}

static const char *readable(int file) {
    static char text[400];
    long count = read(file, bytes, 200);
    if (count < 0) return error_name(errno);
    int used = 0;
    for (long index = 0; index < count; index++) {
        unsigned char byte = (unsigned char)bytes[index];
        used += snprintf(text + used, sizeof text - (size_t)used, byte < 32 || byte > 126 ? "\\%02x" : "%c", byte);
    }
    text[used] = 0;
    return text;
}

static void opening(void) {
    control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    outcome("posix_openpt", control);
    returned("grantpt", grantpt(control));
    returned("unlockpt", unlockpt(control));
    char name[64];
    holds("its name is in /dev/pts", ptsname_r(control, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0);
    terminal = open(name, O_RDWR | O_NOCTTY);
    outcome("opened", terminal);
    shown("both are terminals", "%d %d", isatty(control), isatty(terminal));
    char again[64] = "";
    holds("ttyname gives it back", ttyname_r(terminal, again, sizeof again) == 0 && strcmp(name, again) == 0);
    struct stat state;
    fstat(terminal, &state);
    shown("its kind", "%o", state.st_mode & S_IFMT);
    struct winsize size = {0, 0, 0, 0};
    returned("TIOCGWINSZ", ioctl(terminal, TIOCGWINSZ, &size));
    shown("the size at first", "%d %d", size.ws_row, size.ws_col);
    size = (struct winsize){40, 132, 0, 0};
    returned("TIOCSWINSZ", ioctl(control, TIOCSWINSZ, &size));
    size = (struct winsize){0, 0, 0, 0};
    ioctl(terminal, TIOCGWINSZ, &size);
    shown("the size then", "%d %d", size.ws_row, size.ws_col);
}

static void canonical(void) {
    struct termios state;
    returned("tcgetattr", tcgetattr(terminal, &state));
    shown("its flags", "%x %x %x %x", state.c_iflag, state.c_oflag, state.c_lflag, state.c_cflag & (CSIZE | CREAD | CSTOPB | PARENB));
    shown("its keys", "%d %d %d %d", state.c_cc[VINTR], state.c_cc[VERASE], state.c_cc[VEOF], state.c_cc[VMIN]);
    type("abc");
    struct pollfd poller = {.fd = terminal, .events = POLLIN};
    number("no line yet", poll(&poller, 1, 20));
    type("\n");
    number("a line", poll(&poller, 1, 100));
    shown("the line", "%s", readable(terminal));
    shown("its echo", "%s", readable(control));
    type("abX\177c\n");
    shown("with an erased letter", "%s", readable(terminal));
    shown("its echo", "%s", readable(control));
    type("gone\025kept\n");
    shown("with a killed line", "%s", readable(terminal));
    readable(control);
    type("two\nlines\n");
    shown("one line at a time", "%s", readable(terminal));
    shown("and the other", "%s", readable(terminal));
    readable(control);
    type("return\r");
    shown("a return is a newline", "%s", readable(terminal));
    readable(control);
    type("part\004");
    shown("the end key gives what is there", "%s", readable(terminal));
    readable(control);
    type("\004");
    returned("alone, it is the end", read(terminal, bytes, 10));
    write(terminal, "out\n", 4);
    shown("output", "%s", readable(control));
    int there = -1;
    type("1234\n");
    returned("FIONREAD", ioctl(terminal, FIONREAD, &there));
    number("it is", there);
    returned("tcflush", tcflush(terminal, TCIFLUSH));
    number("nothing then", poll(&poller, 1, 0));
    readable(control);
}

static void raw(void) {
    struct termios state, old;
    tcgetattr(terminal, &old);
    state = old;
    cfmakeraw(&state);
    returned("raw", tcsetattr(terminal, TCSANOW, &state));
    type("a\r\003");
    shown("bytes as they are", "%s", readable(terminal));
    struct pollfd poller = {.fd = control, .events = POLLIN};
    number("no echo", poll(&poller, 1, 20));
    write(terminal, "x\n", 2);
    shown("output as it is", "%s", readable(control));
    state.c_cc[VMIN] = 0, state.c_cc[VTIME] = 1;
    tcsetattr(terminal, TCSANOW, &state);
    returned("VTIME without a byte", read(terminal, bytes, 10));
    state.c_cc[VMIN] = 3, state.c_cc[VTIME] = 0;
    tcsetattr(terminal, TCSANOW, &state);
    type("abcdef");
    shown("VMIN with more", "%s", readable(terminal));
    fcntl(terminal, F_SETFL, O_NONBLOCK);
    returned("without blocking", read(terminal, bytes, 10));
    fcntl(terminal, F_SETFL, 0);
    returned("TCSAFLUSH back", tcsetattr(terminal, TCSAFLUSH, &old));
    returned("a bad pointer", syscall(SYS_ioctl, terminal, TCGETS, 8L));
    returned("tcgetattr of the control side", tcgetattr(control, &state));
    long total = 0;
    char line[300];
    memset(line, 'l', sizeof line);
    for (int round = 0; round < 5; round++) total += write(terminal, line, sizeof line);
    number("bytes out", total);
    long back = 0, count;
    while (back < total && (count = read(control, bytes, sizeof bytes)) > 0) back += count;
    number("bytes back", back);
}

static void ends(void) {
    close(terminal);
    struct pollfd poller = {.fd = control, .events = POLLIN};
    poll(&poller, 1, 100);
    shown("the terminal closed: poll", "%x", poller.revents);
    returned("read of the control side", read(control, bytes, 10));
    char name[64];
    ptsname_r(control, name, sizeof name);
    terminal = open(name, O_RDWR | O_NOCTTY);
    outcome("opened again", terminal);
    close(control);
    poller.fd = terminal;
    poll(&poller, 1, 100);
    shown("the control side closed: poll", "%x", poller.revents);
    returned("read of the terminal", read(terminal, bytes, 10));
    returned("write to it", write(terminal, "x", 1));
    returned("its name is gone", open(name, O_RDWR | O_NOCTTY));
    close(terminal);
}

int main(void) {
    topic = "pty";
    opening();
    canonical();
    raw();
    ends();
    return 0;
}

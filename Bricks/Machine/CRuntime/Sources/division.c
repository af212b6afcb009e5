// 128-bit division, which the compiler calls by name: Duration divides so.
typedef unsigned __int128 wide;
typedef __int128 signed_wide;

static wide divide(wide a, wide b, wide *rest) {
    wide quotient = 0, remainder = 0;
    if (b == 0) __builtin_trap();
    if ((a >> 64) == 0 && (b >> 64) == 0) {
        *rest = (unsigned long long)a % (unsigned long long)b;
        return (unsigned long long)a / (unsigned long long)b;
    }
    for (int bit = 127; bit >= 0; bit--) {
        // What is shifted out would be the 129th bit: then the divisor certainly fits.
        int carry = (int)(remainder >> 127);
        remainder = remainder << 1 | (a >> bit & 1);
        if (carry || remainder >= b) {
            remainder -= b;
            quotient |= (wide)1 << bit;
        }
    }
    *rest = remainder;
    return quotient;
}

static wide magnitude(signed_wide a) { return a < 0 ? -(wide)a : (wide)a; }

wide __udivti3(wide a, wide b) { wide rest; return divide(a, b, &rest); }

wide __umodti3(wide a, wide b) { wide rest; divide(a, b, &rest); return rest; }

signed_wide __divti3(signed_wide a, signed_wide b) {
    wide quotient = __udivti3(magnitude(a), magnitude(b));
    return (a < 0) != (b < 0) ? (signed_wide)-quotient : (signed_wide)quotient;
}

signed_wide __modti3(signed_wide a, signed_wide b) {
    wide rest = __umodti3(magnitude(a), magnitude(b));
    return a < 0 ? (signed_wide)-rest : (signed_wide)rest;
}

#ifndef SYSTEM_CALL_H
#define SYSTEM_CALL_H
// The processor's `syscall` instruction with Linux's registers (syscall(2)): what no app of ours ever needs.
long system_call(long number, long a, long b, long c);
#endif

/* SPDX-License-Identifier: MIT */
/*
 * A libc for errpipe/lib/setup.c and tests/programs/prog_images.c on machines without one: nolibc, and what it lacks. The compiler
 * includes this file before each source. Numbers come from the kernel's headers for the machine, except for those of signal sets.
 */
#ifndef FREESTANDING_LIBC_H
#define FREESTANDING_LIBC_H

#ifdef __mips64
#include "dmz/arch-mips64.h"
#endif
/* The kernel's headers have a set of 32 signals on some machines, and nolibc a ptrdiff_t that differs from the compiler's. */
#define sigset_t  kernel_sigset_t
#define ptrdiff_t nolibc_ptrdiff_t
#include "nolibc.h"
#undef sigset_t
#undef ptrdiff_t
#undef NSIG
#include <linux/elf.h>

/* As in glibc. */
#ifdef __mips__
#define NSIG 128
#else
#define NSIG 65
#endif
typedef struct {
	unsigned long bits[128 / 8 / sizeof(long)];
} sigset_t;
#define SIGNAL_BITS (8 * sizeof(long))

static inline int sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof(*set));
	return 0;
}

static inline int sigaddset(sigset_t *set, int signal)
{
	set->bits[(signal - 1) / SIGNAL_BITS] |= 1UL << (signal - 1) % SIGNAL_BITS;
	return 0;
}

static inline int sigismember(const sigset_t *set, int signal)
{
	return set->bits[(signal - 1) / SIGNAL_BITS] >> (signal - 1) % SIGNAL_BITS & 1;
}

/* linux/sched.h, which needs structs of the kernel's own. */
#define SCHED_FIFO 1

#define UINT64_C(n)		     n##ULL
#define strcat(to, from)	     strncat(to, from, strlen(from))
#define fcntl(fd, command, argument) syscall(__NR_fcntl, fd, command, argument)

#endif

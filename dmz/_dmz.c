/* SPDX-License-Identifier: MIT */
/*
 * dmz FD PATH ARGV0 [ARG...]
 *
 * Perform the actions in the image (action.h); by default it has none. Then become the program PATH under the name
 * ARGV0. If that fails, write the reason to FD, in the layout of record.h, and exit:
 *
 *	127	execve failed with ENOENT: PATH, or its interpreter, does not exist
 *	126	execve failed with any other errno
 *	125	wrong arguments, or FD is not open: nothing is written. Or close-on-exec or an action failed: that is written
 *
 * Without actions success takes two system calls, and the program is one page. It never has writable data, which the
 * kernel would copy.
 */

/* nolibc's start-up code needs a writable segment, for environ and _auxv. Rename it, so that the linker drops it. */
#define _start_c nolibc_start_c
#ifdef __mips64
#include "arch-mips64.h"
#endif
#include "nolibc.h"
#undef _start_c

#include <linux/elf.h>

#include "action.h"
#include "record.h"

#ifndef __NR_fcntl
#define __NR_fcntl __NR_fcntl64
#endif

#ifdef __mips__
#define SIGSET_SIZE 16 /* asm/signal.h: 128 signals there, 64 elsewhere */
#else
#define SIGSET_SIZE 8
#endif

/*
 * Parse a string of digits. Returns -1 for any other string, and for a number that is too large. The annotation is for
 * Frama-C (tests/prove).
 */
static int number(const char *s)
{
	unsigned int n = 0;

	/*@ loop invariant is_string(s) && n <= 2147483649;
	  @ loop assigns s, n;
	  @ loop variant rest(s);
	  @*/
	do {
		unsigned int digit = *s - '0';

		if (digit > 9 || n > INT_MAX / 10)
			return -1;
		n = n * 10 + digit;
	} while (*++s);

	return n;
}

/* The image begins with the ELF header and the program headers (dmz.lds). */
static const struct dmz_action *actions(void)
{
#if __SIZEOF_LONG__ == 8
	const Elf64_Phdr *header = (const void *)(DMZ_BASE + sizeof(Elf64_Ehdr));
#else
	const Elf32_Phdr *header = (const void *)(DMZ_BASE + sizeof(Elf32_Ehdr));
#endif

	return (const void *)header[1].p_paddr;
}

/*
 * Block every signal first: SIGPIPE, SIGXFSZ or a SIGTERM from outside would end the process before the record is out.
 * The loop fills the set because gcc for mips would turn an initializer into a call of memcpy.
 */
static void report(int fd, int step, int error)
{
	const unsigned int record[] = DMZ_RECORD(step, error);
	unsigned long all[SIGSET_SIZE / sizeof(long)];

	for (unsigned int i = 0; i < SIGSET_SIZE / sizeof(long); i++)
		all[i] = -1UL;

	my_syscall4(__NR_rt_sigprocmask, SIG_BLOCK, all, NULL, sizeof(all));
	my_syscall3(__NR_write, fd, record, sizeof(record));
}

/* Returns the exit status. */
static int become_target(char **argv, char **envp)
{
	const struct dmz_action *action = actions();
	int fd = number(argv[1]), step = DMZ_STEP_FCNTL, status = 125;
	long ret = my_syscall3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);

	if (ret == -EBADF)
		return status;
	while (ret >= 0) {
		const long *arg;

		step = action ? action->step : DMZ_LAST;
		if (step == DMZ_LAST) {
			step = DMZ_STEP_EXEC;
			ret = my_syscall3(__NR_execve, argv[2], argv + 3, envp);
			status = ret == -ENOENT ? 127 : 126;
			break;
		}
		if (!step) /* the image is truncated */
			break;
		arg = action->arg;
		ret = my_syscall6(action->number, action->flags & DMZ_USE_RESULT ? ret : arg[0], arg[1], arg[2],
				  arg[3], arg[4], arg[5]);
		if (action->flags & DMZ_IGNORE_FAILURE)
			ret = 0;
		action++;
	}
	report(fd, step, ret < 0 && ret >= -DMZ_ERROR_MAX ? -ret : 0);
	return status;
}

__attribute__((used, noreturn)) void _start_c(long *sp)
{
	long argc = *sp;
	char **argv = (char **)(sp + 1);
	int status = argc > 3 ? become_target(argv, argv + argc + 1) : 125;

	my_syscall1(__NR_exit_group, status);
	__builtin_trap(); /* seccomp can refuse even the exit */
}

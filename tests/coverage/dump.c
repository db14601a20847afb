/* SPDX-License-Identifier: MIT */
/*
 * For make coverage: a process that leaves by a bare system call writes down what it has run, as gcov's own exit handler would.
 * Linked with --wrap. A child that shares the memory of its parent leaves its counts there.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KCMP_VM 1 /* linux/kcmp.h */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
void __gcov_dump(void);
void __gcov_reset(void);

static bool is_a_vfork(void)
{
	return __real_syscall(SYS_kcmp, __real_syscall(SYS_getpid), __real_syscall(SYS_getppid), KCMP_VM, 0, 0) == 0;
}

static void dump(void)
{
	if (is_a_vfork())
		return;
	__gcov_dump();
	__gcov_reset();
}

long __wrap_syscall(long number, ...)
{
	long arg[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_execve || number == SYS_execveat || number == SYS_exit_group)
		dump();
	return __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

void __wrap__exit(int status)
{
	dump();
	__real__exit(status);
}

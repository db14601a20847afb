/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000 /* linux/fcntl.h */
#endif

/* Arguments that the stub takes before the target's argv, and how many pointers the stack may have to hold. */
enum { STUB_ARGS = 3, STACK_ARGS = 256 };

/* What a system call has said, as a negative errno. 0 and above is a refusal without an errno (seccomp(2)). */
static int refused(long ret)
{
	return ret < 0 ? -errno : 0;
}

static int exec_fd(int fd, char *const argv[], char *const envp[])
{
	char path[sizeof("/proc/self/fd/") + ERRPIPE__DECIMAL] = "/proc/self/fd/";
	char decimal[ERRPIPE__DECIMAL];
	int ret = refused(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH));

	if (ret != -ENOSYS)
		return ret;
	/* Before Linux 3.19, and under qemu-user. */
	strcat(path, errpipe__decimal(decimal, fd));
	return refused(execve(path, argv, envp));
}

static int exec_stub(int stub, int report, const char *path, char *const argv[], char *const envp[])
{
	char decimal[ERRPIPE__DECIMAL];
	char *on_stack[STACK_ARGS];
	char **stub_argv = on_stack;
	size_t size, argc = 0;
	int ret;

	while (argv && argv[argc])
		argc++;

	/* The target's argv[0] is always there: from Linux 5.18 on, execve(2) sees to that itself. */
	size = (STUB_ARGS + argc + 2) * sizeof(*stub_argv);
	if (size > sizeof(on_stack)) {
		stub_argv = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (stub_argv == MAP_FAILED)
			return -errno;
	}

	stub_argv[0] = (char *)"dmz";
	stub_argv[1] = errpipe__decimal(decimal, report);
	stub_argv[2] = (char *)path;
	stub_argv[3] = (char *)"";
	stub_argv[4] = NULL;
	for (size_t i = 0; i < argc; i++)
		stub_argv[STUB_ARGS + i] = argv[i];
	if (argc)
		stub_argv[STUB_ARGS + argc] = NULL;

	ret = exec_fd(stub, stub_argv, envp);

	if (stub_argv != on_stack)
		munmap(stub_argv, size);
	return ret;
}

/* Report an error that may be 0, and make of it the negative errno to return. */
static int fail(int report, unsigned step, int ret)
{
	errpipe__write(report, step, -ret);
	return ret ? ret : -EPERM;
}

int errpipe_exec(int stub, unsigned flags, int report, const char *path, char *const argv[], char *const envp[])
{
	int ret;

	if (flags & ~ERRPIPE_FALLBACK)
		return -EINVAL;

	if (fcntl(report, F_SETFD, FD_CLOEXEC) < 0) {
		if (errno == EBADF)
			return -EBADF;
		return fail(report, ERRPIPE_STEP_FCNTL, -errno);
	}

	/* To the stub a path that is NULL would be the end of its arguments. */
	if (stub >= 0 && path) {
		fcntl(report, F_SETFD, 0);
		ret = exec_stub(stub, report, path, argv, envp);
		fcntl(report, F_SETFD, FD_CLOEXEC);
		if (!(flags & ERRPIPE_FALLBACK))
			return fail(report, ERRPIPE_STEP_STUB, ret);
	}

	ret = refused(execve(path, argv, envp));
	return fail(report, ERRPIPE_STEP_EXEC, ret);
}

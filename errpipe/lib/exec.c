/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000 /* linux/fcntl.h */
#endif

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */

/* The negative errno of a failed system call. A result of 0 or above is a refusal without an errno (seccomp(2)). */
static int refused(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* In a container /proc may be a plain directory of the image, in which the path could name any file. */
static bool has_proc(void)
{
	struct statfs fs;

	return statfs("/proc/self/fd", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

bool ep_is_closed(int fd)
{
	return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

/*
 * execveat(2) is missing before Linux 3.19 and under qemu-user, or where a seccomp(2) filter allows only execve(2). Such a
 * filter may answer with any of the last three.
 */
static bool is_missing(int ret)
{
	return ret == -ENOSYS || ret == -EPERM || ret == -EBADF || ret == 0;
}

static int exec_fd(int fd, char *const argv[], char *const envp[])
{
	int ret = refused(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH));

	if (!is_missing(ret))
		return ret;
	if (ep_is_closed(fd))
		return -EBADF;
	if (!has_proc())
		return ret;
	return refused(execve(ep_fd_path(fd).text, argv, envp));
}

int ep_stub_args(struct ep_args *args, const char *path, char *const argv[])
{
	size_t argc = 0;

	while (argv && argv[argc])
		argc++;

	/* The target always gets an argv[0]. From Linux 5.18 on, execve(2) ensures that by itself. */
	args->argv = args->on_stack;
	args->size = (EP_STUB_ARGS + (argc ? argc : 1) + 1) * sizeof(char *);
	if (args->size > sizeof(args->on_stack)) {
		args->argv = mmap(NULL, args->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (args->argv == MAP_FAILED)
			return -errno;
	}

	args->argv[0] = (char *)"dmz";
	args->argv[1] = NULL; /* exec_stub() puts the descriptor here */
	args->argv[2] = (char *)path;
	args->argv[3] = (char *)"";
	args->argv[4] = NULL;
	if (argc)
		memcpy(args->argv + EP_STUB_ARGS, argv, (argc + 1) * sizeof(char *));
	return 0;
}

void ep_free_args(struct ep_args *args)
{
	if (args->argv != args->on_stack)
		munmap(args->argv, args->size);
}

/*
 * A seccomp(2) filter may answer 0 without executing the call. The exec would then close the stub's descriptor, and its
 * record would be lost. fd should be close-on-exec, so a 0 is suspicious. Only a faked call on -1 succeeds.
 */
static bool fcntl_is_faked(int fd)
{
	return fcntl(fd, F_GETFD) == 0 && fcntl(-1, F_GETFD) == 0;
}

/* Returns only on failure: a negative errno or 0, and the step that failed. report is then close-on-exec again. */
static int exec_stub(const struct ep_exec *exec, unsigned *step)
{
	char decimal[EP_DECIMAL];
	int ret;

	/* A seccomp(2) filter that refuses this would refuse the stub's own fcntl(2) as well, which has no replacement. */
	*step = ERRPIPE_STEP_FCNTL;
	if (fcntl_is_faked(exec->report))
		return 0;
	if (fcntl(exec->report, F_SETFD, 0) < 0)
		return -errno;
	*step = ERRPIPE_STEP_STUB;
	exec->stub_argv[1] = ep_decimal(decimal, exec->report);
	ret = exec_fd(exec->stub, exec->stub_argv, exec->envp);
	fcntl(exec->report, F_SETFD, FD_CLOEXEC);
	return ret;
}

/* Report a negative errno or 0. Returns the negative errno for the caller. */
static int fail(int report, unsigned step, int ret)
{
	ep_write(report, step, -ret);
	return ret ? ret : -EPERM;
}

/* Not libc's execve(): glibc declares that its arguments are never NULL, but the kernel accepts NULL. */
static long exec_path(const struct ep_exec *exec)
{
	return syscall(SYS_execve, exec->path, exec->argv, exec->envp);
}

/* EAGAIN is the process limit. E2BIG is the target's failure if the arguments are too long even without the stub's. */
static bool target_fails_alike(const struct ep_exec *exec, int ret)
{
	return ret == -EAGAIN || ret == -ENOMEM || (ret == -E2BIG && ep_too_big(exec->path, exec->argv, exec->envp));
}

/*
 * A stub that is not open is a mistake of the caller's, so report it. A path that is too long to be an argument of the
 * stub is safe to try directly: execve(2) refuses it before it opens anything.
 */
static bool may_go_direct(const struct ep_exec *exec, int ret)
{
	if (ret == -EBADF && ep_is_closed(exec->stub))
		return false;
	return exec->flags & ERRPIPE_FALLBACK || (ret == -E2BIG && strnlen(exec->path, PATH_MAX) == PATH_MAX);
}

int ep_exec(struct ep_exec *exec)
{
	if (exec->stub != ERRPIPE_NO_STUB) {
		unsigned step;
		int ret = exec_stub(exec, &step);

		if (step == ERRPIPE_STEP_STUB && target_fails_alike(exec, ret))
			step = ERRPIPE_STEP_EXEC;
		if (!may_go_direct(exec, ret))
			return fail(exec->report, step, ret);
		exec->fell_back = true;
	}
	return fail(exec->report, ERRPIPE_STEP_EXEC, refused(exec_path(exec)));
}

/* A seccomp(2) filter may allow only one of the two calls, or answer 0 without executing the call. */
static int set_close_on_exec(int fd)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) > 0)
		return 0;
	if (ioctl(fd, FIOCLEX) == 0)
		return 0;
	return -errno;
}

int errpipe_exec(int stub, unsigned flags, int report, const char *path, char *const argv[], char *const envp[])
{
	struct ep_exec exec = {
		.stub = stub, .flags = flags, .report = report, .path = path, .argv = argv, .envp = envp
	};
	struct ep_args args;
	int ret;

	if (flags & ~ERRPIPE_FALLBACK)
		return -EINVAL;

	ret = set_close_on_exec(report);
	if (ret == -EBADF)
		return ret;
	if (ret < 0)
		return fail(report, ERRPIPE_STEP_FCNTL, ret);

	/* A path of NULL would end the stub's arguments. */
	if (!path)
		exec.stub = ERRPIPE_NO_STUB;
	if (exec.stub == ERRPIPE_NO_STUB)
		return ep_exec(&exec);

	if (!ep_may_be_stub(stub))
		return fail(report, ERRPIPE_STEP_STUB, -EINVAL);
	/* A negative errno may be that of errpipe_setup_stub(), and a setup is never skipped. */
	if (stub < 0)
		return fail(report, ERRPIPE_STEP_STUB, stub);
	if (flags & ERRPIPE_FALLBACK && ep_may_have_setup(stub))
		exec.flags = 0;
	ret = ep_stub_args(&args, path, argv);
	if (ret < 0 && !(exec.flags & ERRPIPE_FALLBACK))
		return fail(report, ERRPIPE_STEP_STUB, ret);
	if (ret < 0) {
		exec.stub = ERRPIPE_NO_STUB;
		return ep_exec(&exec);
	}
	exec.stub_argv = args.argv;
	ret = ep_exec(&exec);
	ep_free_args(&args);
	return ret;
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dmz/record.h"
#include "internal.h"

/* Not libc's write(): that is a cancellation point, and no caller of this may be one. */
static int write_once(int fd, const void *bytes, size_t size)
{
	ssize_t n = syscall(SYS_write, fd, bytes, size);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

/* Discard the signal that a failed write has sent to this thread, unless it was pending before. */
static void discard(int signal, const sigset_t *pending_before)
{
	const struct timespec no_wait = { 0, 0 };
	sigset_t set;

	if (sigismember(pending_before, signal))
		return;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigtimedwait(&set, NULL, &no_wait);
}

int ep_write_all(int fd, const void *bytes, size_t size)
{
	struct ep_signals old;
	sigset_t pending;
	int blocked = ep_block_signals(&old), ret;

	sigemptyset(&pending);
	sigpending(&pending);

	ret = write_once(fd, bytes, size);
	if (ret == -EPIPE)
		discard(SIGPIPE, &pending);
	if (ret == -EFBIG)
		discard(SIGXFSZ, &pending);

	if (blocked == 0)
		ep_restore_signals(&old);
	return ret;
}

int ep_write(int report, unsigned step, unsigned error)
{
	const unsigned record[] = DMZ_RECORD(step, error);

	return ep_write_all(report, record, DMZ_RECORD_SIZE);
}

int errpipe_fail(int report, unsigned step, int error)
{
	if (step < ERRPIPE_STEP_CALLER || step > ERRPIPE_STEP_CALLER_LAST)
		return -EINVAL;
	if (error < 1 || error > DMZ_ERROR_MAX)
		return -EINVAL;
	return ep_write(report, step, error);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

/* Use the system call, because libc's sigfillset(3) omits the signals that libc uses internally. */
int ep_block_signals(struct ep_signals *old)
{
	struct ep_signals all;

	memset(&all, 0xff, sizeof(all));
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, old, sizeof(all)) < 0 ? -errno : 0;
}

int ep_restore_signals(const struct ep_signals *old)
{
	struct ep_signals all, before;

	/* A seccomp(2) filter may answer 0 without executing the call. The kernel never returns SIGKILL in a mask. */
	memset(&all, 0xff, sizeof(all));
	before = all;
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, old, &before, sizeof(*old)) < 0)
		return -errno;
	return memcmp(&before, &all, sizeof(all)) == 0 ? -EPERM : 0;
}

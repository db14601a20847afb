/* SPDX-License-Identifier: MIT */
/* Has a child ended, and with which status? */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#define BY_PIDFD ((idtype_t)3) /* linux/wait.h: P_PIDFD, which older C libraries lack */

/* Convert the result of waitid(2) to the status of waitpid(2). */
static int wait_status(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return info->si_status << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

/* Wait by pidfd, because the pid can be reused once somebody has reaped the child. Before Linux 5.4, wait by pid. */
static int wait_for(const struct errpipe_child *child, siginfo_t *info, int options)
{
	int ret;

	if (child->pidfd >= 0) {
		ret = waitid(BY_PIDFD, child->pidfd, info, options);
		if (ret == 0 || errno != EINVAL)
			return ret;
	}
	return waitid(P_PID, child->pid, info, options);
}

/* A seccomp(2) filter may answer 0 without executing the call. The kernel itself never accepts options of 0. */
static bool waitid_is_faked(void)
{
	siginfo_t info; /* valgrind does not accept NULL */

	return waitid(P_ALL, 0, &info, 0) == 0;
}

/*
 * waitid(2) failed with error. The pidfd shows the end of the child, but not its status. It stays readable after the child
 * is reaped; only signal 0 shows that.
 */
static int wait_by_pidfd(const struct errpipe_child *child, int options, int error)
{
	struct pollfd end = { child->pidfd, POLLIN, 0 };
	int ret;

	if (error == ECHILD || child->pidfd < 0)
		return -error;
	do
		ret = poll(&end, 1, options & WNOHANG ? 0 : -1);
	while (ret < 0 && errno == EINTR);

	if (ret <= 0)
		return ret < 0 ? -errno : 0;
	if (syscall(SYS_pidfd_send_signal, child->pidfd, 0, NULL, 0) < 0 && errno == ESRCH)
		return -ECHILD;
	return end.revents & POLLIN ? 1 : -error;
}

int ep_ended(const struct errpipe_child *child, int options, int *status)
{
	siginfo_t info;
	int ret;

	*status = -1;
	info.si_pid = 0;
	do
		ret = wait_for(child, &info, WEXITED | __WALL | options);
	while (ret < 0 && errno == EINTR);

	if (ret < 0)
		return wait_by_pidfd(child, options, errno);
	if (info.si_pid == 0 && waitid_is_faked())
		return wait_by_pidfd(child, options, EPERM);
	if (info.si_pid == 0)
		return 0;
	*status = wait_status(&info);
	return 1;
}

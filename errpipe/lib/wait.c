/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

/* If the pidfd cannot be used, kill by pid. That is safe only as long as nobody has reaped the child. */
static void kill_child(const struct errpipe_child *child)
{
	int status;

	if (child->pidfd >= 0 && syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) == 0)
		return;
	if (ep_ended(child, WNOHANG | WNOWAIT, &status) >= 0)
		kill(child->pid, SIGKILL);
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * Returns the wait status, or -1 if it is unknown. After ECHILD the pid may belong to another process. After any other
 * failure of waitid(2), a filter may still allow waitpid(2).
 */
static int reap(const struct errpipe_child *child)
{
	int status = -1, ret = ep_ended(child, 0, &status);

	if (ret == -ECHILD || status != -1)
		return status;
	do
		ret = waitpid(child->pid, &status, __WALL);
	while (ret < 0 && errno == EINTR);
	return ret == child->pid ? status : -1;
}

/* A cancelled thread must not release half of the child. */
static void release(struct errpipe_child *child, struct errpipe_report *report)
{
	int state, status;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	status = reap(child);
	if (report->status == -1)
		ep_judge_late(child, status, report);
	child->pid = -1;
	child->magic = 0;
	close_if_open(&child->pidfd);
	close_if_open(&child->poll_fd);
	pthread_setcancelstate(state, &state);
}

int errpipe_wait(struct errpipe_child *child, struct errpipe_report *report)
{
	int ret = ep_begin_report(child, report);

	if (ret < 0)
		return ret;
	ret = ep_report(child, EP_SOON, report);

	/* This also makes a forged record true. */
	if (ret < 0 || report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED)
		kill_child(child);

	ep_judge(child, 0, report);
	release(child, report);
	return ret < 0 ? ret : 0;
}

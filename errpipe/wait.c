/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* poll(2) with EINTR retried. It skips descriptors below 0. */
static int ready(struct pollfd *fds, nfds_t count, int timeout)
{
	int ret;

	do
		ret = poll(fds, count, timeout);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* Without a pidfd there is nothing to poll for the end of the child: ask from time to time, in milliseconds. */
enum { ASK_AGAIN = 20 };

/*
 * How long, in milliseconds, the end of the child is all that is waited for. To be woken in between by the end of file, in
 * the midst of its exec, is of no use and not free: 2 to 3 % of a child that soon ends (docs/performance.md).
 */
enum { SOON = 20 };

/* Until there is something to read or the child has ended. */
static int wait_for_either(const struct errpipe_child *child, struct pollfd fds[2])
{
	int status, ret;

	if (child->pidfd >= 0)
		poll(fds + 1, 1, SOON);
	/*
	 * Linux 5.2 has pidfds, but calls them readable at any time. And of a child that somebody else traces we get to know
	 * the end only after the tracer does, while the pidfd is readable before.
	 */
	do {
		ret = ready(fds, 2, fds[1].fd < 0 ? ASK_AGAIN : -1);
		if (fds[1].revents)
			fds[1].fd = -1;
	} while (ret >= 0 && !fds[0].revents && errpipe__ended(child, WNOHANG | WNOWAIT, &status) == 0);

	return ret >= 0 && !fds[0].revents ? ready(fds, 1, 0) : ret;
}

/*
 * A fork elsewhere in the caller may have a copy of the write end, and keep it for as long as it likes. So the end of
 * the child counts as well. What it has written is in the pipe by then.
 */
static int read_until_ended(const struct errpipe_child *child, struct errpipe_report *report)
{
	struct pollfd fds[] = { { child->report, POLLIN, 0 }, { child->pidfd, POLLIN, 0 } };
	int ret = ready(fds, 1, 0);

	if (ret == 0)
		ret = wait_for_either(child, fds);
	if (ret < 0)
		return ret;
	if (fds[0].revents)
		return errpipe_read(child->report, report);
	*report = (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = -1 };
	return 1;
}

/* Without a pidfd, or the right to use it, the number is safe only as long as nobody has reaped the child. */
static void kill_child(const struct errpipe_child *child)
{
	int status;

	if (child->pidfd >= 0 && syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) == 0)
		return;
	if (errpipe__ended(child, WNOHANG | WNOWAIT, &status) >= 0)
		kill(child->pid, SIGKILL);
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* By the number only if waitid(2) may not be used: who says ECHILD has reaped it, and the number can be another's by now. */
static void reap(const struct errpipe_child *child)
{
	int status, ret = errpipe__ended(child, 0, &status);

	if (ret >= 0 || ret == -ECHILD)
		return;
	do
		ret = waitpid(child->pid, &status, __WALL);
	while (ret < 0 && errno == EINTR);
}

/* All of it or, if the thread was cancelled before, nothing. */
static void release(struct errpipe_child *child)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	reap(child);
	child->pid = -1;
	close_if_open(&child->pidfd);
	close_if_open(&child->report);
	pthread_setcancelstate(state, &state);
}

int errpipe_wait(struct errpipe_child *child, struct errpipe_report *report)
{
	int ret = 1;

	if (child->pid <= 0)
		return -ECHILD;
	if (!report->verdict) {
		do
			ret = read_until_ended(child, report);
		while (ret == 0);
	}

	/* A record that somebody has forged becomes true by this. */
	if (ret < 0 || report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED)
		kill_child(child);

	errpipe_settle(child, report);
	release(child);
	return ret < 0 ? ret : 0;
}

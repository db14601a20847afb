/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmz/record.h"
#include "internal.h"

int errpipe_read(int fd, struct errpipe_report *report)
{
	/* One byte more than a record, to notice a second record after the first. */
	unsigned char bytes[DMZ_RECORD_SIZE + 1];
	ssize_t n;
	int ret;

	if (!report)
		return -EFAULT;
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	if (n == 0) {
		*report = (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = -1 };
		return 1;
	}
	ret = errpipe_decode(bytes, n, report);
	return ret < 0 ? ret : 1;
}

/* poll(2), retried after EINTR. It ignores descriptors below 0. */
static int ready(struct pollfd *fds, nfds_t count, int timeout)
{
	int ret;

	do
		ret = poll(fds, count, timeout);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* Without a pidfd, poll(2) does not notice the end of the child, so check at this interval, in milliseconds. */
enum { ASK_AGAIN = 20 };

static bool has_ended(const struct errpipe_child *child)
{
	int status, ret = ep_ended(child, WNOHANG | WNOWAIT, &status);

	/* It was reaped elsewhere, or is not our child. Only the pid is left to check. */
	if (ret == -ECHILD && child->pidfd < 0)
		return kill(child->pid, 0) < 0 && errno == ESRCH;
	return ret != 0;
}

/* Wait until the pipe is readable or the child has ended. */
static int wait_for_either(const struct errpipe_child *child, int milliseconds, struct pollfd fds[2])
{
	int ret;

	if (child->pidfd >= 0 && milliseconds > 0)
		poll(fds + 1, 1, milliseconds);
	/*
	 * A readable pidfd does not prove that waitid(2) will succeed. Linux 5.2 reports pidfds as always readable. And if
	 * the child is traced, its pidfd becomes readable before we can wait for it.
	 */
	do {
		ret = ready(fds, 2, fds[1].fd < 0 ? ASK_AGAIN : -1);
		if (fds[1].revents)
			fds[1].fd = -1;
	} while (ret >= 0 && !fds[0].revents && !has_ended(child));

	return ret >= 0 && !fds[0].revents ? ready(fds, 1, 0) : ret;
}

/*
 * The end of the child counts as end of file, because another process may hold a copy of the write end for any length of
 * time. If the child wrote a record, it is in the pipe by then.
 *
 * Returns 1 if there is something to read, including end of file. Returns 0 if the child has ended and the pipe is empty.
 * Otherwise returns a negative errno.
 */
static int await(const struct errpipe_child *child, int milliseconds)
{
	struct pollfd fds[] = { { child->poll_fd, POLLIN, 0 }, { child->pidfd, POLLIN, 0 } };
	int ret = ready(fds, 1, 0);

	if (ret == 0)
		ret = wait_for_either(child, milliseconds, fds);
	return ret < 0 ? ret : fds[0].revents != 0;
}

int ep_begin_report(const struct errpipe_child *child, struct errpipe_report *report)
{
	if (report)
		*report = (struct errpipe_report){ .verdict = ERRPIPE_CLOSED, .status = -1 };
	if (!child || !report)
		return -EFAULT;
	return child->pid > 0 && child->magic == EP_MAGIC ? 0 : -ECHILD;
}

int ep_report(struct errpipe_child *child, int milliseconds, struct errpipe_report *report)
{
	while (child->read == 0) {
		int ret = await(child, milliseconds);

		if (ret < 0)
			return ret;
		child->report = *report;
		if (ret > 0) {
			child->read = errpipe_read(child->poll_fd, &child->report);
		} else {
			child->report.verdict = ERRPIPE_STARTED;
			child->read = 1;
		}
	}
	*report = child->report;
	return child->read;
}

int errpipe_read_child(struct errpipe_child *child, struct errpipe_report *report)
{
	int ret = ep_begin_report(child, report);

	if (ret < 0)
		return ret;
	return child->poll_fd < 0 ? -EBADF : ep_report(child, 0, report);
}

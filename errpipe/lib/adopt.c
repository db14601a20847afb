/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int open_pidfd(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		fd = ep_above_stderr(fd);
	return fd < 0 ? -1 : fd;
}

int errpipe_adopt(struct errpipe_child *child, pid_t pid, int stub, int report)
{
	if (!child)
		return -EFAULT;
	*child = (struct errpipe_child){ .pid = -1, .pidfd = -1, .poll_fd = -1 };
	if (pid <= 0)
		return -EINVAL;
	child->pid = pid;
	child->magic = EP_MAGIC;
	child->pidfd = open_pidfd(pid);
	child->poll_fd = report;
	/* Another process reads the report. errpipe_look() and errpipe_settle() assume that it has seen end of file. */
	if (report < 0) {
		child->report = (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = -1 };
		child->read = 1;
	}
	if (stub > 0)
		ep_stub_name(stub, child->stub);
	else
		child->route = stub == ERRPIPE_NO_STUB ? ERRPIPE_DIRECT_ASKED : ERRPIPE_DIRECT_NO_STUB;
	return 0;
}

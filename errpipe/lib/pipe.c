/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

int errpipe_pipe(int fd[2])
{
	int pipe[2];

	if (!fd)
		return -EFAULT;
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -errno;

	pipe[0] = ep_above_stderr(pipe[0]);
	pipe[1] = ep_above_stderr(pipe[1]);
	for (int i = 0; i < 2; i++) {
		if (pipe[i] < 0) {
			close(pipe[!i]);
			return pipe[i];
		}
	}

	fd[0] = pipe[0];
	fd[1] = pipe[1];
	return 0;
}

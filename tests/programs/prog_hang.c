/* SPDX-License-Identifier: MIT */
/*
 * prog_hang DIR COMMAND [ARG...]: run COMMAND while DIR is a file system that does not answer. Exit with COMMAND's status,
 * or with 77 if FUSE cannot be used here.
 *
 * It takes each request and keeps it until COMMAND has ended. Until then not even SIGKILL wakes the process that asked
 * (request_wait_answer() in the kernel's fs/fuse/dev.c).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse.h"

enum { NO_FUSE = 77 };

/* The connection is ready once the kernel knows our version. Only then does it send other requests. */
static int answer_first(int fd, char *request)
{
	const struct fuse_in_header *in = (void *)request;
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} out = { .header.len = sizeof(out),
		  .init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096 } };

	if (read(fd, request, FUSE_REQUEST_SIZE) < (ssize_t)sizeof(*in) || in->opcode != FUSE_INIT)
		return -1;
	out.header.unique = in->unique;
	return write(fd, &out, sizeof(out)) == sizeof(out) ? 0 : -1;
}

/* Take requests and answer none. After COMMAND has ended we are killed, and the kernel ends the connection. */
static pid_t keep_silent(int fd, char *request)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, request, FUSE_REQUEST_SIZE) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	static char request[FUSE_REQUEST_SIZE];
	int fd = argc > 2 ? fuse_mount(argv[1], "hang") : -1;

	if (fd < 0 || answer_first(fd, request) < 0)
		return NO_FUSE;
	return fuse_run(fd, keep_silent(fd, request), argv + 2, NO_FUSE);
}

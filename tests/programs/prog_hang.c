/* SPDX-License-Identifier: MIT */
/*
 * prog_hang FOLDER COMMAND [ARG...]: run COMMAND where FOLDER is a file system that does not answer, and exit as it does,
 * or with 77 if there can be none here. It takes the first question and keeps it, so that not even SIGKILL wakes who has asked
 * (request_wait_answer() in the kernel's fs/fuse/dev.c), until COMMAND has ended.
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

/* The connection is there when the kernel has been told the version; after that it asks what it wants to know. */
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

/* Take what is asked, without a word, until COMMAND has ended and we are killed: then the kernel ends the connection. */
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

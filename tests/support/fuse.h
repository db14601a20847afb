/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUSE_H
#define TESTS_FUSE_H

/* For test programs that serve a file system through fuse(4). The program must define _GNU_SOURCE. */
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FUSE_REQUEST_SIZE = 1 << 17 };

/*
 * Mount a file system on a directory, in a new mount namespace. Returns the descriptor from which to read requests,
 * or -1.
 */
static inline int fuse_mount(const char *directory, const char *name)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[80];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (fd < 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(name, directory, "fuse", 0, options) < 0)
		return -1;
	return fd;
}

/*
 * Run a command while the process server answers the requests from fd, then kill the server. Returns the exit status
 * for main().
 */
static inline int fuse_run(int fd, pid_t server, char **argv, int no_command)
{
	int status;
	pid_t pid;

	close(fd);
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(no_command);
	}
	waitpid(pid, &status, 0);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif

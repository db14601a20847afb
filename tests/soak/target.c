/* SPDX-License-Identifier: MIT */
/* target FILE N [set-up]: set byte N of FILE to 1, and exit with 7; with 8 if it lacks a part of the setup of soak.c. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc >= 3 ? open(argv[1], O_WRONLY) : -1;

	if (argc == 4 && (umask(0) != 027 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || getsid(0) != getpid()))
		return 8;
	return pwrite(fd, "\1", 1, argc >= 3 ? atol(argv[2]) : 0) == 1 ? 7 : 1;
}

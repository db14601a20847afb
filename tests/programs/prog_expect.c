/* SPDX-License-Identifier: MIT */
/*
 * Exit with 0 if the process is as expected, and with 1 otherwise.
 *
 *	prog_expect fds DIGITS		exactly these descriptors are open
 *	prog_expect args COUNT [ARG...]	argc is COUNT
 *	prog_expect place DIR		it runs in DIR with umask 0137, leads a session, and has a descriptor 9
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int has_descriptors(const char *digits)
{
	char open_ones[1024], *end = open_ones;

	for (int fd = 0; fd < 1000; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			*end++ = fd < 10 ? '0' + fd : '+';
	}
	*end = '\0';
	if (strcmp(open_ones, digits) == 0)
		return 1;
	fprintf(stderr, "prog_expect: descriptors %s are open, not %s\n", open_ones, digits);
	return 0;
}

static int is_placed(const char *expected)
{
	char directory[PATH_MAX];

	return getcwd(directory, sizeof(directory)) && strcmp(directory, expected) == 0 && umask(0) == 0137 &&
	       getsid(0) == getpid() && fcntl(9, F_GETFD) >= 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 1;
	if (strcmp(argv[1], "fds") == 0)
		return !has_descriptors(argv[2]);
	if (strcmp(argv[1], "args") == 0)
		return argc != atoi(argv[2]);
	if (strcmp(argv[1], "place") == 0)
		return !is_placed(argv[2]);
	return 1;
}

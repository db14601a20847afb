/* SPDX-License-Identifier: MIT */
/*
 * A program that exits with 0 if it has got what it is told to expect, and with 1 otherwise.
 *
 *	prog_expect fds DIGITS		these descriptors are open, and no other
 *	prog_expect args COUNT [ARG...]	argc is COUNT
 *	prog_expect place FOLDER	it is in FOLDER, its umask is 0137, it leads a session, and has a descriptor 9
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

static int is_placed(const char *folder)
{
	char directory[PATH_MAX];

	return getcwd(directory, sizeof(directory)) && strcmp(directory, folder) == 0 && umask(0) == 0137 &&
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

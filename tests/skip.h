/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SKIP_H
#define TESTS_SKIP_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Leave a test that cannot run here. Check counts it as passed, so each skip is a line in the file ERRPIPE_SKIPS,
 * which scripts/run-tests counts and shows.
 */
#define SKIP(reason)                                         \
	do {                                                 \
		skip_note(__FILE__, __func__, (reason));     \
		return;                                      \
	} while (0)

static inline void skip_note(const char *file, const char *test, const char *reason)
{
	const char *path = getenv("ERRPIPE_SKIPS");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	fprintf(stderr, "%s: %s: skipped: %s\n", file, test, reason);
	if (fd < 0)
		return;
	dprintf(fd, "%s: %s: %s\n", file, test, reason);
	close(fd);
}

#endif

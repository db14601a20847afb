/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SKIP_H
#define TESTS_SKIP_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * End a test that cannot run here. Check counts it as passed, so each skip also adds a line to the file
 * ERRPIPE_SKIPS. scripts/build/run-tests counts and prints these lines.
 */
#define SKIP(reason)                                                                                                 \
	do {                                                                                                         \
		skip_note(__FILE__, __func__, (reason));                                                             \
		return;                                                                                              \
	} while (0)

/*
 * Skip a test if this machine lacks an ability. scripts/build/machine lists the abilities. A test that detects the
 * lack itself calls SKIP("needs NAME").
 */
#define NEEDS(name)                                                                                                  \
	do {                                                                                                         \
		if (lacks("needs " name))                                                                            \
			SKIP("needs " name);                                                                         \
	} while (0)

/*
 * A name missing from the list counts as lacking, which makes scripts/build/run-tests notice it. Without a list, the
 * machine lacks nothing.
 */
static inline bool lacks(const char *needs)
{
	const char *name = needs + strlen("needs ");
	const char *path = getenv("ERRPIPE_MACHINE");
	FILE *list = path ? fopen(path, "re") : NULL;
	size_t length = strlen(name);
	bool found = !list;
	char line[512];

	while (!found && fgets(line, sizeof(line), list))
		found = strncmp(line, name, length) == 0 && line[length] == '\t' && line[length + 1] == '\n';
	if (list)
		fclose(list);
	return !found;
}

/* An ordinary user needs a user namespace to create other namespaces. */
static inline const char *needs_namespaces(void)
{
	return geteuid() == 0 ? "needs pid-namespaces" : "needs user-namespaces";
}

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

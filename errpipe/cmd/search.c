/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

/* The places where a shell would look for a program, one after the other. */
struct places {
	const char *name; /* as the user typed it */
	const char *rest; /* of PATH; NULL after the last place */
	char *path;	  /* the current place, malloc'd, or NULL */
};

bool is_searched(const char *name)
{
	/* A name with a slash is a path already. An empty name is tried as a path as well, and fails. */
	return *name && !strchr(name, '/');
}

const char *path_or_default(const char *path)
{
	if (!path)
		path = getenv("PATH");
	return path ? path : DEFAULT_PATH;
}

/* What is found at a place, the best first. */
enum found { FOUND, REFUSED, ABSENT, NONE_YET };

/*
 * Classify a place like a shell. A shell goes on if the file is missing or a directory, if the path leads nowhere, and
 * if it may not execute the file or look at the place. seen means that the file exists, and mode is its st_mode; error is
 * the errno of its exec, or of the look-up.
 */
static enum found found_by(bool seen, mode_t mode, int error)
{
	static const int absent[] = { ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG };

	if (seen && S_ISDIR(mode))
		return ABSENT;
	if (seen)
		return error == EACCES ? REFUSED : FOUND;
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		if (error == absent[i])
			return ABSENT;
	}
	return REFUSED;
}

/* 1: places->path is the next place. 0: none is left. Or a negative errno. */
static int next_place(struct places *places)
{
	const char *directory = places->rest;
	size_t length;

	if (!directory)
		return 0;
	length = strcspn(directory, ":");
	places->rest = directory[length] ? directory + length + 1 : NULL;

	free(places->path);
	places->path = malloc(length + strlen(places->name) + sizeof("/"));
	if (!places->path)
		return -ENOMEM;

	/* An empty entry is the working directory (POSIX, XBD 8.3). */
	memcpy(places->path, directory, length);
	strcpy(places->path + length, length ? "/" : "");
	strcat(places->path, places->name);
	return 1;
}

/* A search by attempts to exec. */
struct attempts {
	const char *name;
	void (*try)(const char *path, void *data, struct outcome *outcome);
	void *data;
	struct outcome last, best;
};

/* A process that is not started, or whose setup fails, has not tried the place. */
static bool is_untried(const struct outcome *outcome)
{
	return outcome->lacks_child || outcome->report.verdict == ERRPIPE_SETUP_FAILED;
}

/*
 * The outcome of an attempt at a place, which is absent if stat(2) has shown that all are. To the user the program is then
 * missing, even if the last place is a file or a loop of links. Returns what was found.
 */
static enum found result_of(struct attempts *attempts, const char *path, bool seen, mode_t mode, bool absent)
{
	struct outcome *outcome = &attempts->last;
	enum found found = FOUND;

	if (outcome->report.verdict == ERRPIPE_EXEC_FAILED)
		found = found_by(seen, mode, outcome->report.error);
	outcome->nowhere = absent && is_searched(attempts->name);
	if (outcome->nowhere && found == ABSENT)
		outcome->report.error = outcome->report.raw_error = ENOENT;
	outcome->path = strdup(outcome->nowhere || is_untried(outcome) ? attempts->name : path);
	outcome->tried = strdup(path);
	if (outcome->path && outcome->tried)
		return found;
	outcome_fail(outcome, ENOMEM, "cannot search for", attempts->name);
	return FOUND;
}

/* Places that are ABSENT are skipped. If all are, the last one is tried, because only execve(2) can decide. */
static enum found try_place(struct attempts *attempts, const char *path, bool is_last)
{
	struct stat st;
	bool seen = stat(path, &st) == 0;
	mode_t mode = seen ? st.st_mode : 0;
	bool absent = found_by(seen, mode, errno) == ABSENT;

	outcome_free(&attempts->last);
	attempts->last = (struct outcome){ .path = NULL };
	if (absent && !is_last)
		return ABSENT;
	attempts->try(path, attempts->data, &attempts->last);
	return result_of(attempts, path, seen, mode, absent);
}

static void keep_outcome(struct attempts *attempts)
{
	struct outcome worse = attempts->best;

	attempts->best = attempts->last;
	attempts->last = worse;
}

/*
 * Try one place after the other until one is FOUND. A place that is REFUSED does not hide a later one. The best is the one
 * that is FOUND, or the first that is REFUSED, or the last. Returns 0, or a negative errno.
 */
static int search(struct attempts *attempts)
{
	struct places places = { .name = attempts->name };
	enum found best = NONE_YET;
	int ret = 0;

	places.rest = is_searched(attempts->name) ? path_or_default(NULL) : "";
	while (best != FOUND && (ret = next_place(&places)) > 0) {
		enum found found = try_place(attempts, places.path, !places.rest && best != REFUSED);

		if (found < best || (found == ABSENT && best == ABSENT)) {
			best = found;
			keep_outcome(attempts);
		}
	}
	free(places.path);
	return ret < 0 ? ret : 0;
}

void search_and_try(const char *name, void (*try)(const char *path, void *data, struct outcome *outcome), void *data,
		    struct outcome *outcome)
{
	struct attempts attempts = { .name = name, .try = try, .data = data };
	int ret = search(&attempts);

	outcome_free(&attempts.last);
	*outcome = attempts.best;
	if (ret < 0) {
		outcome_free(outcome);
		*outcome = (struct outcome){ .path = NULL };
		outcome_fail(outcome, -ret, "cannot search for", name);
	}
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

bool is_searched(const char *name)
{
	/* A name with a slash is a path already, and so is the empty one: it names nothing. */
	return *name && !strchr(name, '/');
}

const char *path_or_default(const char *path)
{
	if (!path)
		path = getenv("PATH");
	return path ? path : DEFAULT_PATH;
}

struct places places_of(const char *name, const char *path)
{
	return (struct places){ .name = name, .rest = is_searched(name) ? path_or_default(path) : "" };
}

enum found found_by(bool seen, mode_t mode, int error)
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

int next_place(struct places *places)
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

struct search {
	struct places places;
	bool seen;   /* the file at this place exists */
	mode_t mode; /* of it, or 0 */
	bool found;  /* one of the places was not ABSENT */
};

/* The next place that may hold a file, or the last if all are empty. Returns as next_place() does. */
static int next(struct search *search)
{
	struct stat st;
	int ret;

	while ((ret = next_place(&search->places)) > 0) {
		search->seen = stat(search->places.path, &st) == 0;
		search->mode = search->seen ? st.st_mode : 0;
		if (found_by(search->seen, search->mode, errno) != ABSENT)
			search->found = true;
		else if (search->places.rest || search->found)
			continue;
		return 1;
	}
	return ret;
}

static enum found result_of(const struct search *search, const struct outcome *outcome)
{
	if (outcome->report.verdict != ERRPIPE_EXEC_FAILED)
		return FOUND;
	return found_by(search->seen, search->mode, outcome->report.error);
}

/* Name the program: by the place that was tried, or as the user typed it if PATH has none. */
static void name_path(struct outcome *outcome, const struct search *search)
{
	const struct places *places = &search->places;

	outcome->nowhere = !search->found && is_searched(places->name);
	/* To the user the program is missing, even if the last place is a file or a loop of links. */
	if (outcome->nowhere && result_of(search, outcome) == ABSENT)
		outcome->report.error = outcome->report.raw_error = ENOENT;
	outcome->path = strdup(outcome->nowhere ? places->name : places->path);
	outcome->tried = strdup(places->path);
	if (!outcome->path || !outcome->tried)
		outcome_fail(outcome, ENOMEM, "cannot search for %s", places->name);
}

void search_and_try(const char *name, void (*try)(const char *path, void *data, struct outcome *outcome), void *data,
		    struct outcome *outcome)
{
	struct outcome refused = { .path = NULL };
	struct search search = { .places = places_of(name, NULL) };
	int ret;

	*outcome = (struct outcome){ .path = NULL };
	while ((ret = next(&search)) > 0) {
		try(search.places.path, data, outcome);
		name_path(outcome, &search);
		if (result_of(&search, outcome) != REFUSED)
			break;
		if (refused.path)
			outcome_free(outcome);
		else
			refused = *outcome;
		*outcome = (struct outcome){ .path = NULL };
	}
	if (ret == 0) {
		*outcome = refused;
	} else {
		outcome_free(&refused);
		if (ret < 0)
			outcome_fail(outcome, -ret, "cannot search for %s", name);
	}
	free(search.places.path);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

/* Where execvp(3) looks without a PATH: confstr(3) _CS_PATH, which POSIX wants to find the standard programs. */
#define DEFAULT_PATH "/bin:/usr/bin"

struct search {
	const char *name; /* as the user typed it */
	const char *rest; /* of PATH; NULL when all of it was taken */
	char *path;	  /* the place at hand, malloc'd, or NULL */
	bool found;	  /* there was something in one of the places */
};

static struct search begin(const char *name)
{
	const char *path = getenv("PATH");

	/* A name with a slash is a path already, and so is the empty one: it names nothing. */
	if (strchr(name, '/') || !*name)
		path = "";
	else if (!path)
		path = DEFAULT_PATH;
	return (struct search){ .name = name, .rest = path };
}

static bool is_absent(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static int take_entry(struct search *search)
{
	const char *directory = search->rest;
	size_t length = strcspn(directory, ":");

	search->rest = directory[length] ? directory + length + 1 : NULL;

	free(search->path);
	search->path = malloc(length + strlen(search->name) + sizeof("/"));
	if (!search->path)
		return -ENOMEM;

	/* An empty entry is the working directory (POSIX, XBD 8.3). */
	memcpy(search->path, directory, length);
	strcpy(search->path + length, length ? "/" : "");
	strcat(search->path, search->name);
	return 0;
}

/* 1: search->path is the next place. 0: there is none left. Or a negative errno. */
static int next(struct search *search)
{
	int ret;

	while (search->rest) {
		ret = take_entry(search);
		if (ret < 0)
			return ret;
		if (!is_absent(search->path))
			search->found = true;
		else if (search->rest || search->found)
			continue;
		return 1;
	}
	return 0;
}

/* What the outcome speaks of: what is nowhere is known only as the user typed it. */
static void name_path(struct outcome *outcome, const struct search *search)
{
	outcome->path = strdup(search->found ? search->path : search->name);
	if (!outcome->path)
		outcome_fail(outcome, ENOMEM, "cannot search for %s", search->name);
}

static bool may_not_be_executed(const struct outcome *outcome)
{
	return outcome->report.verdict == ERRPIPE_EXEC_FAILED && outcome->report.error == EACCES;
}

void search_and_try(const char *name, void (*try)(const char *path, void *data, struct outcome *outcome), void *data,
		    struct outcome *outcome)
{
	struct outcome refused = { .path = NULL };
	struct search search = begin(name);
	int ret;

	*outcome = (struct outcome){ .path = NULL };
	while ((ret = next(&search)) > 0) {
		try(search.path, data, outcome);
		name_path(outcome, &search);
		if (!may_not_be_executed(outcome))
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
	free(search.path);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

/* Where execvp(3) looks without a PATH: confstr(3) _CS_PATH, which POSIX wants to find the standard programs. */
#define DEFAULT_PATH "/bin:/usr/bin"

struct search search_begin(const char *name)
{
	const char *path = getenv("PATH");

	/* A name with a slash is a path already, and so is the empty one: it names nothing. */
	if (strchr(name, '/') || !*name)
		path = "";
	else if (!path)
		path = DEFAULT_PATH;
	return (struct search){ .name = name, .rest = path };
}

static int absent(const char *path)
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

int search_next(struct search *search)
{
	int ret;

	while (search->rest) {
		ret = take_entry(search);
		if (ret < 0)
			return ret;
		if (!absent(search->path))
			search->found = true;
		else if (search->rest || search->found)
			continue;
		return 1;
	}
	return 0;
}

void search_end(struct search *search)
{
	free(search->path);
}

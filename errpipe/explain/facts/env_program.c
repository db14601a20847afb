/* SPDX-License-Identifier: MIT */
/* Find out whether a program is env(1), and which implementation. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* coreutils' env has 48 kB, that of uutils 2 MB, a static busybox 2 MB, uutils with all its tools 12 MB. */
enum { CHUNK = 16384, ENV_MAX = 4 << 20, SCAN_MAX = 16 << 20, LENGTH_MAX = 64 };

/* Search the first max bytes of a file for strings, the best one first. Returns the index of the best found, or -1. */
static int find_first(int fd, uint64_t max, const struct ep_span *strings, int count)
{
	char chunk[LENGTH_MAX + CHUNK];
	size_t kept = 0; /* of the chunk before, because a string may lie across two */
	int best = count;
	ssize_t n;

	for (uint64_t at = 0; best && at < max; at += n) {
		size_t size;

		n = ep_pread(fd, chunk + kept, CHUNK, at);
		if (n <= 0)
			break;
		size = kept + n;
		for (int i = 0; i < best; i++) {
			if (memmem(chunk, size, strings[i].at, strings[i].size))
				best = i;
		}
		kept = size < LENGTH_MAX - 1 ? size : LENGTH_MAX - 1;
		memmove(chunk, chunk + size - kept, kept);
	}
	return best < count ? best : -1;
}

bool ep_contains_name(int fd, const char *name)
{
	size_t length = strlen(name);
	char bytes[LENGTH_MAX] = "";
	const struct ep_span string = { bytes, length + 2 };

	if (string.size > sizeof(bytes))
		return false;
	strcpy(bytes + 1, name);
	return find_first(fd, SCAN_MAX, &string, 1) == 0;
}

static bool is(const char *path, const char *name)
{
	return path && strcmp(ep_last_name(path), name) == 0;
}

/* By the names of its long options, because there are other programs with that name. */
static enum ep_env_kind env_by_options(int fd, uint64_t max)
{
	static const struct ep_span options[] = { { "split-string", 12 }, { "ignore-environment", 18 } };
	static const enum ep_env_kind kinds[] = { EP_ENV_GNU, EP_ENV_OLD_GNU };
	int found = find_first(fd, max, options, COUNT(options));

	return found < 0 ? EP_ENV_NONE : kinds[found];
}

/* Programs that act by the name under which they are started, or else by their first argument. */
static const struct {
	const char *name;
	enum ep_env_kind kind; /* NONE: the options show it */
} many_in_one[] = {
	{ "busybox", EP_ENV_BUSYBOX },
	{ "toybox", EP_ENV_TOYBOX },
	{ "coreutils", EP_ENV_NONE }, /* GNU, and uutils, which lacked -S at first */
};

/* "busybox.static", "toybox-x86_64" */
static bool begins_with(const char *path, const char *name)
{
	size_t length = strlen(name);

	return path && strncmp(ep_last_name(path), name, length) == 0 && !strpbrk(ep_last_name(path) + length, "/ ");
}

bool ep_is_one_of_many(const char *resolved)
{
	for (size_t i = 0; i < COUNT(many_in_one); i++) {
		if (begins_with(resolved, many_in_one[i].name))
			return true;
	}
	return false;
}

bool ep_may_be_env(const char *resolved)
{
	return is(resolved, "env") || ep_is_one_of_many(resolved);
}

enum ep_env_kind ep_env_program(const char *resolved, int fd, char *const *argv, size_t *skip)
{
	*skip = is(argv[0], "env") || is(resolved, "env") ? 1 : 2;
	if (*skip == 2 && !is(argv[1], "env"))
		return EP_ENV_NONE;
	for (size_t i = 0; i < COUNT(many_in_one); i++) {
		if (begins_with(resolved, many_in_one[i].name) &&
		    (*skip == 1 || begins_with(argv[0], many_in_one[i].name)))
			return many_in_one[i].kind ? many_in_one[i].kind : env_by_options(fd, SCAN_MAX);
	}
	return is(resolved, "env") ? env_by_options(fd, ENV_MAX) : EP_ENV_NONE;
}

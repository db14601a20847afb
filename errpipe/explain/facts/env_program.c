/* SPDX-License-Identifier: MIT */
/* Find out whether a program is env(1), and which implementation. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

/* coreutils' env has 48 kB, a static busybox 2 MB, uutils with all its tools 12 MB. */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { CHUNK = 16384, SCAN_MAX = 16 << 20, NAME_MAX_LENGTH = 64 };

static bool contains(int fd, const char *bytes, size_t length)
{
	char chunk[NAME_MAX_LENGTH + CHUNK];
	size_t kept = 0; /* of the chunk before, because the string may lie across two */
	ssize_t n;

	for (uint64_t at = 0; at < SCAN_MAX; at += n) {
		size_t size;

		n = ep_pread(fd, chunk + kept, CHUNK, at);
		if (n <= 0)
			return false;
		size = kept + n;
		if (memmem(chunk, size, bytes, length))
			return true;
		kept = size < length - 1 ? size : length - 1;
		memmove(chunk, chunk + size - kept, kept);
	}
	return false;
}

bool ep_contains_name(int fd, const char *name)
{
	size_t length = strlen(name);
	char bytes[NAME_MAX_LENGTH] = "";

	if (length + 2 > sizeof(bytes))
		return false;
	strcpy(bytes + 1, name);
	return contains(fd, bytes, length + 2);
}

static bool is(const char *path, const char *name)
{
	return path && strcmp(ep_last_name(path), name) == 0;
}

/* By the names of its long options, because there are other programs with that name. */
static enum ep_env_kind env_by_options(int fd)
{
	static const char clear[] = "ignore-environment", split[] = "split-string";

	if (contains(fd, split, strlen(split)))
		return EP_ENV_GNU;
	return contains(fd, clear, strlen(clear)) ? EP_ENV_OLD_GNU : EP_ENV_NONE;
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
			return many_in_one[i].kind ? many_in_one[i].kind : env_by_options(fd);
	}
	return is(resolved, "env") ? env_by_options(fd) : EP_ENV_NONE;
}

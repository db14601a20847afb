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

/* --- the applets of busybox ----------------------------------------------------------------------------------- */

/* Around a name. Names of applets are short. */
enum { APPLETS_AROUND = 128, APPLETS_LEAST = 4 };

static size_t applet_length(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789[._-");
}

static int count_before(const char *begin, const char *name)
{
	int count = 0;

	while (count < APPLETS_LEAST && name - begin >= 2) {
		const char *before = name - 2;

		while (before > begin && before[-1])
			before--;
		if (before == begin || before + applet_length(before) != name - 1 || strcmp(before, name) >= 0)
			break;
		name = before;
		count++;
	}
	return count;
}

static int count_after(const char *name, const char *end)
{
	int count = 0;

	for (; count < APPLETS_LEAST; count++) {
		const char *after = name + strlen(name) + 1;

		if (after >= end || !*after || after[applet_length(after)] || strcmp(name, after) >= 0)
			break;
		name = after;
	}
	return count;
}

/* busybox has the names of its applets in one sorted list (applet_names in include/applet_tables.h, a generated file). */
static bool is_in_list(int fd, uint64_t at)
{
	const size_t before = at < APPLETS_AROUND ? at : APPLETS_AROUND;
	char bytes[2 * APPLETS_AROUND + 1];
	ssize_t n = ep_pread(fd, bytes, sizeof(bytes) - 1, at - before);

	if (n <= (ssize_t)before)
		return false;
	bytes[n] = '\0';
	return count_before(bytes, bytes + before) + count_after(bytes + before, bytes + n) >= APPLETS_LEAST;
}

bool ep_has_applet(int fd, const char *name)
{
	char chunk[LENGTH_MAX + CHUNK], bytes[LENGTH_MAX] = "";
	const size_t length = strlen(name) + 2;
	size_t kept = 0;
	ssize_t n;

	if (length == 2 || length > sizeof(bytes))
		return false;
	strcpy(bytes + 1, name);
	for (uint64_t at = 0; at < SCAN_MAX; at += n) {
		const char *found = chunk;
		size_t size;

		n = ep_pread(fd, chunk + kept, CHUNK, at);
		if (n <= 0)
			break;
		size = kept + n;
		while ((found = memmem(found, size - (found - chunk), bytes, length))) {
			if (is_in_list(fd, at - kept + (found - chunk) + 1))
				return true;
			found++;
		}
		kept = size < length - 1 ? size : length - 1;
		memmove(chunk, chunk + size - kept, kept);
	}
	return false;
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

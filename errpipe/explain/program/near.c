/* SPDX-License-Identifier: MIT */
/*
 * A library that its loader does not find: look for a dangling symbolic link with its name, the same library under another
 * name, or another version of it. These are hints and never change the answer.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

enum { LISTS_MAX = 32, ENTRIES_MAX = 8192, TRIES_MAX = 16 };

static const char numbers[] = "0123456789.";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is the rest of a name only a version, such as ".1.2"? */
static bool is_version(const char *rest)
{
	return !*rest || (*rest == '.' && strspn(rest, numbers) == strlen(rest));
}

/* After ".so", after "-", or with a dot. Any other number belongs to the name: libz3 and libz4 are two libraries. */
static bool is_number_of_version(const char *name, const char *at)
{
	const char *end = at + strspn(at, "0123456789");

	return at > strstr(name, ".so") || (at > name && at[-1] == '-') || (*end == '.' && is_digit(end[1]));
}

/* libssl.so.3 and libssl.so.1.1, libpython3.9.so.1.0 and libpython3.11.so.1.0, but not libz.so.1 and libz3.so.4. */
static bool is_other_version(const char *name, const char *wanted)
{
	const char *a = name, *b = wanted;

	if (!strstr(name, ".so") || !strstr(wanted, ".so") || strcmp(name, wanted) == 0)
		return false;
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b) && is_number_of_version(name, a) &&
		    is_number_of_version(wanted, b)) {
			a += strspn(a, numbers);
			b += strspn(b, numbers);
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return is_version(a) && is_version(b);
}

static void take_unlinked(struct ep_walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (w->near->unlinked || !slash)
		return;
	w->near->unlinked = ep_walk_tell(w, path);
	w->near->link = ep_keep(w->c, "%.*s/%s", (int)(slash - path), path, w->wanted);
}

/* The shortest name is usually the one by which programs know it. */
static void take_other(struct ep_walk *w, const char *path)
{
	const char *before = w->near->other;

	if (!before || strlen(ep_last_name(path)) < strlen(ep_last_name(before)))
		w->near->other = ep_walk_keep(w, path);
}

/* A file whose name shows another version of the library at hand. */
static void try_other(struct ep_walk *w, const char *path)
{
	const char *soname = NULL;
	struct ep_readable file;
	bool fits;

	if (w->near->tries++ >= TRIES_MAX || ep_walk_open(w, path, &file) < 0 || file.fd < 0)
		return;
	fits = ep_object_header(&w->object, file.fd, &w->kind) == EP_HEADER_OK;
	if (fits) {
		ep_object_read(&w->object);
		soname = ep_object_tag_string(&w->object, EP_SONAME);
	}
	if (soname && strcmp(soname, w->wanted) == 0)
		take_unlinked(w, path);
	else if (fits)
		take_other(w, path);
	close(file.fd);
}

struct listing {
	struct ep_walk *w;
	const char *directory;
};

static int try_entry(void *context, const char *name)
{
	struct listing *listing = context;
	char path[PATH_MAX];

	if (is_other_version(name, listing->w->wanted) && ep_walk_join(path, listing->directory, name))
		try_other(listing->w, path);
	return 0;
}

static void list_directory(struct ep_walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct listing listing = { .w = w };
	char directory[PATH_MAX];
	int fd;

	if (!slash || slash - path >= PATH_MAX || w->near->lists == LISTS_MAX)
		return;
	snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = ep_open_directory(w->c, directory);
	if (fd < 0)
		return;
	w->near->lists++;
	listing.directory = directory;
	ep_entries(fd, ENTRIES_MAX, try_entry, &listing);
	close(fd);
}

/* LD_LIBRARY_PATH names the library instead of its directory. */
static void find_named(struct ep_walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char file[PATH_MAX];

	if (!slash || slash - path >= PATH_MAX)
		return;
	snprintf(file, sizeof(file), "%.*s", (int)(slash - path), path);
	if (!w->near->named && strcmp(ep_last_name(file), w->wanted) == 0 && ep_is_file(w->c, file))
		w->near->named = ep_walk_tell(w, file);
}

/* A shell does not expand these in quotes, and nothing else expands them. */
static void find_at_home(struct ep_walk *w, const char *path)
{
	static const char *const begins[] = { "~/", "$HOME/", "${HOME}/" };
	const char *home = ep_variable(w->c, "HOME");
	char file[PATH_MAX];

	for (size_t i = 0; home && i < sizeof(begins) / sizeof(*begins); i++) {
		if (!w->near->named && ep_begins_with(path, begins[i]) &&
		    ep_walk_join(file, home, path + strlen(begins[i])) && ep_is_file(w->c, file))
			w->near->named = ep_walk_tell(w, file);
	}
}

static void find_dangling(struct ep_walk *w, const char *path)
{
	const char *link, *target;

	if (w->near->dangling || !ep_fails_by(w->c, path, ERRPIPE_CAUSE_DANGLING_LINK, &link, &target))
		return;
	if (strcmp(ep_last_name(link), w->wanted) != 0 && !is_other_version(ep_last_name(link), w->wanted))
		return;
	w->near->dangling = link;
	w->near->target = target;
}

static void find_hidden(struct ep_walk *w, const char *path)
{
	if (w->near->mount)
		return;
	w->near->mount = ep_hiding_mount(w->c, path);
	w->near->hidden = w->near->mount ? ep_walk_tell(w, path) : NULL;
}

static enum ep_try look(struct ep_walk *w, const char *path)
{
	find_hidden(w, path);
	find_named(w, path);
	find_at_home(w, path);
	find_dangling(w, path);
	if (!w->near->dangling)
		list_directory(w, path);
	return EP_TRY_NEXT;
}

void ep_walk_near(struct ep_walk *w, struct ep_near *near)
{
	ep_walk_search_again(w, look, near);
}

void ep_walk_near_cached(struct ep_walk *w, struct ep_near *near, const char *name, const char *path)
{
	bool given_up = w->given_up;

	w->near = near;
	if (is_other_version(name, w->wanted))
		try_other(w, path);
	w->near = NULL;
	w->given_up = given_up;
}

/* SPDX-License-Identifier: MIT */
/* A library that its loader does not find: why, and where it is. The place is a hint, which changes no answer. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

enum { CONFIG_MAX = 4096, FILES_MAX = 64 };

/* Is there a library of that name, for the same kind of process? Returns its path, or NULL. */
static const char *find_in(struct ep_walk *w, const char *directory)
{
	struct ep_readable file;
	char path[PATH_MAX];
	bool fits;

	if (!*directory || !ep_walk_join(path, directory, w->wanted) || ep_walk_open(w, path, &file) < 0)
		return NULL;
	fits = file.fd >= 0 && ep_object_header(&w->object, file.fd, &w->kind) == EP_HEADER_OK;
	if (file.fd >= 0)
		close(file.fd);
	return fits ? ep_walk_keep(w, path) : NULL;
}

/* --- ld.so.conf(5) in ldconfig(8) --------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == ':';
}

/* The directory of a line, without comments and blanks around it. */
static enum ep_try take_line(struct ep_walk *w, const char *line, void *context)
{
	const char **found = context;
	char directory[PATH_MAX];
	size_t length;

	while (is_blank(*line))
		line++;
	length = strcspn(line, "#\r");
	while (length && is_blank(line[length - 1]))
		length--;
	if (*line != '/' || length >= sizeof(directory))
		return EP_TRY_NEXT;
	memcpy(directory, line, length);
	directory[length] = '\0';
	*found = find_in(w, directory);
	return *found ? EP_TRY_TAKEN : EP_TRY_NEXT;
}

static const char *find_by_config(struct ep_walk *w, const char *path)
{
	struct ep_readable file;
	char text[CONFIG_MAX + 1];
	const char *found = NULL;
	ssize_t n;

	if (ep_walk_open(w, path, &file) < 0 || file.fd < 0)
		return NULL;
	n = ep_pread(file.fd, text, CONFIG_MAX, 0);
	close(file.fd);
	text[n < 0 ? 0 : n] = '\0';
	ep_walk_parts(w, text, "\n", take_line, &found);
	return found;
}

struct entries {
	struct ep_walk *w;
	const char *found;
};

static int take_entry(void *context, const char *name)
{
	struct entries *entries = context;
	size_t length = strlen(name);
	char path[PATH_MAX];

	if (length > 5 && strcmp(name + length - 5, ".conf") == 0 && ep_walk_join(path, "/etc/ld.so.conf.d", name))
		entries->found = find_by_config(entries->w, path);
	return !!entries->found;
}

/* What the usual line "include ld.so.conf.d/\*.conf" names. */
static const char *find_by_configs(struct ep_walk *w)
{
	struct entries entries = { .w = w, .found = find_by_config(w, "/etc/ld.so.conf") };
	int directory = entries.found ? -1 : ep_open_directory(w->c, "/etc/ld.so.conf.d");

	if (directory >= 0) {
		ep_entries(directory, FILES_MAX, take_entry, &entries);
		close(directory);
	}
	return entries.found;
}

/* --- beside the program, and where people install ----------------------------------------------------------- */

static const char *find_near(struct ep_walk *w)
{
	static const char *const near[] = { ".", "lib", "lib64", "../lib", "../lib64", "libs" };
	static const char *const usual[] = { "/usr/local/lib", "/usr/local/lib64", "/usr/lib64",
					     "/usr/lib",       "/lib64",	   "/lib" };
	const char *origin = w->loaded[0].origin, *found = NULL;
	char directory[PATH_MAX];

	for (size_t i = 0; origin && !found && i < sizeof(near) / sizeof(*near); i++) {
		if (strcmp(near[i], ".") == 0)
			found = find_in(w, origin);
		else if (ep_walk_join(directory, origin, near[i]))
			found = find_in(w, directory);
	}
	for (size_t i = 0; !found && i < sizeof(usual) / sizeof(*usual); i++)
		found = find_in(w, usual[i]);
	return found;
}

/* A place where the library at hand is, but where its loader does not look; NULL: none is known. */
static const char *find_elsewhere(struct ep_walk *w, bool *is_configured)
{
	const char *found;

	if (strchr(w->wanted, '/'))
		return NULL;
	found = w->has_cache ? find_by_configs(w) : NULL;
	*is_configured = found;
	return found ? found : find_near(w);
}

/* --- the finding -------------------------------------------------------------------------------------------- */

/* The architecture, or the version of the kernel. */
static const char *object_of_passed(struct ep_walk *w)
{
	const struct ep_machine *machine = ep_machine(w->passed.machine, w->passed.elf_class, w->passed.order);
	uint64_t kernel = w->passed.number;

	if (w->passed.cause == ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL)
		return ep_keep(w->c, "%u.%u", (unsigned)(kernel >> 16), (unsigned)(kernel >> 8 & 0xff));
	return w->passed.cause == ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE && machine ? machine->name : NULL;
}

static enum ep_try passed_over(struct ep_walk *w)
{
	return ep_walk_stop(w, w->passed.path,
			    (struct ep_finding){
				    .cause = w->passed.cause,
				    .subject = ep_walk_tell(w, w->passed.path),
				    .object = object_of_passed(w),
				    .detail = w->passed.detail,
			    });
}

enum ep_try ep_walk_missing(struct ep_walk *w)
{
	struct ep_finding missing = { .cause = ERRPIPE_CAUSE_LIBRARY_MISSING };
	bool is_configured = false;
	const char *elsewhere;

	if (w->is_optional || w->given_up || w->passed.path)
		return w->passed.path ? passed_over(w) : ep_walk_stop(w, NULL, missing);
	elsewhere = find_elsewhere(w, &is_configured);
	w->given_up = false; /* a hint that cannot be looked for changes no answer */
	missing.subject = ep_walk_tell(w, w->wanted);
	missing.searched = *w->searched ? ep_walk_tell(w, w->searched) : NULL;
	missing.available = ep_walk_tell(w, elsewhere);
	if (elsewhere)
		missing.detail = is_configured ? ERRPIPE_DETAIL_NOT_IN_CACHE : ERRPIPE_DETAIL_NOT_SEARCHED;
	else if (ep_support(w->running->link) != EP_NATIVE)
		missing.detail = ERRPIPE_DETAIL_OTHER_ABI;
	return ep_walk_stop(w, NULL, missing);
}

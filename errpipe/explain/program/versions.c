/* SPDX-License-Identifier: MIT */
/* Symbol versions: _dl_check_all_versions() in glibc's elf/dl-version.c. musl's loader ignores them. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

/* The exit status of glibc's loader. By then it has reported all missing versions. The other one is that of an assertion. */
enum { STATUS_OF_VERSIONS = 1, STATUS_OF_ASSERTION = 127 };

static bool is_name_of(const char *name, const char *of)
{
	return of && strcmp(name, of) == 0;
}

static int find_by_name(const struct ep_walk *w, const char *file)
{
	for (int i = 0; i < w->count; i++) {
		const struct ep_loaded *loaded = &w->loaded[i];

		if (is_name_of(file, loaded->name) || is_name_of(file, loaded->soname) ||
		    is_name_of(file, loaded->path))
			return i;
	}
	return -1;
}

static bool defines(const struct ep_walk *w, const struct ep_loaded *loaded, const struct ep_walk_version *version)
{
	for (unsigned i = 0; i < loaded->definitions; i++) {
		const struct ep_walk_version *definition = &w->definition[loaded->first_definition + i];

		if (definition->hash == version->hash && strcmp(definition->name, version->name) == 0)
			return true;
	}
	return false;
}

/* "GLIBC_" of "GLIBC_2.34", or nothing: the length of what stands before the number. */
static size_t length_of_kind(const char *version)
{
	size_t length = strcspn(version, "0123456789");

	return version[length] && length && version[length - 1] == '_' ? length : 0;
}

static unsigned take_number(const char **p)
{
	unsigned value = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		value = value * 10 + (**p - '0');
	if (**p)
		++*p;
	return value;
}

/* Is the number 2.4 less than 2.34? */
static bool is_less(const char *a, const char *b)
{
	while (*a || *b) {
		unsigned x = take_number(&a), y = take_number(&b);

		if (x != y)
			return x < y;
	}
	return false;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789.")];
}

/* The newest version of the same kind, such as GLIBC_2.31. NULL: it has none. */
static const char *newest(const struct ep_walk *w, const struct ep_loaded *loaded, const char *wanted)
{
	size_t kind = length_of_kind(wanted);
	const char *best = NULL;

	for (unsigned i = 0; kind && i < loaded->definitions; i++) {
		const char *name = w->definition[loaded->first_definition + i].name;

		if (strncmp(name, wanted, kind) == 0 && is_number(name + kind) &&
		    (!best || is_less(best + kind, name + kind)))
			best = name;
	}
	return best;
}

/* Is the library older than its user? Otherwise it is another one of that name. */
static bool is_older(const char *has, const char *wanted)
{
	size_t kind = length_of_kind(wanted);

	return has && is_number(wanted + kind) && is_less(has + kind, wanted + kind);
}

/* --- a library that hides another with its name ------------------------------------------------------------ */

struct search {
	const struct ep_walk_version *version;
	bool found;
};

static int find_version(void *context, const struct ep_version *version)
{
	struct search *search = context;

	search->found = version->hash == search->version->hash && strcmp(version->name, search->version->name) == 0;
	return search->found;
}

static bool fits(struct ep_walk *w, const struct ep_readable *file)
{
	struct search search = { .version = w->near->version };

	if (file->fd < 0 || ep_object_header(&w->object, file->fd, &w->kind) != EP_HEADER_OK)
		return false;
	ep_object_read(&w->object);
	if (w->near->wanted == EP_DEFINES) {
		ep_object_defines(&w->object, find_version, &search);
		return search.found;
	}
	ep_object_needs(&w->object, find_version, &search);
	return !search.found;
}

static enum ep_try try_version(struct ep_walk *w, const char *path)
{
	struct ep_readable file;

	if (ep_walk_open(w, path, &file) < 0)
		return EP_TRY_NEXT;
	if (fits(w, &file))
		w->near->fitting = ep_walk_tell(w, path);
	if (file.fd >= 0)
		close(file.fd);
	return w->near->fitting ? EP_TRY_NOWHERE : EP_TRY_NEXT;
}

/*
 * Does a variable or a file lead the loader to this library, while another library with its name would do? It can be the
 * library that lacks the version, or the one that needs it.
 */
static bool is_shadowed(struct ep_walk *w, int index, const struct ep_walk_version *version, int wanted,
			struct ep_finding *finding)
{
	const struct ep_loaded loaded = w->loaded[index];
	struct ep_near near = { .version = version, .wanted = wanted };

	if (loaded.by == EP_BY_SYSTEM || loaded.needer < 0)
		return false;
	ep_walk_want(w, loaded.name, loaded.needer, false);
	ep_walk_search_again(w, try_version, &near);
	if (!near.fitting)
		return false;
	finding->shadowing = ep_walk_tell(w, loaded.path);
	finding->shadowed = near.fitting;
	finding->detail =
		loaded.by == EP_BY_VARIABLE ? ERRPIPE_DETAIL_SHADOWED_BY_VARIABLE : ERRPIPE_DETAIL_SHADOWED_BY_RPATH;
	return true;
}

/* --- the finding -------------------------------------------------------------------------------------------- */

static int version_missing(struct ep_walk *w, int needer, int in, const struct ep_walk_version *version)
{
	const struct ep_loaded *loaded = &w->loaded[in];
	struct errpipe_explanation *ex = w->c->ex;
	const char *has = newest(w, loaded, version->name);
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_VERSION_MISSING,
		.certainty = w->certain ? 0 : ERRPIPE_LIKELY,
		.status = STATUS_OF_VERSIONS,
		.subject = ep_keep(w->c, "%s", loaded->path ? loaded->path : loaded->name),
		.object = ep_keep(w->c, "%s", version->name),
		.needer = ep_walk_tell(w, w->loaded[needer].path),
		.available = ep_walk_tell(w, has),
	};

	if (loaded->library >= 0)
		ex->library[loaded->library].fault = ERRPIPE_CAUSE_VERSION_MISSING;
	if (!is_shadowed(w, in, version, EP_DEFINES, &finding) &&
	    !is_shadowed(w, needer, version, EP_DOES_NOT_NEED, &finding) && is_older(has, version->name))
		finding.detail = ERRPIPE_DETAIL_OLDER;
	return ep_finding_set(w->c, w->running->link, finding);
}

/* A file without definitions only makes the loader print a warning. */
static int check_versions(struct ep_walk *w, int needer)
{
	const struct ep_loaded *loaded = &w->loaded[needer];

	for (unsigned i = 0; i < loaded->needs; i++) {
		const struct ep_walk_version *version = &w->need[loaded->first_need + i];
		int in = find_by_name(w, version->file);

		if (in < 0 || version->is_weak || !w->loaded[in].has_definitions)
			continue;
		if (!defines(w, &w->loaded[in], version))
			return version_missing(w, needer, in, version);
	}
	return 0;
}

/*
 * If the file has no versions at all, an assertion fails when the loader binds a symbol to it (check_match() in
 * elf/dl-lookup.c). But another file may define the symbol before it.
 */
static int check_unversioned(struct ep_walk *w, int needer)
{
	const struct ep_loaded *loaded = &w->loaded[needer];

	for (unsigned i = 0; i < loaded->needs; i++) {
		const struct ep_walk_version *version = &w->need[loaded->first_need + i];
		int in = find_by_name(w, version->file);

		if (in < 0 || version->is_weak || w->loaded[in].has_definitions || w->loaded[in].has_versions ||
		    !w->loaded[in].is_queued)
			continue;
		if (w->binds_now || loaded->binds_now) {
			w->certain = false;
			version_missing(w, needer, in, version);
			w->c->ex->status = STATUS_OF_ASSERTION;
			return -1;
		}
		w->may_abort = true;
	}
	return 0;
}

int ep_walk_versions(struct ep_walk *w)
{
	for (int i = 0; i < w->count; i++) {
		if (check_versions(w, i) < 0)
			return -1;
	}
	for (int i = 0; i < w->count; i++) {
		if (check_unversioned(w, i) < 0)
			return -1;
	}
	return 0;
}

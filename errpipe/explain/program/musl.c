/* SPDX-License-Identifier: MIT */
/* How musl's loader finds libraries: load_library() in musl's ldso/dynlink.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

/* All of these are the loader itself, whatever follows the point: libc.so, libpthread.so.0, libc.musl-x86_64.so.1. */
static bool is_itself(const struct ep_walk *w, const char *name)
{
	static const char *const own[] = { "c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet." };

	if (strcmp(name, w->running->loader->path) == 0)
		return true;
	for (size_t i = 0; strncmp(name, "lib", 3) == 0 && i < sizeof(own) / sizeof(*own); i++) {
		if (strncmp(name + 3, own[i], strlen(own[i])) == 0)
			return true;
	}
	return false;
}

/* --- one file ----------------------------------------------------------------------------------------------- */

static bool has_relocations(const struct ep_object *object)
{
	return (ep_object_has(object, EP_RELASZ) && object->value[EP_RELASZ]) ||
	       (ep_object_has(object, EP_RELSZ) && object->value[EP_RELSZ]) ||
	       (ep_object_has(object, EP_PLTRELSZ) && object->value[EP_PLTRELSZ]);
}

/*
 * A preloaded file that cannot be mapped is ignored. But do_relocs() stops at a relocation that it does not know, and takes
 * others for something else.
 */
static bool is_relocated(struct ep_walk *w)
{
	if (w->object.elf_class != w->kind.elf_class || w->object.order != w->kind.order)
		return false;
	ep_object_read(&w->object);
	return has_relocations(&w->object);
}

/* map_library() checks the type only. What is for another machine fails later, in a way that is not modelled. */
static enum ep_try check_file(struct ep_walk *w, const char *path, const struct ep_readable *file)
{
	enum ep_header header = ep_walk_header(w, path, file);
	unsigned type = w->object.type;

	if (header == EP_HEADER_OK || header == EP_HEADER_SYSTEM)
		return EP_TRY_TAKEN;
	if (header == EP_HEADER_CLASS || header == EP_HEADER_MACHINE) {
		w->certain = false;
		w->is_optional = w->is_optional && !is_relocated(w);
		return EP_TRY_NOWHERE;
	}
	if (header != EP_HEADER_SHORT && (type == ET_DYN || type == ET_EXEC))
		w->certain = false;
	if (header == EP_HEADER_SHORT)
		return ep_walk_not_elf(w, path, file, ERRPIPE_DETAIL_LIBRARY_SHORT);
	if (header == EP_HEADER_NOT_ELF)
		return ep_walk_not_elf(w, path, file, ERRPIPE_DETAIL_LIBRARY_NOT_ELF);
	return ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_DAMAGED);
}

/* path_open() */
static enum ep_try not_opened(struct ep_walk *w, const char *path, int error)
{
	if (error == EACCES)
		ep_walk_refused(w, path);
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ENAMETOOLONG ? EP_TRY_NEXT
											       : EP_TRY_NOWHERE;
}

static enum ep_try try_file(struct ep_walk *w, const char *path)
{
	return ep_walk_try(w, path, check_file, not_opened);
}

/* --- lists of directories ----------------------------------------------------------------------------------- */

/* Is it "$ORIGIN" or "${ORIGIN}"? Returns its length, or 0. */
static size_t origin_at(const char *text)
{
	static const char *const names[] = { "$ORIGIN", "${ORIGIN}" };

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return strlen(names[i]);
	}
	return 0;
}

/* fixup_rpath(): a list with any other token is not used. */
static bool expand(struct ep_walk *w, int of, const char *list, char *to, size_t size)
{
	struct ep_line line = { to, size, 0 };
	/* The caller chose the path by which a process that gains privileges was started. */
	const char *origin = of == 0 && w->secure ? NULL : w->loaded[of].origin;

	while (*list) {
		size_t length = *list == '$' ? origin_at(list) : 0;

		if (*list == '$' && (!length || !origin))
			return false;
		if (length)
			ep_add(&line, origin);
		else
			ep_add_char(&line, *list);
		list += length ? length : 1;
	}
	return ep_end(&line) < size;
}

static enum ep_try try_part(struct ep_walk *w, const char *directory, void *context)
{
	const bool *is_own = context;
	char path[PATH_MAX];

	if (!*directory)
		return EP_TRY_NEXT;
	if (*is_own)
		ep_walk_searched(w, directory);
	return ep_walk_join(path, directory, w->wanted) ? try_file(w, path) : EP_TRY_NEXT;
}

static enum ep_try try_list(struct ep_walk *w, const char *list, bool is_own)
{
	return ep_walk_parts(w, list, ":\n", try_part, &is_own);
}

static enum ep_try try_environment(struct ep_walk *w)
{
	const char *list = ep_variable(w->c, "LD_LIBRARY_PATH");

	if (!list)
		return EP_TRY_NEXT;
	if (w->secure) {
		w->certain = false;
		return EP_TRY_NEXT;
	}
	return try_list(w, list, true);
}

/* RPATH and RUNPATH are the same, of the file that needs it, of the file that needs that one, and so on. */
static enum ep_try try_rpaths(struct ep_walk *w)
{
	enum ep_try tried = EP_TRY_NEXT;
	char list[4 * PATH_MAX];

	for (int i = w->needer; tried == EP_TRY_NEXT && i >= 0; i = w->loaded[i].needer) {
		const char *rpath = w->loaded[i].runpath ? w->loaded[i].runpath : w->loaded[i].rpath;

		if (rpath && expand(w, i, rpath, list, sizeof(list)))
			tried = try_list(w, list, true);
	}
	return tried;
}

/* "/lib/ld-musl-x86_64.so.1" has its list in "/etc/ld-musl-x86_64.path"; what is before "/lib" is before "/etc", too. */
static bool path_of_list(const struct ep_walk *w, char path[PATH_MAX])
{
	const char *loader = w->running->loader->path, *slash = strrchr(loader, '/'), *before = slash;

	while (before && before > loader) {
		before--;
		if (*before == '/')
			break;
	}
	return slash && *w->loader.list &&
	       (size_t)snprintf(path, PATH_MAX, "%.*s%s", (int)(before - loader), loader, w->loader.list) < PATH_MAX;
}

/* The list of the system. A file that cannot be opened, other than a missing one, makes it empty. */
static void read_list(struct ep_walk *w, char *list, size_t size)
{
	struct ep_readable file = { .fd = -1 };
	char path[PATH_MAX];
	int error = path_of_list(w, path) ? ep_walk_open(w, path, &file) : -ENOENT;
	ssize_t n;

	strcpy(list, error == -ENOENT ? "/lib:/usr/local/lib:/usr/lib" : "");
	if (error < 0)
		return;
	w->list_file = ep_walk_keep(w, path);
	n = file.fd < 0 ? -1 : ep_pread(file.fd, list, size - 1, 0);
	list[n < 0 ? 0 : n] = '\0';
	if (n < 0 || n == (ssize_t)size - 1)
		w->certain = false;
	if (file.fd >= 0)
		close(file.fd);
}

/* --- all libraries ------------------------------------------------------------------------------------------ */

static enum ep_try search(struct ep_walk *w)
{
	enum ep_try tried;

	if (strchr(w->wanted, '/'))
		return try_file(w, w->wanted);
	if (strlen(w->wanted) > NAME_MAX)
		return EP_TRY_NOWHERE;
	tried = try_environment(w);
	if (tried == EP_TRY_NEXT)
		tried = try_rpaths(w);
	return tried == EP_TRY_NEXT ? try_list(w, w->list, false) : tried;
}

/* A library that was searched for is known by the last part of its path. */
static bool is_loaded(const struct ep_walk *w, const char *name)
{
	for (int i = 1; i < w->count; i++) {
		const struct ep_loaded *loaded = &w->loaded[i];

		if (loaded->is_queued && loaded->path && !strchr(loaded->name, '/') &&
		    strcmp(ep_last_name(loaded->path), name) == 0)
			return true;
	}
	return false;
}

static int take(struct ep_walk *w, const char *name, int needer, bool is_optional)
{
	struct ep_near near = { .lists = 0 };
	enum ep_try tried;

	if (!*name || is_itself(w, name) || is_loaded(w, name))
		return 0;
	ep_walk_want(w, name, needer, is_optional);
	tried = search(w);
	if (tried != EP_TRY_TAKEN && tried != EP_TRY_STOP) {
		if (ep_walk_asks_near(w))
			ep_walk_near(w, &near);
		ep_walk_missing(w, &near);
	}
	return w->failed || w->given_up ? -1 : 0;
}

static enum ep_try preload(struct ep_walk *w, const char *name, void *context)
{
	const char *kept = ep_walk_keep(w, name);

	(void)context;
	if (kept)
		take(w, kept, -1, true);
	return EP_TRY_NEXT;
}

/* The vDSO has no part in this. */
int ep_musl(struct ep_walk *w)
{
	const char *preloads = ep_variable(w->c, "LD_PRELOAD");

	read_list(w, w->list, sizeof(w->list));
	w->search = search;
	/* A process that gains privileges ignores the variable. */
	if (preloads && *preloads && w->secure)
		w->certain = false;
	else if (preloads && *preloads)
		ep_walk_parts(w, preloads, ": \t\n", preload, NULL);
	for (int i = 0; i < w->count; i++) {
		for (unsigned j = 0; w->loaded[i].is_queued && j < w->loaded[i].names; j++) {
			unsigned at = w->loaded[i].first_name + j;

			if (w->name[at].need == EP_NEEDED && take(w, w->name[at].name, i, false) < 0)
				return -1;
		}
	}
	return ep_walk_symbols(w);
}

/* SPDX-License-Identifier: MIT */
/* A library that its loader does not find: why, and where it is. The place is a hint, which changes no answer. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

enum { CONFIG_MAX = 4096, FILES_MAX = 64 };

/* ldconfig(8) puts a library into the cache by its SONAME, if it has one. */
static bool is_named(struct ep_walk *w)
{
	const char *soname;

	ep_object_read(&w->object);
	soname = ep_object_tag_string(&w->object, EP_SONAME);
	return !soname || strcmp(soname, w->wanted) == 0;
}

enum by { BY_FILE_NAME, BY_SONAME };

/* Is it a library for the same kind of process? */
static bool is_fitting(struct ep_walk *w, const char *path, enum by by)
{
	struct ep_readable file;
	bool fits;

	if (ep_walk_open(w, path, &file) < 0)
		return false;
	fits = file.fd >= 0 && ep_object_header(&w->object, file.fd, &w->kind) == EP_HEADER_OK &&
	       (by == BY_FILE_NAME || is_named(w));
	if (file.fd >= 0)
		close(file.fd);
	return fits;
}

/* The path of a library of that name, or NULL. */
static const char *find_in(struct ep_walk *w, const char *directory, enum by by)
{
	char path[PATH_MAX];

	return *directory && ep_walk_join(path, directory, w->wanted) && is_fitting(w, path, by)
		       ? ep_walk_keep(w, path)
		       : NULL;
}

/* --- ld.so.conf(5) in ldconfig(8) --------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == ':';
}

struct config {
	const char *found;
	bool includes; /* the files of ld.so.conf.d, by the usual line "include ld.so.conf.d/" with "*.conf" */
};

/* The directory of a line, without comments and blanks around it. */
static enum ep_try take_line(struct ep_walk *w, const char *line, void *context)
{
	struct config *config = context;
	char directory[PATH_MAX];
	size_t length;

	while (is_blank(*line))
		line++;
	config->includes =
		config->includes || (ep_begins_with(line, "include") && strstr(line, "ld.so.conf.d/*.conf"));
	length = strcspn(line, "#\r");
	while (length && is_blank(line[length - 1]))
		length--;
	if (*line != '/' || length >= sizeof(directory))
		return EP_TRY_NEXT;
	memcpy(directory, line, length);
	directory[length] = '\0';
	config->found = find_in(w, directory, BY_SONAME);
	return config->found ? EP_TRY_TAKEN : EP_TRY_NEXT;
}

static struct config find_by_config(struct ep_walk *w, const char *path)
{
	struct config config = { .found = NULL };
	struct ep_readable file;
	char text[CONFIG_MAX + 1];
	ssize_t n;

	if (ep_walk_open(w, path, &file) < 0 || file.fd < 0)
		return config;
	n = ep_pread(file.fd, text, CONFIG_MAX, 0);
	close(file.fd);
	text[n < 0 ? 0 : n] = '\0';
	ep_walk_parts(w, text, "\n", take_line, &config);
	return config;
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
		entries->found = find_by_config(entries->w, path).found;
	return !!entries->found;
}

static const char *find_by_configs(struct ep_walk *w)
{
	struct config config = find_by_config(w, "/etc/ld.so.conf");
	struct entries entries = { .w = w, .found = config.found };
	int directory = config.includes && !config.found ? ep_open_directory(w->c, "/etc/ld.so.conf.d") : -1;

	if (directory >= 0) {
		ep_entries(directory, FILES_MAX, take_entry, &entries);
		close(directory);
	}
	return entries.found;
}

/* --- beside the program, and where people install ----------------------------------------------------------- */

static int take_package(void *context, const char *name)
{
	static const char *const below[] = { "lib", "lib64" };
	struct entries *entries = context;
	char package[PATH_MAX], directory[PATH_MAX];

	for (size_t i = 0; !entries->found && i < sizeof(below) / sizeof(*below); i++) {
		if (ep_walk_join(package, "/opt", name) && ep_walk_join(directory, package, below[i]))
			entries->found = find_in(entries->w, directory, BY_FILE_NAME);
	}
	return !!entries->found;
}

/* "/opt/PACKAGE/lib" */
static const char *find_in_packages(struct ep_walk *w)
{
	struct entries entries = { .w = w };
	int directory = ep_open_directory(w->c, "/opt");

	if (directory >= 0) {
		ep_entries(directory, FILES_MAX, take_package, &entries);
		close(directory);
	}
	return entries.found;
}

static const char *find_near(struct ep_walk *w)
{
	static const char *const near[] = { ".", "lib", "lib64", "../lib", "../lib64", "libs" };
	static const char *const usual[] = { "/usr/local/lib", "/usr/local/lib64", "/usr/lib64",
					     "/usr/lib",       "/lib64",	   "/lib" };
	const char *origin = w->loaded[0].origin, *found = NULL;
	char directory[PATH_MAX];

	for (size_t i = 0; origin && !found && i < sizeof(near) / sizeof(*near); i++) {
		if (strcmp(near[i], ".") == 0)
			found = find_in(w, origin, BY_FILE_NAME);
		else if (ep_walk_join(directory, origin, near[i]))
			found = find_in(w, directory, BY_FILE_NAME);
	}
	for (size_t i = 0; !found && i < sizeof(usual) / sizeof(*usual); i++)
		found = find_in(w, usual[i], BY_FILE_NAME);
	return found ? found : find_in_packages(w);
}

/* A place where the library at hand is, but where its loader does not look; NULL: none is known. */
static const char *find_elsewhere(struct ep_walk *w, bool *is_configured)
{
	const char *found;

	if (strchr(w->wanted, '/'))
		return NULL;
	found = w->loader.signs & EP_SIGN_GLIBC ? find_by_configs(w) : NULL;
	*is_configured = found;
	return found ? found : find_near(w);
}

/* --- a list that has lost its $ORIGIN ----------------------------------------------------------------------- */

/*
 * The forms of $ORIGIN if make or a shell has expanded it, or if it was escaped too often; those of macOS; and any other variable.
 * Returns what follows, or NULL.
 */
static const char *after_origin(const char *part)
{
	static const char *const forms[] = { "RIGIN",	 "\\$ORIGIN",	     "\\${ORIGIN}",  "$$ORIGIN",
					     "%ORIGIN%", "@executable_path", "@loader_path", "" };

	const char *slash = strchr(part, '/');

	if (slash && slash > part + 1 && *part == '$')
		return slash;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *rest = ep_begins_with(part, forms[i]) ? part + strlen(forms[i]) : NULL;

		if (rest && (*rest == '/' || (!*rest && rest != part)))
			return rest;
	}
	return NULL;
}

struct lost_origin {
	const char *list, *origin;
	const char *at;	   /* the next part of the list */
	const char *found; /* the library */
	const char *meant; /* the list as it was meant */
};

static enum ep_try try_origin(struct ep_walk *w, const char *part, void *context)
{
	struct lost_origin *lost = context;
	const char *rest = after_origin(part), *at = lost->at;
	char directory[PATH_MAX];

	/* A part that is too long was left out. */
	if (!ep_begins_with(at, part))
		return EP_TRY_NOWHERE;
	lost->at += strlen(part) + 1;
	if (!rest || (size_t)snprintf(directory, sizeof(directory), "%s%s", lost->origin, rest) >= sizeof(directory))
		return EP_TRY_NEXT;
	lost->found = find_in(w, directory, BY_FILE_NAME);
	if (!lost->found)
		return EP_TRY_NEXT;
	lost->meant = ep_keep(w->c, "%.*s$ORIGIN%s%s", (int)(at - lost->list), lost->list, rest, at + strlen(part));
	return EP_TRY_TAKEN;
}

/* Only the list of the file that needs the library. */
static bool take_origin(struct ep_walk *w, struct ep_finding *missing)
{
	const struct ep_loaded *needer = &w->loaded[w->needer < 0 ? 0 : w->needer];
	const char *list = needer->runpath ? needer->runpath : needer->rpath;
	struct lost_origin lost = { .list = list, .origin = needer->origin, .at = list };

	if (!list || !needer->origin || w->secure)
		return false;
	if (!lost.origin[1])
		lost.origin = "";
	ep_walk_parts(w, list, ":", try_origin, &lost);
	if (!lost.found)
		return false;
	missing->detail = ERRPIPE_DETAIL_ORIGIN_LOST;
	missing->available = ep_walk_tell(w, lost.found);
	missing->object = lost.meant;
	return true;
}

static enum ep_try try_fitting(struct ep_walk *w, const char *path)
{
	if (is_fitting(w, path, BY_FILE_NAME))
		w->near->fitting = ep_walk_keep(w, path);
	return w->near->fitting ? EP_TRY_NOWHERE : EP_TRY_NEXT;
}

/* Would a file that needs the needer find it by its RUNPATH? */
static const char *find_by_runpath(struct ep_walk *w)
{
	const int needer = w->needer;
	const bool certain = w->certain;
	struct ep_near near = { .lists = 0 };

	for (int i = needer > 0 ? w->loaded[needer].needer : -1; i >= 0 && !near.fitting; i = w->loaded[i].needer) {
		w->needer = i;
		if (w->loaded[i].runpath && !w->secure)
			ep_walk_search_again(w, try_fitting, &near);
	}
	w->needer = needer;
	w->certain = certain;
	return near.fitting;
}

/* Unlike RPATH, RUNPATH counts only for what its own file needs (ld.so(8)). musl does not tell them apart. */
static bool take_runpath(struct ep_walk *w, struct ep_finding *missing)
{
	const char *found = w->loader.signs & EP_SIGN_GLIBC ? find_by_runpath(w) : NULL;
	const char *origin = found ? w->loaded[w->needer].origin : NULL;
	size_t length = found ? ep_last_name(found) - found : 0;

	if (length < 2)
		return false;
	length--;
	missing->detail = ERRPIPE_DETAIL_NOT_INHERITED;
	missing->available = ep_walk_tell(w, found);
	missing->object = origin && strlen(origin) == length && strncmp(origin, found, length) == 0
				  ? "$ORIGIN"
				  : ep_keep(w->c, "%.*s", (int)length, found);
	return true;
}

/* --- the finding -------------------------------------------------------------------------------------------- */

/* For a library that may not be read: the directory that may not be searched; NULL: the file itself. */
static const char *shut_directory(struct ep_walk *w)
{
	const char *directory, *link;

	return ep_fails_by(w->c, w->passed.path, ERRPIPE_CAUSE_UNSEARCHABLE, &directory, &link) ? directory : NULL;
}

/* The directory, the architecture, or the kernel version; NULL: none of these. */
static const char *object_of_passed(struct ep_walk *w)
{
	const struct ep_machine *machine = ep_machine(w->passed.machine, w->passed.elf_class, w->passed.order);
	uint64_t kernel = w->passed.number;

	if (w->passed.cause == ERRPIPE_CAUSE_LIBRARY_UNREADABLE)
		return shut_directory(w);
	if (w->passed.detail == ERRPIPE_DETAIL_HARD_FLOAT)
		return "soft-float arm";
	if (w->passed.detail == ERRPIPE_DETAIL_SOFT_FLOAT)
		return "hard-float arm";
	if (w->passed.cause == ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL)
		return ep_keep(w->c, "%u.%u", (unsigned)(kernel >> 16), (unsigned)(kernel >> 8 & 0xff));
	return w->passed.cause == ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE && machine ? machine->name : NULL;
}

static enum ep_try passed_over(struct ep_walk *w)
{
	const char *object = object_of_passed(w);
	bool is_shut = object && w->passed.cause == ERRPIPE_CAUSE_LIBRARY_UNREADABLE;

	return ep_walk_stop(w, w->passed.path,
			    (struct ep_finding){
				    .cause = w->passed.cause,
				    .subject = ep_walk_tell(w, w->passed.path),
				    .object = object,
				    .object_here = is_shut ? ep_path_here(w->c, object) : NULL,
				    .detail = w->passed.detail,
			    });
}

/* Its names in the libraries that need it. Android has these beside "libc.so". */
static const char *libc_named_so(const struct ep_walk *w)
{
	const struct ep_loaded *loaded = &w->loaded[w->needer < 0 ? 0 : w->needer];

	for (unsigned i = 0; i < loaded->names; i++) {
		const char *name = w->name[loaded->first_name + i].name;

		if (strcmp(name, "libdl.so") == 0 || strcmp(name, "libm.so") == 0 || strcmp(name, "liblog.so") == 0)
			return ep_libc_name(EP_BIONIC);
	}
	return ep_libc_name(EP_MUSL);
}

/* NULL: it is another library, or the loader's own C library. */
static const char *libc_of(const struct ep_walk *w)
{
	enum ep_libc libc;

	if (w->loader.signs & EP_SIGN_GLIBC && ep_begins_with(w->wanted, "libc.musl-"))
		return ep_libc_name(EP_MUSL);
	if (w->loader.signs & EP_SIGN_GLIBC && strcmp(w->wanted, "libc.so") == 0)
		return libc_named_so(w);
	if (w->loader.signs & EP_SIGN_GLIBC && strcmp(w->wanted, "libc.so.0") == 0)
		return ep_libc_name(EP_UCLIBC);
	if (!ep_begins_with(w->wanted, "ld") || !ep_libc_of(w->wanted, &libc))
		return NULL;
	return libc == (w->loader.signs & EP_SIGN_MUSL ? EP_MUSL : EP_GLIBC) ? NULL : ep_libc_name(libc);
}

bool ep_walk_of_other_libc(const struct ep_walk *w)
{
	return libc_of(w) && w->needer >= 0;
}

struct ep_finding ep_walk_other_libc(struct ep_walk *w)
{
	return (struct ep_finding){
		.cause = ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC,
		.detail = ERRPIPE_DETAIL_OTHER_LOADER,
		.subject = ep_walk_tell(w, w->wanted),
		.needs_libc = libc_of(w),
		.has_libc = ep_libc_name(w->loader.signs & EP_SIGN_MUSL ? EP_MUSL : EP_GLIBC),
	};
}

bool ep_walk_asks_near(const struct ep_walk *w)
{
	return !w->is_optional && !w->given_up && !w->passed.path && !strchr(w->wanted, '/') &&
	       !ep_walk_of_other_libc(w);
}

/* A directory from which the relative path leads to a library; NULL: unknown. */
static const char *find_start(struct ep_walk *w)
{
	static const char *const from[] = { ".", ".." };
	const char *origin = w->loaded[0].origin;
	char directory[PATH_MAX], path[PATH_MAX];

	for (size_t i = 0; origin && i < sizeof(from) / sizeof(*from); i++) {
		if (ep_walk_join(directory, origin, from[i]) && ep_walk_join(path, directory, w->wanted) &&
		    ep_is_file(w->c, path))
			return i ? ep_walk_tell(w, directory) : ep_walk_tell(w, origin);
	}
	return NULL;
}

/* A path, which no loader searches for. */
static void missing_path(struct ep_walk *w, struct ep_finding *missing)
{
	if (strchr(w->wanted, '$') || w->needer < 0)
		return;
	if (*w->wanted == '/') {
		missing->detail = ERRPIPE_DETAIL_ABSOLUTE_LIBRARY;
		return;
	}
	missing->detail = ERRPIPE_DETAIL_RELATIVE_LIBRARY;
	missing->object = find_start(w);
	if (missing->object && w->needer == 0 && w->loader.signs & EP_SIGN_GLIBC &&
	    strcmp(missing->object, w->loaded[0].origin) == 0)
		missing->detail = ERRPIPE_DETAIL_BESIDE_PROGRAM;
}

/* The caller's path of a file that does not exist, in a directory that does. */
static const char *here_of_new(struct ep_check *c, const char *path)
{
	const char *name = ep_last_name(path);
	const char *directory = ep_path_here(c, ep_keep(c, "%.*s", (int)(name - path), path));

	return directory ? ep_keep(c, "%s/%s", directory, name) : NULL;
}

static bool take_near(struct ep_walk *w, const struct ep_near *near, struct ep_finding *missing)
{
	if (near->dangling) {
		missing->detail = ERRPIPE_DETAIL_DANGLING_LIBRARY;
		missing->available = near->dangling;
		missing->object = near->target;
	} else if (near->unlinked) {
		missing->detail = ERRPIPE_DETAIL_UNLINKED_LIBRARY;
		missing->available = near->unlinked;
		missing->object = near->link;
		missing->object_here = here_of_new(w->c, near->link);
	}
	return missing->detail;
}

/* Is it where musl looks if there is no list of directories? */
static bool is_in_usual_place(const char *path)
{
	static const char *const usual[] = { "/lib/", "/usr/local/lib/", "/usr/lib/" };
	size_t length = ep_last_name(path) - path;

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
		if (strlen(usual[i]) == length && strncmp(path, usual[i], length) == 0)
			return true;
	}
	return false;
}

static bool take_elsewhere(struct ep_walk *w, const struct ep_near *near, struct ep_finding *missing)
{
	bool is_configured = false, is_privileged = w->secure && w->loader.signs & EP_SIGN_GLIBC;
	const char *elsewhere = near->named ? near->named : find_elsewhere(w, &is_configured);

	if (!elsewhere)
		return false;
	missing->available = ep_walk_tell(w, elsewhere);
	missing->root_here = is_configured || is_privileged ? ep_here(w->c, "/") : NULL;
	missing->detail = is_configured	  ? ERRPIPE_DETAIL_NOT_IN_CACHE
			  : is_privileged ? ERRPIPE_DETAIL_PRIVILEGED_ELSEWHERE
					  : ERRPIPE_DETAIL_NOT_SEARCHED;
	if (w->list_file && is_in_usual_place(elsewhere)) {
		missing->detail = ERRPIPE_DETAIL_LIST_REPLACES;
		missing->object = ep_walk_tell(w, w->list_file);
		missing->object_here = ep_path_here(w->c, w->list_file);
	}
	return true;
}

/* The library may be in a directory that the process may not search. */
static bool take_shut(struct ep_walk *w, struct ep_finding *missing)
{
	if (!w->shut)
		return false;
	missing->detail = ERRPIPE_DETAIL_SHUT_DIRECTORY;
	missing->object = w->shut;
	missing->object_here = ep_path_here(w->c, w->shut);
	return true;
}

static enum ep_try try_existing(struct ep_walk *w, const char *path)
{
	if (ep_exists(w->c, path))
		w->near->fitting = path;
	return w->near->fitting ? EP_TRY_NOWHERE : EP_TRY_NEXT;
}

/* If libc.so.6 alone is missing, the system is damaged. It may have a loader of musl for other programs. */
static bool has_own_libc(struct ep_walk *w)
{
	static const char *const libraries[] = { "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0" };
	const char *wanted = w->wanted;
	struct ep_near near = { .lists = 0 };

	for (size_t i = 0; !near.fitting && i < sizeof(libraries) / sizeof(*libraries); i++) {
		w->wanted = libraries[i];
		ep_walk_search_again(w, try_existing, &near);
	}
	w->wanted = wanted;
	return near.fitting;
}

/* Of glibc only the loader was copied into an image of musl. musl's loader is its C library. */
static bool take_other_libc(struct ep_walk *w, struct ep_finding *missing)
{
	const struct ep_loader *other = NULL;

	if (w->loader.signs & EP_SIGN_GLIBC && !has_own_libc(w))
		other = ep_find_other_loader(w->c, w->running->link->architecture, EP_GLIBC);
	if (!other)
		return false;
	missing->cause = ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC;
	missing->detail = ERRPIPE_DETAIL_ONLY_LOADER;
	missing->object = other->path;
	missing->needs_libc = ep_libc_name(EP_GLIBC);
	missing->has_libc = ep_libc_name(other->libc);
	return true;
}

/* The library is nowhere. */
static void take_rest(struct ep_walk *w, const struct ep_near *near, struct ep_finding *missing)
{
	const struct errpipe_link *link = w->running->link;
	const struct ep_machine *machine = ep_machine(link->machine, link->elf_class, link->elf_data);

	if (near->other) {
		missing->detail = ERRPIPE_DETAIL_OTHER_VERSION;
		missing->available = ep_walk_tell(w, near->other);
	} else if (ep_support(link) != EP_NATIVE) {
		missing->detail = ERRPIPE_DETAIL_OTHER_ABI;
		missing->object = machine ? machine->debian : NULL;
	} else if (w->secure) {
		missing->detail = ERRPIPE_DETAIL_PRIVILEGED_LIBRARY;
	}
}

enum ep_try ep_walk_missing(struct ep_walk *w, const struct ep_near *near)
{
	struct ep_finding missing = { .cause = ERRPIPE_CAUSE_LIBRARY_MISSING };

	if (w->is_optional || w->given_up || w->passed.path)
		return w->passed.path ? passed_over(w) : ep_walk_stop(w, NULL, missing);
	if (ep_walk_of_other_libc(w))
		return ep_walk_stop(w, NULL, ep_walk_other_libc(w));
	if (near->mount)
		return ep_walk_hidden(w, near->hidden, near->mount);
	missing.subject = ep_walk_tell(w, w->wanted);
	missing.searched = *w->searched ? ep_walk_tell(w, w->searched) : NULL;
	if (strchr(w->wanted, '/'))
		missing_path(w, &missing);
	else if (!take_near(w, near, &missing) && !take_origin(w, &missing) && !take_runpath(w, &missing) &&
		 !take_shut(w, &missing) && !take_elsewhere(w, near, &missing) && !take_other_libc(w, &missing))
		take_rest(w, near, &missing);
	w->given_up = false; /* a failed search for a hint does not change the answer */
	return ep_walk_stop(w, NULL, missing);
}

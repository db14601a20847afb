/* SPDX-License-Identifier: MIT */
/* How glibc's loader finds libraries: ld.so(8), and _dl_map_object() in glibc's elf/dl-load.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

/* The flags of a library in ld.so.cache by architecture: sysdeps/generic/ldconfig.h. Others: 0. */
static int cache_kind(const struct ep_walk *w)
{
	static const struct {
		const char *architecture;
		int kind;
	} kinds[] = {
		{ "x86_64", 0x303 },  { "x32", 0x803 },	    { "i386", 0x003 },
		{ "aarch64", 0xa03 }, { "s390x", 0x403 },   { "ppc64", 0x503 },
		{ "ppc64le", 0x503 }, { "sparc64", 0x103 }, { "ia64", 0x203 },
	};
	const char *architecture = w->running->link->architecture;

	for (size_t i = 0; architecture && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].architecture, architecture) == 0)
			return kinds[i].kind;
	}
	return 0;
}

/* --- tokens ------------------------------------------------------------------------------------------------- */

/* "$NAME" and "${NAME}". Returns how long it is, or 0. */
static size_t token(const char *text, const char *name)
{
	size_t length = strlen(name);
	bool braces = text[1] == '{';
	const char *begin = text + 1 + braces;

	if (*text != '$' || strncmp(begin, name, length) != 0 || (braces && begin[length] != '}'))
		return 0;
	return 1 + length + 2 * (size_t)braces;
}

/* The last directory of a path without "usr": what $LIB was when the loader was built. */
static const char *lib_of(const struct ep_walk *w)
{
	const char *directory = w->loader.directories ? w->loader.directory[0] : NULL;

	if (!directory)
		return NULL;
	if (strncmp(directory, "/usr/", 5) == 0)
		return directory + 5;
	return strncmp(directory, "/lib", 4) == 0 ? directory + 1 : "lib";
}

/* What a token stands for. NULL: unknown. */
static const char *value_of(struct ep_walk *w, int needer, const char *text, size_t *length)
{
	const char *architecture = w->running->link->architecture;

	*length = token(text, "ORIGIN");
	if (*length) {
		w->certain = w->certain && !w->secure;
		return w->loaded[needer].origin;
	}
	*length = token(text, "LIB");
	if (*length) {
		w->certain = w->certain && lib_of(w);
		return lib_of(w);
	}
	*length = token(text, "PLATFORM");
	if (*length) {
		w->certain = false; /* AT_PLATFORM; some releases put "haswell" there */
		return architecture && strcmp(architecture, "i386") == 0 ? "i686" : architecture;
	}
	return NULL;
}

/* Returns false if it is too long, or if a token has no value: the loader then drops it. */
static bool expand(struct ep_walk *w, int needer, const char *from, char to[PATH_MAX])
{
	struct ep_line line = { to, PATH_MAX, 0 };

	while (*from) {
		size_t length = 0;
		const char *value = *from == '$' ? value_of(w, needer, from, &length) : NULL;

		if (length && !value)
			return false;
		if (length)
			ep_add(&line, value);
		else
			ep_add_char(&line, *from);
		from += length ? length : 1;
	}
	return ep_end(&line) < PATH_MAX;
}

/* --- one file ----------------------------------------------------------------------------------------------- */

/* Loaders before glibc 2.36 pass over a library for a newer kernel. */
static bool is_for_newer_kernel(struct ep_walk *w, const char *path)
{
	unsigned kernel = ep_kernel_version();
	uint32_t tag;

	if (!(w->loader.signs & EP_SIGN_ABI_TAG) || !kernel)
		return false;
	ep_object_read(&w->object);
	tag = ep_object_abi_tag(&w->object);
	if ((tag >> 16) * 1000 + (tag >> 8 & 0xff) <= kernel)
		return false;
	ep_walk_pass(w, path, (struct ep_passed){ .cause = ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL, .number = tag });
	return true;
}

/* VALID_FLOAT_ABI() in glibc's sysdeps/unix/sysv/linux/arm/ldsodefs.h */
static bool has_other_float_abi(struct ep_walk *w, const char *path)
{
	uint64_t flags = ep_elf_flags(&w->object.elf);

	if (w->kind.machine != EM_ARM || (flags & EF_ARM_EABIMASK) != EF_ARM_EABI_VER5 ||
	    !(flags & (w->has_hard_float ? EF_ARM_ABI_FLOAT_SOFT : EF_ARM_ABI_FLOAT_HARD)))
		return false;
	ep_walk_pass(w, path,
		     (struct ep_passed){
			     .cause = ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE,
			     .detail = w->has_hard_float ? ERRPIPE_DETAIL_HARD_FLOAT : ERRPIPE_DETAIL_SOFT_FLOAT,
			     .machine = EM_ARM,
			     .elf_class = w->object.elf_class,
			     .order = w->object.order,
		     });
	return true;
}

/* open_verify() */
static enum ep_try check_file(struct ep_walk *w, const char *path, const struct ep_readable *file)
{
	switch (ep_walk_header(w, path, file)) {
	case EP_HEADER_OK:
		return has_other_float_abi(w, path) || is_for_newer_kernel(w, path) ? EP_TRY_NEXT : EP_TRY_TAKEN;
	case EP_HEADER_MACHINE:
		/* Debian and others pass over it, like over any other machine. The original stops. */
		w->certain = w->certain && w->object.order == w->kind.order;
		return EP_TRY_NEXT;
	case EP_HEADER_CLASS:
		return EP_TRY_NEXT;
	case EP_HEADER_SYSTEM:
		return ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_OTHER_SYSTEM);
	case EP_HEADER_SHORT:
		return ep_walk_not_elf(w, path, file, ERRPIPE_DETAIL_LIBRARY_SHORT);
	case EP_HEADER_NOT_ELF:
		return ep_walk_not_elf(w, path, file, ERRPIPE_DETAIL_LIBRARY_NOT_ELF);
	default:
		return ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_DAMAGED);
	}
}

static bool is_in_directory(struct ep_walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	return slash && slash - path < PATH_MAX - 3 &&
	       snprintf(directory, sizeof(directory), "%.*s/.", (int)(slash - path), path) > 0 &&
	       ep_exists(w->c, directory);
}

/*
 * open_path() goes on with the next directory after ENOENT and EACCES, and after any error if the place is not a directory,
 * as in LD_LIBRARY_PATH=/etc/passwd.
 */
static enum ep_try not_opened(struct ep_walk *w, const char *path, int error)
{
	if (error == EACCES)
		ep_walk_refused(w, path);
	if (error == ENOENT || error == EACCES || !is_in_directory(w, path))
		return EP_TRY_NEXT;
	return EP_TRY_NEXT_LIST;
}

static enum ep_try try_file(struct ep_walk *w, const char *path)
{
	return ep_walk_try(w, path, check_file, not_opened);
}

/* --- one directory ------------------------------------------------------------------------------------------ */

static bool has_hwcaps(struct ep_walk *w, const char *directory)
{
	const char *kept;
	char path[PATH_MAX];
	bool has;

	for (unsigned i = 0; i < w->probes; i++) {
		if (strcmp(w->probed[i].directory, directory) == 0)
			return w->probed[i].has_hwcaps;
	}
	has = w->loader.signs & EP_SIGN_HWCAPS && ep_walk_join(path, directory, "glibc-hwcaps") &&
	      ep_exists(w->c, path);
	kept = w->probes < EP_PROBED_MAX ? ep_walk_keep(w, directory) : NULL;
	if (kept) {
		w->probed[w->probes].directory = kept;
		w->probed[w->probes++].has_hwcaps = has;
	}
	return has;
}

/* Without the level of the CPU it is not known which subdirectories the loader looks in. */
static enum ep_try try_hwcaps(struct ep_walk *w, const char *directory)
{
	enum ep_try tried = EP_TRY_NEXT;
	char path[PATH_MAX];

	if (!w->level)
		w->certain = false;
	for (unsigned level = w->level; tried == EP_TRY_NEXT && level > 1; level--) {
		if ((size_t)snprintf(path, sizeof(path), "%s/glibc-hwcaps/x86-64-v%u/%s", directory, level,
				     w->wanted) < sizeof(path))
			tried = try_file(w, path);
	}
	return tried;
}

static enum ep_try try_directory(struct ep_walk *w, const char *directory)
{
	enum ep_try tried = has_hwcaps(w, directory) ? try_hwcaps(w, directory) : EP_TRY_NEXT;
	char path[PATH_MAX];

	if (tried != EP_TRY_NEXT || !ep_walk_join(path, directory, w->wanted))
		return tried;
	return try_file(w, path);
}

static bool is_default(const struct ep_walk *w, const char *path)
{
	for (unsigned i = 0; i < w->loader.directories; i++) {
		const char *directory = w->loader.directory[i];
		size_t length = strlen(directory);

		if (strncmp(path, directory, length) == 0 && path[length] == '/')
			return true;
	}
	return false;
}

/* A process that gains privileges gets $ORIGIN only where it leads into a default directory (is_trusted_path_normalize()). */
static bool is_trusted(const struct ep_walk *w, const char *part, const char *directory)
{
	char path[PATH_MAX];

	return !w->secure || !strstr(part, "ORIGIN") || (ep_walk_join(path, directory, "") && is_default(w, path));
}

/* fillin_rpath(): an empty part is the working directory. context: the index of the file whose list it is. */
static enum ep_try try_part(struct ep_walk *w, const char *part, void *context)
{
	const int *of = context;
	char directory[PATH_MAX];
	size_t length;

	if (!expand(w, *of, part, directory) || !is_trusted(w, part, directory))
		return EP_TRY_NEXT;
	length = strlen(directory);
	while (length > 1 && directory[length - 1] == '/')
		directory[--length] = '\0';
	if (!length)
		strcpy(directory, ".");
	ep_walk_searched(w, directory);
	return try_directory(w, directory);
}

static enum ep_try try_list(struct ep_walk *w, const char *list, const char *separators, int of, enum ep_by by)
{
	enum ep_try tried;

	if (!list || !*list)
		return EP_TRY_NEXT;
	w->by = by;
	tried = ep_walk_parts(w, list, separators, try_part, &of);
	if (tried != EP_TRY_TAKEN)
		w->by = EP_BY_SYSTEM;
	return tried == EP_TRY_NEXT_LIST ? EP_TRY_NEXT : tried;
}

/* --- the order of the places -------------------------------------------------------------------------------- */

/* RPATH: of the file that needs it, of the file that needs that one, and so on; of the program in any case. */
static enum ep_try try_rpaths(struct ep_walk *w, int needer)
{
	enum ep_try tried = EP_TRY_NEXT;
	bool did_program = false;

	for (int i = needer; tried == EP_TRY_NEXT && i >= 0; i = w->loaded[i].needer) {
		tried = try_list(w, w->loaded[i].rpath, ":", i, EP_BY_RPATH);
		did_program = did_program || i == 0;
	}
	if (tried == EP_TRY_NEXT && !did_program)
		tried = try_list(w, w->loaded[0].rpath, ":", 0, EP_BY_RPATH);
	return tried;
}

/* LD_LIBRARY_PATH counts for all libraries, except in a process that gains privileges. */
static enum ep_try try_environment(struct ep_walk *w)
{
	const char *list = ep_variable(w->c, "LD_LIBRARY_PATH");

	if (!list || !*list)
		return EP_TRY_NEXT;
	if (w->secure) {
		w->certain = false;
		return EP_TRY_NEXT;
	}
	return try_list(w, list, ":;", 0, EP_BY_VARIABLE);
}

static const char *find_in_cache(struct ep_walk *w, const char *name)
{
	return w->has_cache ? ep_cache_find(&w->cache, name, cache_kind(w), w->level - !!w->level) : NULL;
}

static enum ep_try try_cache(struct ep_walk *w, int needer)
{
	const char *path = find_in_cache(w, w->wanted);
	enum ep_try tried;

	if (!path || !*path || (w->loaded[needer].no_default && is_default(w, path)))
		return EP_TRY_NEXT;
	tried = try_file(w, path);
	return tried == EP_TRY_NEXT_LIST ? EP_TRY_NEXT : tried;
}

static enum ep_try try_defaults(struct ep_walk *w, int needer)
{
	enum ep_try tried = EP_TRY_NEXT;

	if (w->loaded[needer].no_default)
		return EP_TRY_NEXT;
	for (unsigned i = 0; tried == EP_TRY_NEXT && i < w->loader.directories; i++)
		tried = try_directory(w, w->loader.directory[i]);
	return tried == EP_TRY_NEXT_LIST ? EP_TRY_NEXT : tried;
}

/* Before glibc 2.37, each directory could have others below it for some processors. Which ones is not modelled. */
static enum ep_try try_older_subdirectories(struct ep_walk *w)
{
	static const char *const below[] = { "tls",	 "x86_64", "haswell",	"tls/x86_64", "i686",
					     "tls/i686", "sse2",   "i686/sse2", "neon",	      "vfp",
					     "neon/vfp", "v7l",	   "power8",	"power9",     "z13" };
	enum ep_try tried = EP_TRY_NEXT;
	char directory[PATH_MAX], path[PATH_MAX];

	for (unsigned i = 0; i < w->loader.directories; i++) {
		for (size_t j = 0; tried == EP_TRY_NEXT && j < sizeof(below) / sizeof(*below); j++) {
			if (ep_walk_join(directory, w->loader.directory[i], below[j]) &&
			    ep_walk_join(path, directory, w->wanted))
				tried = try_file(w, path);
			if (tried != EP_TRY_NEXT)
				w->certain = false;
		}
	}
	return tried;
}

/* A name with a slash is a path. */
static enum ep_try try_path(struct ep_walk *w, int needer)
{
	char path[PATH_MAX];

	return expand(w, needer, w->wanted, path) ? try_file(w, path) : EP_TRY_NEXT;
}

static enum ep_try search(struct ep_walk *w)
{
	int needer = w->needer;
	const struct ep_loaded *loaded = &w->loaded[needer];
	enum ep_try tried = EP_TRY_NEXT;

	if (strchr(w->wanted, '/'))
		return try_path(w, needer);
	if (!loaded->runpath)
		tried = try_rpaths(w, needer);
	if (tried == EP_TRY_NEXT)
		tried = try_environment(w);
	if (tried == EP_TRY_NEXT)
		tried = try_list(w, loaded->runpath, ":", needer, EP_BY_RPATH);
	if (tried == EP_TRY_NEXT)
		tried = try_cache(w, needer);
	if (tried == EP_TRY_NEXT)
		tried = try_defaults(w, needer);
	return tried == EP_TRY_NEXT ? try_older_subdirectories(w) : tried;
}

/* --- all libraries ------------------------------------------------------------------------------------------ */

static bool is_name(const char *name, const char *of)
{
	return of && strcmp(name, of) == 0;
}

static bool is_loaded(const struct ep_walk *w, const char *name)
{
	for (int i = 0; i < w->count; i++) {
		const struct ep_loaded *loaded = &w->loaded[i];

		if (is_name(name, loaded->name) || is_name(name, loaded->soname) || is_name(name, loaded->path))
			return true;
	}
	return false;
}

static void look_near(struct ep_walk *w, struct ep_near *near)
{
	const char *name, *path;

	if (!ep_walk_asks_near(w))
		return;
	ep_walk_near(w, near);
	for (uint32_t i = 0; w->has_cache && ep_cache_entry(&w->cache, i, cache_kind(w), &name, &path); i++) {
		if (name)
			ep_walk_near_cached(w, near, name, path);
	}
}

static int take(struct ep_walk *w, const char *name, int needer, bool is_optional)
{
	struct ep_near near = { .lists = 0 };
	enum ep_try tried;

	if (!*name || is_loaded(w, name))
		return 0;
	ep_walk_want(w, name, needer, is_optional);
	tried = search(w);
	if (tried != EP_TRY_TAKEN && tried != EP_TRY_STOP) {
		look_near(w, &near);
		ep_walk_missing(w, &near);
	}
	return w->failed || w->given_up ? -1 : 0;
}

/* _dl_map_object_deps(): the needs of the first file, then those of the second one, and so on. */
static int take_needs(struct ep_walk *w)
{
	for (int i = 0; i < w->count; i++) {
		for (unsigned j = 0; w->loaded[i].is_queued && j < w->loaded[i].names; j++) {
			unsigned at = w->loaded[i].first_name + j;

			if (take(w, w->name[at].name, i, w->name[at].need == EP_AUXILIARY) < 0)
				return -1;
		}
	}
	return 0;
}

static enum ep_try preload(struct ep_walk *w, const char *name, void *context)
{
	const char *kept = ep_walk_keep(w, name);

	(void)context;
	if (kept)
		take(w, kept, 0, true);
	return EP_TRY_NEXT;
}

/* In a process that gains privileges, the environment cannot name a path. */
static enum ep_try preload_variable(struct ep_walk *w, const char *name, void *context)
{
	return w->secure && strchr(name, '/') ? EP_TRY_NEXT : preload(w, name, context);
}

/* The file is for all processes; its comments go to the end of the line. */
static void preload_file(struct ep_walk *w)
{
	char text[4096];
	struct ep_readable file;
	ssize_t n;

	if (!*w->loader.preload || ep_walk_open(w, w->loader.preload, &file) < 0 || file.fd < 0)
		return;
	n = ep_pread(file.fd, text, sizeof(text) - 1, 0);
	close(file.fd);
	text[n < 0 ? 0 : n] = '\0';
	if (n == sizeof(text) - 1)
		w->certain = false;
	for (char *p = text; *p; p++) {
		for (; *p == '#'; p++) {
			while (*p && *p != '\n')
				*p++ = ' ';
		}
		if (!*p)
			break;
	}
	ep_walk_parts(w, text, ": \t\n", preload, NULL);
}

static void preload_all(struct ep_walk *w)
{
	const char *list = ep_variable(w->c, "LD_PRELOAD");

	if (list && *list) {
		w->certain = w->certain && !w->secure;
		ep_walk_parts(w, list, ": ", preload_variable, NULL);
	}
	preload_file(w);
}

static void read_cache(struct ep_walk *w)
{
	const char *path = *w->loader.cache ? w->loader.cache : "/etc/ld.so.cache";
	struct ep_readable file;

	if (ep_walk_open(w, path, &file) < 0)
		return;
	w->has_cache = file.fd >= 0 && ep_cache_read(&w->cache, file.fd, file.st.st_size, w->kind.order);
	if (!w->has_cache)
		w->certain = false;
	if (file.fd >= 0)
		close(file.fd);
}

/* The processor is the one of this machine, whatever the root is. */
static int check_cpu(struct ep_walk *w)
{
	uint32_t has = (1U << w->level) - 1;

	if (!(w->loader.signs & EP_SIGN_ISA_LEVEL) || !w->level)
		return 0;
	for (int i = 0; i < w->count; i++) {
		uint32_t lacks = w->loaded[i].isa & ~has;
		unsigned level = 0;

		if (!lacks)
			continue;
		while (lacks >> level > 1)
			level++;
		return ep_finding_set(w->c, w->running->link,
				      (struct ep_finding){
					      .cause = ERRPIPE_CAUSE_CPU_LEVEL,
					      .certainty = w->certain ? 0 : ERRPIPE_LIKELY,
					      .status = 127,
					      .subject = ep_keep(w->c, "%s", w->loaded[i].path),
					      .number = level + 1,
					      .limit = w->level,
				      });
	}
	return 0;
}

static bool is_set(struct ep_walk *w, const char *variable)
{
	const char *value = ep_variable(w->c, variable);

	return value && *value;
}

int ep_glibc(struct ep_walk *w)
{
	if (!w->loader.directories)
		w->certain = false;
	if (ep_variable(w->c, "LD_AUDIT") || ep_variable(w->c, "GLIBC_TUNABLES"))
		w->certain = false;
	w->search = search;
	w->binds_now = is_set(w, "LD_BIND_NOW");
	read_cache(w);
	preload_all(w);
	if (take_needs(w) < 0 || ep_walk_versions(w) < 0)
		return -1;
	if (check_cpu(w) < 0 || ep_walk_symbols(w) < 0)
		return -1;
	w->certain = w->certain && !w->may_abort;
	return 0;
}

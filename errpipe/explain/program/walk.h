/* SPDX-License-Identifier: MIT */
/* The libraries of a program, one after the other: what every loader has in common. */
#ifndef ERRPIPE_EXPLAIN_WALK_H
#define ERRPIPE_EXPLAIN_WALK_H

#include <limits.h>

#include "explain/facts/dynamic.h"
#include "explain/facts/ld_cache.h"
#include "explain/facts/loader_text.h"
#include "explain/facts/symbols.h"
#include "explain/program/program.h"

#pragma GCC visibility push(hidden)

enum {
	EP_LOADED_MAX = ERRPIPE_LIBRARIES_MAX + 4,
	EP_NAMES_MAX = 4096,	  /* names in DT_NEEDED of all files */
	EP_VERSIONS_MAX = 8192,	  /* of all files, needed and defined each */
	EP_SYMBOLS_MAX = 1 << 15, /* that are needed without a version */
	EP_WORDS_MAX = 1 << 20,	  /* of the tables of symbols */
	EP_OPENS_MAX = 20000,
	EP_PROBED_MAX = 64
};

/* Loaders that stop exit with this: glibc's _dl_signal_error() in elf/dl-catch.c, musl's ldso/dynlink.c. */
enum { EP_STATUS_OF_LOADERS = 127 };

/* Where a loader has found a library. */
enum ep_by { EP_BY_SYSTEM, EP_BY_VARIABLE, EP_BY_RPATH };

/* A file that the loader has mapped, or the kernel for it. All strings are in the text of the walk. */
struct ep_loaded {
	const char *name;   /* as it was asked for; NULL: the program */
	const char *path;   /* as it was opened */
	const char *soname; /* or NULL */
	const char *rpath, *runpath;
	const char *origin; /* its directory; NULL: unknown */
	int needer;	    /* the index of the file that needs it; -1: none */
	int library;	    /* its index in ex->library; -1: it has none */
	enum ep_by by;
	dev_t dev;
	ino_t ino;
	bool no_default; /* DF_1_NODEFLIB */
	bool is_queued;	 /* its own needs count */
	unsigned first_name, names;
	unsigned first_need, needs;
	unsigned first_definition, definitions;
	bool has_definitions, has_versions; /* DT_VERDEF, DT_VERSYM */
	uint32_t isa;
	struct ep_symbols symbols; /* that it defines */
	unsigned first_symbol;	   /* that it needs */
	bool binds_now;
};

/* A symbol that a file needs, by the hash of its name. */
struct ep_walk_symbol {
	uint32_t hash, index;
	int owner;	/* the index of the file */
	bool is_copied; /* it has a copy of it */
};

struct ep_walk_version {
	const char *file, *name;
	uint32_t hash;
	bool is_weak;
};

/* The first file with the right name that the loader passed over. */
struct ep_passed {
	const char *path; /* NULL: none */
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	unsigned machine, elf_class, order;
	uint64_t number;
};

/* Files in the searched directories that could replace the library at hand. Strings are kept, or NULL. */
struct ep_near {
	const char *dangling, *target; /* a symbolic link with its name, and the missing target */
	const char *unlinked, *link; /* the library itself under another name, and the link that should lead there */
	const char *other;	     /* another version of it */
	const char *named;	     /* the library that a list means, which names it, or "~" */
	unsigned lists, tries;

	/* Not NULL: the search is only for a library that defines this version, or that does not need it. */
	const struct ep_walk_version *version;
	enum { EP_DEFINES, EP_DOES_NOT_NEED } wanted;
	const char *fitting; /* that library */

	const char *hidden; /* the library itself, which this mount hides */
	const struct errpipe_mount *mount;
};

/* The outcome of one try to find the library at hand. */
enum ep_try {
	EP_TRY_NEXT,	  /* not here */
	EP_TRY_NEXT_LIST, /* nor in the rest of this list */
	EP_TRY_NOWHERE,	  /* nor anywhere else */
	EP_TRY_TAKEN,
	EP_TRY_STOP /* with a finding; for an optional library, without one */
};

struct ep_walk {
	struct ep_check *c;
	const struct ep_running *running;
	bool certain;  /* nothing happened that is not modelled */
	bool secure;   /* set-id or file capabilities: the loader trusts less */
	bool failed;   /* there is a finding */
	bool given_up; /* errpipe itself cannot look further: no finding */
	unsigned opens;

	uint64_t address_limit, data_limit;
	uint64_t data; /* that the files so far take at least, without the loader */
	enum errpipe_certainty data_certainty;

	struct ep_loaded loaded[EP_LOADED_MAX];
	int count;
	struct {
		const char *name;
		enum ep_need need;
	} name[EP_NAMES_MAX];
	unsigned names;
	struct ep_walk_version need[EP_VERSIONS_MAX], definition[EP_VERSIONS_MAX];
	unsigned needs, definitions;

	struct ep_walk_symbol symbol[EP_SYMBOLS_MAX];
	unsigned symbols;
	bool may_abort;	    /* a function may, when the program calls it */
	bool lacks_symbols; /* the symbols of a file could not be read */
	bool is_musl;
	bool binds_now; /* LD_BIND_NOW */
	struct ep_symbol_room room;
	uint64_t
		complete; /* versions of the last file whose symbols need no check: left_out for ep_object_undefined() */

	/* The library at hand. */
	const char *wanted;
	int needer;
	bool is_optional; /* a fault is worth a warning of the loader at most */
	struct ep_passed passed;
	const char *shut;     /* a directory that neither the process nor errpipe may search; or NULL */
	enum ep_by by;	      /* the list that is being searched */
	struct ep_near *near; /* in a second search, its result */
	/* In a second search, each path goes to this function, and nothing is mapped. */
	enum ep_try (*instead)(struct ep_walk *w, const char *path);
	enum ep_try (*search)(struct ep_walk *w); /* the loader's own, for the library at hand */
	char searched[1024]; /* directories that the environment and the files name, separated by colons */

	/* glibc: directories, and whether they have a subdirectory glibc-hwcaps. */
	struct {
		const char *directory;
		bool has_hwcaps;
	} probed[EP_PROBED_MAX];
	unsigned probes;
	unsigned level;	     /* of the CPU; 0: unknown */
	bool has_hard_float; /* ARM: the ABI of the loader */

	char list[8192];       /* musl: the directories of the system */
	const char *list_file; /* the file that names them instead of the usual ones; NULL: none */

	struct ep_cache cache;
	bool has_cache;
	struct ep_loader_text loader;
	struct ep_object object; /* the one that is being read */
	struct ep_kind kind;	 /* of the program */
	size_t used;
	char text[1 << 20];
	uint32_t words[EP_WORDS_MAX]; /* for room */
};

/* Returns NULL if the memory is full; the walk is then not certain. */
const char *ep_walk_keep(struct ep_walk *w, const char *text);

/* Keep a string in the explanation, as long as there is room for others. NULL of NULL. */
const char *ep_walk_tell(struct ep_walk *w, const char *text);

/* The program, its loader and the vDSO are there from the beginning. Each is w->object at that time. */
void ep_walk_program(struct ep_walk *w);
void ep_walk_loader(struct ep_walk *w);

/* A file that is open: does it fit as a library? What does not is noted in w->passed. */
enum ep_header ep_walk_header(struct ep_walk *w, const char *path, const struct ep_readable *file);

/* Note a file that the loader passes over; the first one counts. */
void ep_walk_pass(struct ep_walk *w, const char *path, struct ep_passed passed);

/* The process may not read a file or search a directory on the way to it. */
void ep_walk_refused(struct ep_walk *w, const char *path);

/* Open a file. Returns 0, or a negative errno; -ENOSYS also after too many. */
int ep_walk_open(struct ep_walk *w, const char *path, struct ep_readable *file);

/* Map a file whose header fits, unless it is there already. Closes it. */
enum ep_try ep_walk_map(struct ep_walk *w, const char *path, const struct ep_readable *file);

/* Go on to the library of that name, which the file with the index needer needs (-1: it is preloaded). */
void ep_walk_want(struct ep_walk *w, const char *name, int needer, bool is_optional);

/* The loader stops at the library at hand, at that path (NULL: it found none). */
enum ep_try ep_walk_stop(struct ep_walk *w, const char *path, struct ep_finding finding);

/* The same, because of a file at that path that is not a library. */
enum ep_try ep_walk_invalid(struct ep_walk *w, const char *path, enum errpipe_detail detail);

/*
 * Try one file. The loader's own rules are check_file, which returns EP_TRY_TAKEN for a library that fits, and not_opened,
 * which gets the errno of open(2).
 */
typedef enum ep_try ep_check_file(struct ep_walk *w, const char *path, const struct ep_readable *file);
typedef enum ep_try ep_not_opened(struct ep_walk *w, const char *path, int error);
enum ep_try ep_walk_try(struct ep_walk *w, const char *path, ep_check_file *check_file, ep_not_opened *not_opened);

/* Call each for the parts of a list until it returns something else than EP_TRY_NEXT. */
typedef enum ep_try ep_each_part(struct ep_walk *w, const char *part, void *context);
enum ep_try ep_walk_parts(struct ep_walk *w, const char *list, const char *separators, ep_each_part *each,
			  void *context);

/* Note a directory that is searched. */
void ep_walk_searched(struct ep_walk *w, const char *directory);

/* "DIRECTORY/NAME". Returns false if it is too long. */
bool ep_walk_join(char path[PATH_MAX], const char *directory, const char *name);

/* Search for the library at hand once more. The only effects are those of instead. */
void ep_walk_search_again(struct ep_walk *w, enum ep_try (*instead)(struct ep_walk *w, const char *path),
			  struct ep_near *near);

/* near.c: the library at hand is not found. Look for similar files. */
void ep_walk_near(struct ep_walk *w, struct ep_near *near);

/* near.c: the same for a library in ld.so.cache. */
void ep_walk_near_cached(struct ep_walk *w, struct ep_near *near, const char *name, const char *path);

/* missing.c: explain why the library at hand was not found. near: the results of a second search. */
enum ep_try ep_walk_missing(struct ep_walk *w, const struct ep_near *near);

/* missing.c: the loader stops because a mount hides the library at hand. */
enum ep_try ep_walk_hidden(struct ep_walk *w, const char *path, const struct errpipe_mount *mount);

/* missing.c: is a second search useful? */
bool ep_walk_asks_near(const struct ep_walk *w);

/* missing.c: the library at hand has the name of the C library of another loader. */
bool ep_walk_of_other_libc(const struct ep_walk *w);
struct ep_finding ep_walk_other_libc(struct ep_walk *w);

/* invalid.c: the loader stops at a file that is not ELF. */
enum ep_try ep_walk_not_elf(struct ep_walk *w, const char *path, const struct ep_readable *file,
			    enum errpipe_detail detail);

/* room.c: begin with the program, which is w->object. */
void ep_walk_limits(struct ep_walk *w);

/* room.c: the library at hand is w->object. Is there room for it? Then count it, else *finding is about the limit. */
bool ep_walk_fits(struct ep_walk *w, struct ep_finding *finding);

/* room.c: can the loader have another file open? */
bool ep_walk_may_open(const struct ep_walk *w);

/* versions.c: does each file have the versions that others need of it? The exit status is 1 if not. */
int ep_walk_versions(struct ep_walk *w);

/* undefined.c: does each file find the symbols that the loader binds at once? */
int ep_walk_symbols(struct ep_walk *w);

/* glibc.c, musl.c: all libraries. Returns 0, or -1 after a finding. */
int ep_glibc(struct ep_walk *w);
int ep_musl(struct ep_walk *w);

#pragma GCC visibility pop

#endif

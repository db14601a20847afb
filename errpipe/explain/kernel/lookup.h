/* SPDX-License-Identifier: MIT */
/* One look-up of a path in the root. Include it first in a file that knows _GNU_SOURCE and _FILE_OFFSET_BITS. */
#ifndef ERRPIPE_EXPLAIN_LOOKUP_H
#define ERRPIPE_EXPLAIN_LOOKUP_H

#include <limits.h>

#include "explain/kernel/kernel.h"

#pragma GCC visibility push(hidden)

enum ep_purpose {
	EP_AS_WHO,  /* the process must be allowed to search each directory */
	EP_FOR_HINT /* no permission is needed */
};

/* Symbolic links in one path (MAXSYMLINKS in the kernel's include/linux/namei.h). */
enum { EP_SYMLINKS_MAX = 40 };

struct ep_lookup {
	struct ep_check *c;
	enum ep_purpose purpose;
	enum ep_part { EP_PART_PATH, EP_PART_CWD } part;
	const char *path; /* of that part */
	size_t taken;	  /* bytes of it, until the first symbolic link */

	/*
	 * The current file or directory. text is its path in the root without symbolic links, "" at the root; during a
	 * step it has the name at its end, however long that is. fd is -1 in a directory that a later mount will create.
	 */
	int fd;
	struct stat st;
	char text[2 * PATH_MAX];
	bool searchable; /* and that has been checked */
	bool deleted;	 /* the working directory, which was deleted */
	bool jumped;	 /* text comes from /proc */

	/* The rest of the path, at the end of room. Targets of symbolic links are put before it. */
	char *rest;
	char room[4 * PATH_MAX];

	/* The symbolic links that were followed. The last one may be one too many. */
	int symlinks;
	struct {
		dev_t dev;
		ino_t ino;
	} seen[EP_SYMLINKS_MAX + 1];

	/* Symbolic links whose targets are still at the front of rest; an entry is done once rest is shorter than end. */
	int depth;
	struct {
		int symlink;
		size_t end;
	} target[EP_SYMLINKS_MAX];

	/* Why it failed. The subject, and an object that is a path, are in these buffers. */
	struct ep_finding finding;
	char subject[PATH_MAX], object[PATH_MAX];
	char place[PATH_MAX]; /* text at that time, "/" for the root */

	/* A second walk records the names of symbolic links from..to for the finding. */
	bool again;
	enum ep_part traced;
	int from, to;
};

/*
 * Look up a path that leads to a file of any type. Returns 0 with fd, st and text, or -1 with the finding and without a
 * descriptor.
 */
int ep_lookup(struct ep_lookup *w, struct ep_check *c, const char *path, enum ep_purpose purpose);

#pragma GCC visibility pop

#endif

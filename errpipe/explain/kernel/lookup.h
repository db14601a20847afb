/* SPDX-License-Identifier: MIT */
/* One look-up of a path in the root. Include it first in a file that knows _GNU_SOURCE and _FILE_OFFSET_BITS. */
#ifndef ERRPIPE_EXPLAIN_WALK_H
#define ERRPIPE_EXPLAIN_WALK_H

#include <errno.h>
#include <limits.h>

#include "explain/explain.h"

#pragma GCC visibility push(hidden)

enum ep_purpose {
	EP_AS_WHO, /* who execs must be allowed to search each directory */
	EP_TO_LOOK /* nobody has to be allowed anything */
};

/* Symbolic links in one path (MAXSYMLINKS in the kernel's include/linux/namei.h). */
enum { EP_LINKS = 40 };

struct ep_walk {
	struct ep_case *c;
	enum ep_purpose purpose;
	enum ep_part { EP_PART_PATH, EP_PART_CWD } part;
	const char *path; /* of that part */
	size_t taken;	  /* bytes of it, as long as there was no link */

	/* Where it has come to. Of the root, text is empty. fd is -1 in a directory that is made when something is mounted. */
	int fd;
	struct stat st;
	char text[2 * PATH_MAX]; /* in the root, without links; during a step with the name, however long that is */
	bool searchable;	 /* and that has been checked */
	bool deleted;		 /* it is the working directory, and was deleted */
	bool jumped;		 /* text is what /proc told */

	/* What is still to be walked: it ends where the room does, and the targets of links go before it. */
	char *rest;
	char room[4 * PATH_MAX];

	/* Links that were followed, or, the last, not any more. */
	int links;
	struct {
		dev_t dev;
		ino_t ino;
	} seen[EP_LINKS + 1];

	/* Those whose targets rest begins in: when that is shorter than this, it is behind the target. */
	int depth;
	struct {
		int link;
		size_t end;
	} target[EP_LINKS];

	/* Why it has come no further. */
	enum errpipe_cause cause;
	enum errpipe_certainty certainty;
	int error;
	const char *object; /* kept, or constant, or words, or NULL */
	uint64_t number, limit;
	char subject[PATH_MAX], words[PATH_MAX];

	/* The second walk, which looks at how links are called: from the first to the last that matters. */
	bool again;
	enum ep_part traced;
	int from, to;
};

/*
 * Returns 0 with fd, st and text, or -1 with what is wrong; then there is no descriptor. Whatever the path leads to is
 * found, of any type.
 */
int ep_walk(struct ep_walk *w, struct ep_case *c, const char *path, enum ep_purpose purpose);

/* linux/openat2.h */
enum {
	EP_NO_MAGICLINKS = 0x02, /* RESOLVE_ ... */
	EP_NO_SYMLINKS = 0x04,
	EP_IN_ROOT = 0x10
};

/* openat2(2) with O_PATH. Returns a descriptor or a negative errno: -ENOSYS too where it may not be used. */
int ep_open_in_root(int root, const char *path, unsigned resolve);

/* What an open(2) has returned, or a negative errno. */
static inline int ep_opened(int fd)
{
	return fd < 0 ? -errno : ep_above_stderr(fd);
}

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* The program is missing. Is the root of the question the root of a file system at all? */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/hints/hints.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- an empty root ------------------------------------------------------------------------------------------ */

/* Directories that an engine makes itself. It mounts a file system on them while the container runs. */
static const char *const mount_points[] = { "dev", "etc", "proc", "run", "sys", "tmp" };

static bool is_mount_point(const char *name)
{
	for (size_t i = 0; i < COUNT(mount_points); i++) {
		if (strcmp(name, mount_points[i]) == 0)
			return true;
	}
	return false;
}

static bool is_empty(struct ep_check *c, const char *name)
{
	int fd = ep_openat(c->root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	bool empty = fd >= 0 && ep_is_empty_directory(fd);

	if (fd >= 0)
		close(fd);
	return empty;
}

/* Returns 1 for an entry of a root that is in use. */
static int is_content(void *context, const char *name)
{
	return !is_mount_point(name) || !is_empty(context, name);
}

/* Calls each with c and with the names in the root, until it returns nonzero. Returns that, 0 at the end, or an errno. */
static int entries(struct ep_check *c, int max, int (*each)(void *context, const char *name), void *context)
{
	int fd = ep_openat(c->root, ".", O_RDONLY | O_DIRECTORY), ret = -1;

	if (fd >= 0) {
		ret = ep_entries(fd, max, each, context);
		close(fd);
	}
	return ret;
}

/* --- a root at another level -------------------------------------------------------------------------------- */

/* Does the directory have this entry? "" is the root. */
static bool has(struct ep_check *c, const char *directory, const char *entry)
{
	char path[2 * NAME_MAX];
	int n = snprintf(path, sizeof(path), "%s%s/%s", *directory ? "/" : "", directory, entry);

	return n < (int)sizeof(path) && ep_exists(c, path);
}

static bool has_programs(struct ep_check *c, const char *directory)
{
	return has(c, directory, "usr") || has(c, directory, "bin") || has(c, directory, "sbin");
}

struct below {
	struct ep_check *c;
	unsigned found;
	char name[NAME_MAX + 1]; /* the last that was found */
};

static int look_below(void *context, const char *name)
{
	struct below *below = context;

	if (has_programs(below->c, name) && has(below->c, name, "etc") && strlen(name) < sizeof(below->name)) {
		below->found++;
		strcpy(below->name, name);
	}
	return 0;
}

/* "rootfs" of a bundle, "merged" of an overlay. If there are several, nothing tells which was meant. */
static bool find_below(struct below *below)
{
	enum { ENTRIES = 64 };

	if (has_programs(below->c, "") || has(below->c, "", "etc"))
		return false;
	entries(below->c, ENTRIES, look_below, below);
	return below->found == 1;
}

/* The length of a path without its last name, and without the slashes before and after that. */
static size_t above(const char *path, struct ep_span *last)
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	*last = (struct ep_span){ path + start, end - start };
	while (start > 1 && path[start - 1] == '/')
		start--;
	return start;
}

/* Directories of a root that have programs at a lower level (hier(7)). */
static bool is_top_level(struct ep_span name)
{
	static const char *const names[] = { "home", "opt", "srv", "usr", "var" };

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strlen(names[i]) == name.size && memcmp(names[i], name.at, name.size) == 0)
			return true;
	}
	return false;
}

/* The directory above, if "/usr/bin/app" is missing and the root named "rootfs/usr" has "/bin/app"; or NULL. */
static const char *root_above(struct ep_check *c)
{
	const char *name = c->question->root_name, *path = c->question->path;
	struct ep_span last;
	size_t length;

	if (!name || *path != '/')
		return NULL;
	length = above(name, &last);
	if (!is_top_level(last) || strncmp(path + 1, last.at, last.size) != 0 || path[1 + last.size] != '/' ||
	    !ep_is_program(c, path + 1 + last.size))
		return NULL;
	return length ? ep_keep(c, "%.*s", (int)length, name) : ".";
}

/* --- an image in another form ------------------------------------------------------------------------------- */

static bool is_layout(struct ep_check *c)
{
	return ep_is_file(c, "/oci-layout") && ep_is_file(c, "/index.json");
}

static int has_layer(void *context, const char *name)
{
	return has(context, name, "layer.tar");
}

/* "docker save" writes it, with a directory for each layer. Later versions also write an OCI layout. */
static bool is_archive(struct ep_check *c)
{
	enum { ENTRIES = 256 };

	return ep_is_file(c, "/manifest.json") && entries(c, ENTRIES, has_layer, c) == 1;
}

/* --- all of them -------------------------------------------------------------------------------------------- */

static bool refine(struct ep_check *c, struct ep_finding finding)
{
	const char *name = c->question->root_name;

	finding.object = name ? ep_keep(c, "%s", name) : NULL;
	ep_finding_refine(c, finding);
	return true;
}

static bool not_a_root(struct ep_check *c, enum errpipe_detail detail)
{
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_A_ROOT, .detail = detail });
}

static bool at_other_level(struct ep_check *c, enum errpipe_detail detail, const char *root)
{
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_A_ROOT,
					      .certainty = ERRPIPE_LIKELY,
					      .detail = detail,
					      .subject = root });
}

static bool is_asked(const struct ep_check *c)
{
	return (c->ex->cause == ERRPIPE_CAUSE_MISSING || c->ex->cause == ERRPIPE_CAUSE_NOT_IN_PATH) &&
	       c->ex->broken == 0 && c->question->root != ERRPIPE_OWN_ROOT;
}

bool ep_hint_root(struct ep_check *c)
{
	enum { STEPS = 4000 };
	struct below below = { .c = c };
	const char *name = c->question->root_name, *root;

	if (!is_asked(c))
		return false;
	c->steps = STEPS;
	if (entries(c, COUNT(mount_points) + 1, is_content, c) == 0)
		return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_EMPTY_ROOT });
	if (is_layout(c))
		return not_a_root(c, ERRPIPE_DETAIL_ROOT_LAYOUT);
	if (is_archive(c))
		return not_a_root(c, ERRPIPE_DETAIL_ROOT_ARCHIVE);
	root = root_above(c);
	if (root)
		return at_other_level(c, ERRPIPE_DETAIL_ROOT_INSIDE, root);
	return find_below(&below) &&
	       at_other_level(c, ERRPIPE_DETAIL_ROOT_ABOVE, ep_keep(c, "%s/%s", name ? name : "", below.name));
}

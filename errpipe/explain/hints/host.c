/* SPDX-License-Identifier: MIT */
/* A path of the caller's root that was given to a container, in a command or as the target of a symbolic link. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "explain/hints/hints.h"

/* Every system has these, so they do not show that the host was meant. */
static bool is_everywhere(const char *path)
{
	return strncmp(path, "/usr/", 5) == 0 || strncmp(path, "/bin/", 5) == 0 || strncmp(path, "/sbin/", 6) == 0 ||
	       strncmp(path, "/lib", 4) == 0;
}

/* Does the caller's own root also have it? Looks only if the question allows that. */
static bool is_on_host(struct ep_check *c, const char *path, bool (*is)(struct ep_check *c, const char *path))
{
	const struct errpipe_question own = { .root = ERRPIPE_OWN_ROOT, .path = path };
	struct ep_check host = *c;
	bool exists;

	if (!c->question->compare_own_root || c->question->root == ERRPIPE_OWN_ROOT || *path != '/' ||
	    is_everywhere(path))
		return false;
	host.root = ep_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	if (host.root < 0)
		return false;
	host.question = &own;
	exists = is(&host, path);
	close(host.root);
	return exists;
}

bool ep_hint_host(struct ep_check *c, const struct errpipe_link *link)
{
	if (c->ex->cause != ERRPIPE_CAUSE_MISSING || !is_on_host(c, link->path, ep_is_program))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_HOST_PATH, .certainty = ERRPIPE_LIKELY });
	return true;
}

/* --- the path of the root itself ---------------------------------------------------------------------------- */

/* The part of a path after the name of a directory; NULL: it is not in that directory. */
static const char *after(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	while (length && directory[length - 1] == '/')
		length--;
	return length && strncmp(path, directory, length) == 0 && path[length] == '/' ? path + length : NULL;
}

static const char *skip_dot(const char *path)
{
	while (ep_begins_with(path, "./"))
		path += 2;
	return path;
}

/* "/home/me/rootfs/bin/app" is "/bin/app" in the root "/home/me/rootfs". NULL: the path does not name that root. */
static const char *inside(struct ep_check *c, const char *path)
{
	const char *name = c->question->root_name, *rest = name ? after(skip_dot(path), skip_dot(name)) : NULL;
	char root[PATH_MAX];
	ssize_t n;

	if (rest || c->question->root == ERRPIPE_OWN_ROOT)
		return rest;
	n = readlink(ep_fd_path(c->root).text, root, sizeof(root) - 1);
	if (n <= 0)
		return NULL;
	root[n] = '\0';
	return after(path, root);
}

/* "/srv/web/bin/app" is "/data/bin/app", if "/srv/web" is mounted on "/data". NULL: no mount has that source. */
static const char *in_mount(struct ep_check *c, const char *path)
{
	for (size_t i = c->question->mounts_count; i > 0; i--) {
		const struct errpipe_mount *mount = &c->question->mounts[i - 1];
		const char *rest = mount->name && !mount->masked ? after(path, mount->name) : NULL;

		if (rest)
			return ep_keep(c, "%s%s", mount->at, rest);
	}
	return NULL;
}

bool ep_hint_root_prefix(struct ep_check *c, const struct errpipe_link *link)
{
	const char *rest = inside(c, link->path);

	if (!rest)
		rest = in_mount(c, link->path);
	if (!rest || !ep_is_program(c, rest))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NEAR_MISS,
						  .detail = ERRPIPE_DETAIL_ROOT_PREFIX,
						  .object = rest });
	return true;
}

void ep_hint_host_link(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const char *target = ex->object, *rest = target && *target == '/' ? inside(c, target) : NULL;
	struct ep_finding finding = {
		.cause = ex->cause,
		.subject = ex->subject,
		.subject_here = ex->subject ? ep_here(c, ex->subject) : NULL,
		.object = target,
	};

	if (rest && ep_exists(c, rest)) {
		finding.detail = ERRPIPE_DETAIL_LINK_WITH_ROOT;
		finding.available = rest;
	} else if (target && is_on_host(c, target, ep_exists)) {
		finding.detail = ERRPIPE_DETAIL_LINK_TO_HOST;
	}
	if (finding.detail)
		ep_finding_refine(c, finding);
}

/* SPDX-License-Identifier: MIT */
/* Programs that a command could mean, found by the search that failed, and the names in a directory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "explain/hints/hints.h"
#include "explain/kernel/lookup.h"

/* env(1) has a PATH of its own, and the kernel searches no PATH for an interpreter. */
const char *ep_searched(const struct ep_check *c)
{
	if (c->ex->link[c->ex->broken].kind == ERRPIPE_LINK_INTERPRETER)
		return NULL;
	return c->ex->cause == ERRPIPE_CAUSE_COMMAND_MISSING ? c->ex->object : c->question->search_path;
}

bool ep_is_in_path(struct ep_check *c, const char *name)
{
	struct ep_places places = { .name = name, .rest = ep_searched(c) };

	while (c->steps && ep_next_place(&places)) {
		if (ep_is_program(c, places.text))
			return true;
	}
	return false;
}

bool ep_is_command(struct ep_check *c, const char *text, size_t length)
{
	char name[PATH_MAX];

	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	return ep_is_searched(name, ep_searched(c)) ? ep_is_in_path(c, name) : ep_is_program(c, name);
}

void ep_list(struct ep_check *c, const char *directory, int max, int (*each)(void *context, const char *name),
	     void *context)
{
	struct ep_lookup w;
	int fd;

	if (ep_lookup(&w, c, directory, EP_FOR_HINT) < 0)
		return;
	fd = w.fd < 0 ? -1 : ep_openat(w.fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	if (fd >= 0) {
		ep_entries(fd, max, each, context);
		close(fd);
	}
	if (w.fd >= 0)
		close(w.fd);
}

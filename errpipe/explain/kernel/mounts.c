/* SPDX-License-Identifier: MIT */
/* Find the real places of a question's mounts. Runtimes follow symbolic links: on most systems /var/run/x is /run/x. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "explain/kernel/lookup.h"

/* The memory for each mount. All structs come first, then all paths. */
struct entry {
	struct errpipe_mount mount;
	char path[PATH_MAX];
};

/* A path that leads nowhere yet, or to the root, stays as it is. */
static void follow_links(struct ep_check *c, struct errpipe_mount *mount, char path[PATH_MAX])
{
	struct ep_lookup w;

	if ((size_t)snprintf(path, PATH_MAX, "/%s", mount->at) >= PATH_MAX)
		return;
	c->ex->looking_at = mount->at;
	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return;
	close(w.fd);
	if (*w.text != '/' || strlen(w.text) >= PATH_MAX)
		return;
	strcpy(path, w.text);
	mount->at = path;
}

int ep_follow_mounts(struct ep_check *c, struct errpipe_question *followed)
{
	struct errpipe_question unmounted = *c->question;
	struct ep_check before = *c; /* with a number of steps of its own */
	size_t count = c->question->mounts_count;
	struct errpipe_mount *mounts;
	char(*paths)[PATH_MAX];

	*followed = *c->question;
	if (!count)
		return 0;
	if (count > SIZE_MAX / sizeof(struct entry))
		return -ENOMEM;
	mounts = mmap(NULL, count * sizeof(struct entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mounts == MAP_FAILED)
		return -errno;
	paths = (char(*)[PATH_MAX])(mounts + count);
	unmounted.mounts_count = 0;
	before.question = &unmounted;
	for (size_t i = 0; i < count; i++) {
		mounts[i] = c->question->mounts[i];
		follow_links(&before, &mounts[i], paths[i]);
	}
	followed->mounts = mounts;
	return 0;
}

void ep_forget_mounts(struct errpipe_question *followed)
{
	if (followed->mounts_count)
		munmap((void *)followed->mounts, followed->mounts_count * sizeof(struct entry));
}

/* SPDX-License-Identifier: MIT */
/* The question's mounts: find their real places, and the mounts that no runtime can make. */
#define _GNU_SOURCE
#include <fcntl.h>
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

/*
 * Runtimes follow symbolic links: on most systems /var/run/x is /run/x. A path that does not exist yet, or leads to
 * the root, stays as it is.
 */
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

/* --- mounts that fail --------------------------------------------------------------------------------------- */

static int count_one(void *context, const char *name)
{
	(void)context;
	(void)name;
	return 1;
}

bool ep_is_empty_directory(int path_fd)
{
	int fd = ep_openat(path_fd, ".", O_RDONLY | O_DIRECTORY), ret;

	if (fd < 0)
		return false;
	ret = ep_entries(fd, 1, count_one, NULL);
	close(fd);
	return ret == 0;
}

/* The type of the file that the mount covers, after the earlier mounts. 0: a runtime creates it, or it is unknown. */
static mode_t type_below(struct ep_check *c, const struct errpipe_mount *mount)
{
	struct errpipe_question earlier = *c->question;
	struct ep_check before = *c;
	struct ep_lookup w;

	earlier.mounts_count = mount - earlier.mounts;
	before.question = &earlier;
	if (ep_lookup(&w, &before, mount->at, EP_FOR_HINT) < 0)
		return 0;
	if (w.fd >= 0)
		close(w.fd);
	return w.st.st_mode & S_IFMT;
}

bool ep_mount_misfits(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding)
{
	mode_t below = mount->source > 0 ? type_below(c, mount) : 0;
	struct stat st;

	if (!below || fstat(mount->source, &st) < 0 || S_ISDIR(st.st_mode) == S_ISDIR(below))
		return false;
	*finding = (struct ep_finding){
		.cause = ERRPIPE_CAUSE_MOUNT_MISMATCH,
		.error = ENOTDIR,
		.subject = ep_keep(c, "%s", mount->at),
		.object = mount->name ? ep_keep(c, "%s", mount->name) : NULL,
	};
	if (S_ISDIR(below))
		finding->detail = ERRPIPE_DETAIL_FILE_ON_DIRECTORY;
	else if (ep_is_empty_directory(mount->source))
		finding->detail = ERRPIPE_DETAIL_EMPTY_DIRECTORY;
	return true;
}

static bool is_impossible(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding)
{
	if (mount->source != -ENOENT || mount->empty)
		return ep_mount_misfits(c, mount, finding);
	*finding = (struct ep_finding){
		.cause = ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING,
		.error = ENOENT,
		.subject = ep_keep(c, "%s", mount->at),
		.object = mount->name ? ep_keep(c, "%s", mount->name) : NULL,
	};
	return true;
}

void ep_check_mounts(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	struct ep_finding finding;

	if (question->report || !c->ex->starts)
		return;
	for (size_t i = 0; i < question->mounts_count; i++) {
		if (!is_impossible(c, &question->mounts[i], &finding))
			continue;
		c->has_started = false;
		ep_finding_clear(c->ex);
		finding.certainty = ERRPIPE_CERTAIN;
		ep_finding_set(c, NULL, finding);
		return;
	}
}

bool ep_root_is_empty(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	const char *name = question->root_name;

	if ((c->ex->cause != ERRPIPE_CAUSE_MISSING && c->ex->cause != ERRPIPE_CAUSE_NOT_IN_PATH) || c->ex->broken ||
	    question->root == ERRPIPE_OWN_ROOT || !ep_is_empty_directory(c->root))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_EMPTY_ROOT,
						  .object = name ? ep_keep(c, "%s", name) : NULL });
	return true;
}

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
 * the root, stays as it is. Returns the type of the file that is there, or 0.
 */
static mode_t follow_links(struct ep_check *c, struct errpipe_mount *mount, char path[PATH_MAX])
{
	struct ep_lookup w;

	if ((size_t)snprintf(path, PATH_MAX, "/%s", mount->at) >= PATH_MAX)
		return 0;
	c->ex->looking_at = mount->at;
	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return 0;
	if (w.fd >= 0)
		close(w.fd);
	if (*w.text != '/' || strlen(w.text) >= PATH_MAX)
		return 0;
	strcpy(path, w.text);
	mount->at = path;
	return w.st.st_mode & S_IFMT;
}

/*
 * maskPath() in runc's libcontainer/rootfs_linux.go, do_masked_or_readonly_path() in crun's src/libcrun/linux.c: /dev/null
 * covers a file, and a read-only tmpfs a directory. One on the root has no effect.
 */
static void follow_mask(struct ep_check *c, struct errpipe_mount *mask, char path[PATH_MAX])
{
	const char *at = mask->at;
	mode_t type = follow_links(c, mask, path);

	mask->source = -1;
	mask->name = at;
	mask->empty = S_ISDIR(type);
	if (!type)
		mask->at = "/";
}

int ep_follow_mounts(struct ep_check *c, struct errpipe_question *followed)
{
	struct errpipe_question earlier = *c->question;
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
	earlier.mounts = mounts;
	before.question = &earlier;
	for (size_t i = 0; i < count; i++) {
		earlier.mounts_count = i;
		mounts[i] = c->question->mounts[i];
		if (mounts[i].masked)
			follow_mask(&before, &mounts[i], paths[i]);
		else
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

/* With the mounts before this one. w->fd is closed. */
static int look_below(struct ep_lookup *w, struct ep_check *c, const struct errpipe_mount *mount, const char *path)
{
	struct errpipe_question earlier = *c->question;
	struct ep_check before = *c;
	int ret;

	earlier.mounts_count = mount - earlier.mounts;
	before.question = &earlier;
	ret = ep_lookup(w, &before, path, EP_FOR_HINT);
	if (ret == 0 && w->fd >= 0)
		close(w->fd);
	return ret;
}

mode_t ep_mode_below(struct ep_check *c, const struct errpipe_mount *mount, const char *path)
{
	struct ep_lookup w;

	return look_below(&w, c, mount, path) < 0 ? 0 : w.st.st_mode;
}

/* Other file systems that are empty at first can lie in between. */
mode_t ep_mode_hidden(struct ep_check *c, const struct errpipe_mount *mount, const char *path)
{
	struct errpipe_question earlier = *c->question;
	struct ep_lookup w;
	size_t length;

	do {
		if (look_below(&w, c, mount, path) == 0)
			return w.st.st_mode;
		earlier.mounts_count = mount - earlier.mounts;
		mount = ep_mount_over(&earlier, w.place, &length);
	} while (mount && mount->empty);
	return 0;
}

static const char *keep_or_null(struct ep_check *c, const char *text)
{
	return text ? ep_keep(c, "%s", text) : NULL;
}

/* A hook of the runtime, or an earlier process of the container, can fill a new file system, but not a mask. */
void ep_hidden_by(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding)
{
	bool is_new = mount->empty && !mount->masked;

	finding->subject = ep_keep(c, "%s", mount->masked ? mount->name : mount->at);
	finding->object = mount->masked ? NULL : keep_or_null(c, mount->name);
	finding->certainty = is_new ? ERRPIPE_LIKELY : finding->certainty;
	finding->detail = mount->masked ? ERRPIPE_DETAIL_MASKED
			  : is_new	? ERRPIPE_DETAIL_NEW_FILE_SYSTEM
					: ERRPIPE_DETAIL_NONE;
}

const struct errpipe_mount *ep_hiding_mount(struct ep_check *c, const char *path)
{
	const struct errpipe_mount *mount;
	struct ep_lookup w;
	size_t length;
	bool found;

	if (!c->question->mounts_count)
		return NULL;
	found = ep_lookup(&w, c, path, EP_FOR_HINT) == 0;
	if (w.fd >= 0)
		close(w.fd);
	if (found && S_ISREG(w.st.st_mode))
		return NULL;
	mount = ep_mount_over(c->question, found ? w.text : w.place, &length);
	return mount && S_ISREG(ep_mode_hidden(c, mount, path)) ? mount : NULL;
}

bool ep_mount_misfits(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding)
{
	mode_t below = mount->source > 0 && !mount->masked ? ep_mode_below(c, mount, mount->at) : 0;
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

/* A runtime mounts everything before the exec. A mount that fails therefore matters first if nothing else is wrong, or only mounts. */
void ep_check_mounts(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	struct ep_finding finding;

	if (question->report || (!c->ex->starts && c->ex->cause != ERRPIPE_CAUSE_LIBRARY_HIDDEN_BY_MOUNT))
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

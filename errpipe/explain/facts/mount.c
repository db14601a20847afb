/* SPDX-License-Identifier: MIT */
/* Mounts: those of the question, and those of the kernel by /proc/self/mountinfo (proc_pid_mountinfo(5)). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

/* --- of the question ---------------------------------------------------------------------------------------- */

static size_t skip_slashes(const char *at)
{
	size_t n = 0;

	while (at[n] == '/' || (at[n] == '.' && (at[n + 1] == '/' || !at[n + 1]) && (n == 0 || at[n - 1] == '/')))
		n++;
	return n;
}

/* Where a mount point lies, seen from a place. The root itself does not count as a mount point. */
enum relation { ELSEWHERE, ABOVE, BELOW };

/* ABOVE: at the place, or on the way to it. *length is the length of that part of the place. */
static enum relation compare(const char *at, const char *place, size_t *length)
{
	const char *p = place;

	for (;;) {
		size_t size;

		at += skip_slashes(at);
		*length = p - place;
		if (!*at)
			return *length ? ABOVE : ELSEWHERE;
		if (!*p)
			return BELOW;
		size = strcspn(at, "/");
		if (strncmp(p + 1, at, size) != 0 || (p[1 + size] && p[1 + size] != '/'))
			return ELSEWHERE;
		p += 1 + size;
		at += size;
	}
}

/* The last mount on the way counts: earlier ones are below it, or covered. */
const struct errpipe_mount *ep_mount_over(const struct errpipe_question *question, const char *place, size_t *length)
{
	for (size_t i = question->mounts_count; i-- > 0;) {
		if (compare(question->mounts[i].at, place, length) == ABOVE)
			return &question->mounts[i];
	}
	return NULL;
}

/* A name that begins with "-" would be an option of the commands that have it. */
const char *ep_here(struct ep_check *c, const char *place)
{
	size_t length = 0, size;
	const struct errpipe_mount *mount = ep_mount_over(c->question, place, &length);
	const char *name = mount ? mount->name : c->question->root_name;

	if (!name || !*name || *place != '/' || (mount && mount->masked))
		return NULL;
	place += mount ? length : 0;
	if (strcmp(place, "/") == 0)
		place = "";
	for (size = strlen(name); size && name[size - 1] == '/' && (size > 1 || *place);)
		size--;
	return ep_keep(c, "%s%.*s%s", *name == '-' ? "./" : "", (int)size, name, place);
}

bool ep_mounts_root(const struct errpipe_question *question)
{
	for (size_t i = 0; i < question->mounts_count; i++) {
		const char *at = question->mounts[i].at;

		if (!at[skip_slashes(at)] && !question->mounts[i].masked)
			return true;
	}
	return false;
}

bool ep_mounts_below(const struct errpipe_question *question, const char *place)
{
	size_t length;

	for (size_t i = question->mounts_count; i-- > 0;) {
		enum relation relation = compare(question->mounts[i].at, place, &length);

		if (relation != ELSEWHERE)
			return relation == BELOW;
	}
	return false;
}

/* --- of the kernel ------------------------------------------------------------------------------------------ */

/* linux/stat.h: Linux 5.8. */
#define STATX_WITH_MNT_ID 0x1000

struct statx_with_mnt_id {
	uint32_t mask, other[35];
	uint64_t mnt_id, more[13];
};

static bool get_mount_id(int fd, uint64_t *id)
{
#ifdef SYS_statx
	struct statx_with_mnt_id stx = { 0 };

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_WITH_MNT_ID, &stx) < 0 || !(stx.mask & STATX_WITH_MNT_ID))
		return false;
	*id = stx.mnt_id;
	return true;
#else
	(void)fd;
	(void)id;
	return false;
#endif
}

/* Reads mountinfo byte by byte: "ID PARENT MAJOR:MINOR ROOT PLACE ...", blanks and the like in octal, as \040. */
struct reader {
	uint64_t wanted, id;
	int field; /* from 0 */
	size_t length;
	char place[PATH_MAX];
};

enum { FIELD_ID = 0, FIELD_PLACE = 4 };

/* Returns true once the place is known. */
static bool take(struct reader *r, char c)
{
	if (c == '\n') {
		r->field = 0;
		r->id = 0;
		return false;
	}
	if (c == ' ')
		return r->field++ == FIELD_PLACE && r->id == r->wanted;
	if (r->field == FIELD_ID && c >= '0' && c <= '9')
		r->id = r->id * 10 + (c - '0');
	if (r->field == FIELD_PLACE && r->id == r->wanted && r->length < sizeof(r->place) - 1)
		r->place[r->length++] = c;
	return false;
}

static bool find_place(struct reader *r, int fd)
{
	enum { BOUND = 1 << 20 };
	char bytes[4096];

	for (size_t total = 0; total < BOUND;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++) {
			if (take(r, bytes[i]))
				return true;
		}
		total += n;
	}
	return false;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

static void undo_escapes(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\\' && is_octal(p + 1)) {
			*to++ = (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* The part of the path within the other root. Mount points above that root keep the caller's path. */
static const char *within_root(struct ep_check *c, const char *place)
{
	char root[PATH_MAX];
	ssize_t n;

	if (c->question->root == ERRPIPE_OWN_ROOT)
		return place;
	n = readlink(ep_fd_path(c->root).text, root, sizeof(root));
	if (n <= 1 || strncmp(place, root, n) != 0 || (place[n] && place[n] != '/'))
		return place;
	return place[n] ? place + n : "/";
}

static bool find_mount_point(struct reader *reader, int path_fd)
{
	bool found;
	int fd;

	if (!get_mount_id(path_fd, &reader->wanted))
		return false;
	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	fd = ep_above_stderr(fd);
	if (fd < 0)
		return false;
	found = find_place(reader, fd);
	close(fd);
	undo_escapes(reader->place);
	return found;
}

const char *ep_mount_point(struct ep_check *c, int path_fd)
{
	struct reader reader = { 0 };

	return find_mount_point(&reader, path_fd) ? ep_keep(c, "%s", within_root(c, reader.place)) : NULL;
}

const char *ep_mount_point_here(struct ep_check *c, int path_fd)
{
	struct reader reader = { 0 };

	return find_mount_point(&reader, path_fd) ? ep_keep(c, "%s", reader.place) : NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * Look up a path step by step like link_path_walk() and open_last_lookups() in the kernel's fs/namei.c, to find the step
 * that fails. The kernel never follows a symbolic link or ".." for us, so no step can leave the root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/kernel/lookup.h"

#define PROC_SUPER_MAGIC  0x9fa0 /* linux/magic.h */
#define MOUNT_NOSYMFOLLOW 0x2000 /* ST_NOSYMFOLLOW in the kernel's include/linux/statfs.h: Linux 5.10 */

static bool in_own_root(const struct ep_lookup *w)
{
	return w->c->question->root == ERRPIPE_OWN_ROOT;
}

/* --- what is wrong ------------------------------------------------------------------------------------------ */

/* Copies at most size bytes, and no more than fit. */
static void copy(char to[PATH_MAX], const char *from, size_t size)
{
	size = strnlen(from, size < PATH_MAX ? size : PATH_MAX - 1);
	memcpy(to, from, size);
	to[size] = '\0';
}

/* The path as it was typed, unless a symbolic link leads there. */
static void set_subject(struct ep_lookup *w)
{
	if (w->depth == 0 && w->taken)
		copy(w->subject, w->path, w->taken);
	else
		copy(w->subject, *w->text ? w->text : "/", PATH_MAX);
}

/* Returns -1. The second walk does not change what the first has found. */
static int fail(struct ep_lookup *w, struct ep_finding finding)
{
	if (w->again)
		return -1;
	if (!finding.certainty)
		finding.certainty = ERRPIPE_CERTAIN;
	w->finding = finding;
	w->finding.subject = w->subject;
	copy(w->place, *w->text ? w->text : "/", PATH_MAX);
	set_subject(w);
	return -1;
}

static int fail_with(struct ep_lookup *w, enum errpipe_cause cause, int error)
{
	return fail(w, (struct ep_finding){ .cause = cause, .error = error });
}

/* errpipe itself cannot go on. The kernel's result is unknown. */
static int give_up(struct ep_lookup *w, struct ep_finding finding)
{
	finding.certainty = ERRPIPE_UNSURE;
	return fail(w, finding);
}

/* The kernel would go on where this look-up has no more room, or no more steps. */
static int exceed(struct ep_lookup *w, enum errpipe_detail which, uint64_t limit)
{
	return give_up(w,
		       (struct ep_finding){ .cause = ERRPIPE_CAUSE_LOOKUP_FAILED, .detail = which, .limit = limit });
}

/* A second walk finds the names of the symbolic links. */
static int fail_naming_symlinks(struct ep_lookup *w, struct ep_finding finding, int from, int to)
{
	finding.object = w->object;
	fail(w, finding);
	if (w->again)
		return -1;
	w->traced = w->part;
	w->from = from;
	w->to = to;
	return -1;
}

static int fail_at_symlinks(struct ep_lookup *w, enum errpipe_cause cause, int error, int from, int to)
{
	return fail_naming_symlinks(w, (struct ep_finding){ .cause = cause, .error = error }, from, to);
}

/* The number of the symbolic link whose target is being walked; 0: none. */
static int current_symlink(const struct ep_lookup *w)
{
	return w->depth ? w->target[w->depth - 1].symlink : 0;
}

static int missing(struct ep_lookup *w)
{
	int symlink = current_symlink(w);

	if (w->deleted)
		return fail_with(w, ERRPIPE_CAUSE_DELETED_CWD, ENOENT);
	if (symlink)
		return fail_at_symlinks(w, ERRPIPE_CAUSE_DANGLING_LINK, ENOENT, symlink, symlink);
	return fail_with(w, ERRPIPE_CAUSE_MISSING, ENOENT);
}

static const char *last_name(const struct ep_lookup *w)
{
	const char *slash = strrchr(w->text, '/');

	return slash ? slash + 1 : w->text;
}

static int name_too_long(struct ep_lookup *w, uint64_t limit)
{
	const char *name = last_name(w);

	fail(w, (struct ep_finding){
			.cause = ERRPIPE_CAUSE_NAME_TOO_LONG,
			.error = ENAMETOOLONG,
			.number = strlen(name),
			.limit = limit,
		});
	if (!w->again)
		copy(w->subject, name, 32);
	return -1;
}

static uint64_t longest_name(const struct ep_lookup *w)
{
	struct statfs fs;

	return fstatfs(w->fd, &fs) == 0 && fs.f_namelen > 0 ? (uint64_t)fs.f_namelen : NAME_MAX;
}

/* The caller may not, or cannot, look there. For the process that execs this may be different. */
static bool is_own_trouble(const struct ep_lookup *w, int error)
{
	if (error == EACCES || error == EPERM)
		return !w->c->own_identity;
	return ep_is_own_lack(w->c, error);
}

/* search() has checked the directory. EACCES can still come from a security module that checks each file. */
static int lookup_failed(struct ep_lookup *w, int error)
{
	uint64_t limit = error == ENAMETOOLONG ? longest_name(w) : 0;

	if (error == ENOENT)
		return missing(w);
	if (error == ENAMETOOLONG && strlen(last_name(w)) > limit)
		return name_too_long(w, limit);
	if (is_own_trouble(w, error))
		return give_up(w, (struct ep_finding){
					  .cause = ERRPIPE_CAUSE_CANNOT_LOOK,
					  .object = errpipe_errname(error),
					  .limit = ep_own_limit(error),
				  });
	return fail(w, (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_LOOKUP_FAILED,
			       .certainty = error == EACCES ? ERRPIPE_LIKELY : ERRPIPE_CERTAIN,
			       .error = error,
			       .object = errpipe_errname(error),
		       });
}

/* --- places ------------------------------------------------------------------------------------------------- */

/* The path has no symbolic links. One that is there now was made in the meantime. */
static int descend(struct ep_lookup *w, int root, char *path)
{
	int fd = ep_opened(fcntl(root, F_DUPFD_CLOEXEC, 3));

	while (fd >= 0 && *path) {
		size_t length = strcspn(path, "/");
		char end = path[length];
		int next = -ELOOP;

		path[length] = '\0';
		if (w->c->steps) {
			w->c->steps--;
			next = ep_opened(openat(fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		}
		path[length] = end;
		path += length + (end != '\0');
		close(fd);
		fd = next;
	}
	return fd;
}

/* Open a directory by its place in the root. */
static int open_place(struct ep_lookup *w, char *text)
{
	const struct errpipe_question *question = w->c->question;
	size_t length = 0;
	const struct errpipe_mount *mount = ep_mount_over(question, text, &length);
	int root = mount ? mount->source : w->c->root, fd;

	text += mount ? length : 0;
	if (!*text)
		return ep_opened(fcntl(root, F_DUPFD_CLOEXEC, 3));
	fd = ep_open_in_root(root, text + 1, EP_IN_ROOT | EP_NO_SYMLINKS | EP_NO_MAGICLINKS);
	return fd == -ENOSYS ? descend(w, root, text + 1) : fd;
}

/* Make fd the current directory or file, or fail if it is a negative errno. Returns 0 or -1. */
static int enter(struct ep_lookup *w, int fd)
{
	struct stat st;

	if (fd < 0)
		return lookup_failed(w, -fd);
	if (fstat(fd, &st) < 0) {
		int error = errno;

		close(fd);
		return lookup_failed(w, error);
	}
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	w->st = st;
	w->searchable = w->deleted = false;
	return 0;
}

/* A runtime creates the directories for its mounts, and the files that mask others. */
static int enter_made(struct ep_lookup *w, mode_t mode)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->st = (struct stat){ .st_mode = mode, .st_nlink = 1 };
	w->searchable = true;
	w->deleted = false;
	return 0;
}

/* Enter a place, or a directory that a later mount will create there. */
static int enter_place(struct ep_lookup *w, int fd)
{
	if (fd == -ENOENT && ep_mounts_below(w->c->question, w->text))
		return enter_made(w, S_IFDIR | 0755);
	return enter(w, fd);
}

/* With a mount on the root itself, runc uses the mounted file system, and crun refuses to start the container. */
static int enter_root(struct ep_lookup *w)
{
	*w->text = '\0';
	if (ep_mounts_root(w->c->question))
		return give_up(w, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_YET_MOUNTED });
	return enter(w, open_place(w, w->text));
}

/* After a jump, only /proc knows the path of a descriptor. */
static void locate(struct ep_lookup *w)
{
	ssize_t n = readlink(ep_fd_path(w->fd).text, w->text, PATH_MAX - 1);

	w->text[n < 0 ? 0 : n] = '\0';
	if (n < 0)
		strcpy(w->text, "(unknown)");
	else if (strcmp(w->text, "/") == 0)
		*w->text = '\0';
	w->jumped = true;
}

static void leave_name(struct ep_lookup *w)
{
	char *slash = strrchr(w->text, '/');

	if (slash)
		*slash = '\0';
}

/*
 * In the caller's own root, the kernel stops ".." at the root. In another root, the parent is opened by its name instead:
 * that stays within the root even if the directory is moved at this moment.
 */
static int go_up(struct ep_lookup *w)
{
	bool lost = *w->text && *w->text != '/'; /* as in getcwd(2): "(unreachable)" */
	int fd;

	if (!in_own_root(w) || w->c->question->mounts_count) {
		leave_name(w);
		return enter_place(w, open_place(w, w->text));
	}
	fd = ep_opened(openat(w->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
	leave_name(w);
	if (enter(w, fd) < 0)
		return -1;
	if (lost)
		locate(w);
	return 0;
}

/* --- symbolic links -------------------------------------------------------------------------------------------------- */

/* Writes "/a -> /b -> /a", or the beginning of it. */
static void note_circle(struct ep_lookup *w, int link)
{
	enum { ENOUGH = 256 };
	struct ep_line line = { w->object, sizeof(w->object), strlen(w->object) };
	bool fits = line.length + strlen(w->text) < ENOUGH;

	if (link < w->from || link > w->to)
		return;
	if (link == w->from)
		copy(w->subject, w->text, PATH_MAX);
	else
		ep_add(&line, " -> ");
	ep_add(&line, fits || link == w->from ? w->text : "...");
	ep_end(&line);
	if (!fits)
		w->to = link;
}

/* One too many. Usually the same one came before; the symbolic links between the two are the loop. */
static int too_many_symlinks(struct ep_lookup *w)
{
	int to, from;

	for (to = 0; to <= EP_SYMLINKS_MAX; to++) {
		for (from = 0; from < to; from++) {
			if (w->seen[from].dev == w->seen[to].dev && w->seen[from].ino == w->seen[to].ino)
				return fail_at_symlinks(w, ERRPIPE_CAUSE_LINK_LOOP, ELOOP, from + 1, to + 1);
		}
	}
	return fail_at_symlinks(w, ERRPIPE_CAUSE_LINK_LOOP, ELOOP, 1, to);
}

static bool symlinks_are_protected(void)
{
	char text[8];

	return ep_read_text(AT_FDCWD, "/proc/sys/fs/protected_symlinks", text, sizeof(text)) > 0 && *text != '0';
}

/* proc_sys_fs(5), may_follow_link() in fs/namei.c: only for the last component of the path, or of such a target. */
static bool is_protected(const struct ep_lookup *w, const struct stat *st)
{
	const mode_t tmp = S_ISVTX | S_IWOTH;

	return w->purpose == EP_AS_WHO && !w->rest[strspn(w->rest, "/")] && (w->st.st_mode & tmp) == tmp &&
	       st->st_uid != w->c->who.uid && st->st_uid != w->st.st_uid && symlinks_are_protected();
}

/*
 * A symbolic link that the kernel makes up. For a child of the caller it leads to the same file, unless it is "exe". In
 * another root it belongs to processes that are unknown here.
 */
static int jump(struct ep_lookup *w)
{
	int fd;

	if (!in_own_root(w) || strcmp(last_name(w), "exe") == 0)
		return give_up(w, (struct ep_finding){ .cause = ERRPIPE_CAUSE_MAGIC_LINK });
	fd = ep_opened(openat(w->fd, last_name(w), O_PATH | O_CLOEXEC));
	if (enter(w, fd) < 0)
		return -1;
	locate(w);
	return 0;
}

/* Puts the target before the rest. Returns its length, or -1. */
static ssize_t read_target(struct ep_lookup *w, int fd)
{
	char *place;
	ssize_t n;

	if (w->rest - w->room < PATH_MAX)
		return exceed(w, ERRPIPE_DETAIL_LONG_TARGETS, 0);
	place = w->rest - PATH_MAX;
	n = readlinkat(fd, "", place, PATH_MAX);
	if (n < 0)
		return lookup_failed(w, errno);
	if (n == PATH_MAX)
		return fail_with(w, ERRPIPE_CAUSE_LOOKUP_FAILED, ENAMETOOLONG);
	n = strnlen(place, n);
	w->rest -= n;
	memmove(w->rest, place, n);
	return n;
}

static int go_on_at_target(struct ep_lookup *w, int fd)
{
	size_t end = w->room + sizeof(w->room) - w->rest;
	ssize_t n = read_target(w, fd);

	if (n < 0)
		return -1;
	if (w->again && w->from == w->symlinks && w->part == w->traced &&
	    w->finding.cause == ERRPIPE_CAUSE_DANGLING_LINK) {
		copy(w->subject, w->text, PATH_MAX);
		copy(w->object, w->rest, n);
		return -1;
	}
	if (w->again && w->from == w->symlinks && w->part == w->traced &&
	    w->finding.cause == ERRPIPE_CAUSE_UNSEARCHABLE) {
		copy(w->object, w->text, PATH_MAX);
		return -1;
	}
	w->target[w->depth].symlink = w->symlinks;
	w->target[w->depth++].end = end;
	if (*w->rest == '/' && n)
		return enter_root(w);
	leave_name(w);
	return 0;
}

static int not_followed(struct ep_lookup *w, int error, enum errpipe_detail why)
{
	return fail(w, (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_LOOKUP_FAILED,
			       .error = error,
			       .object = errpipe_errname(error),
			       .detail = why,
		       });
}

/* In the order of pick_link() in fs/namei.c. */
static int follow(struct ep_lookup *w, int fd, const struct stat *st)
{
	struct statfs fs;

	w->seen[w->symlinks].dev = st->st_dev;
	w->seen[w->symlinks].ino = st->st_ino;
	if (w->again && w->part == w->traced && w->finding.cause == ERRPIPE_CAUSE_LINK_LOOP)
		note_circle(w, w->symlinks + 1);
	if (w->symlinks == EP_SYMLINKS_MAX)
		return too_many_symlinks(w);
	w->symlinks++;
	if (is_protected(w, st))
		return not_followed(w, EACCES, ERRPIPE_DETAIL_PROTECTED_SYMLINKS);
	if (fstatfs(fd, &fs) < 0)
		memset(&fs, 0, sizeof(fs));
	if (fs.f_flags & MOUNT_NOSYMFOLLOW)
		return not_followed(w, ELOOP, ERRPIPE_DETAIL_NOSYMFOLLOW);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return jump(w);
	return go_on_at_target(w, fd);
}

/* --- steps -------------------------------------------------------------------------------------------------- */

static int search(struct ep_lookup *w)
{
	struct ep_finding denied = { .cause = ERRPIPE_CAUSE_UNSEARCHABLE, .error = EACCES };

	if (w->searchable || w->purpose == EP_FOR_HINT || w->part == EP_PART_CWD)
		return 0;
	switch (ep_access(w->c, w->fd, &w->st, &denied)) {
	case EP_REFUSED:
		return fail_with(w, ERRPIPE_CAUSE_SECURITY_MODULE, EACCES);
	case EP_MAY_NOT:
		return current_symlink(w) ? fail_naming_symlinks(w, denied, current_symlink(w), current_symlink(w))
					  : fail(w, denied);
	case EP_MAY:
		break;
	}
	w->searchable = true;
	return 0;
}

/* Open the file that text, with the name at its end, stands for. Returns a descriptor, or a negative errno. */
static int open_below(struct ep_lookup *w, const struct errpipe_mount *mount)
{
	if (mount)
		return ep_opened(fcntl(mount->source, F_DUPFD_CLOEXEC, 3));
	if (w->fd < 0)
		return -ENOENT;
	return ep_opened(openat(w->fd, last_name(w), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

static const struct errpipe_mount *mount_at(const struct ep_lookup *w)
{
	size_t length;
	const struct errpipe_mount *mount = ep_mount_over(w->c->question, w->text, &length);

	return mount && !w->text[length] ? mount : NULL;
}

static bool is(const char *name, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(name, what, size) == 0;
}

/* Does the rest of the path stay on this file system? A symbolic link on it can still lead elsewhere. */
static bool ends_here(const struct ep_lookup *w)
{
	const char *name = w->rest;
	size_t size;

	if (w->part == EP_PART_CWD || ep_mounts_below(w->c->question, w->text))
		return false;
	for (name += strspn(name, "/"); *name; name += size + strspn(name + size, "/")) {
		size = strcspn(name, "/");
		if (is(name, size, ".."))
			return false;
	}
	return true;
}

/*
 * Nothing can be executed on a file system that will be mounted noexec, whether the file exists or not. If an exec was tried,
 * the source of the mount must have existed.
 */
static int not_yet_mounted(struct ep_lookup *w, const struct errpipe_mount *mount)
{
	const struct errpipe_report *report = w->c->question->report;

	if (mount->source == -ENOENT && !report)
		return fail_with(w, ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING, ENOENT);
	if (!mount->noexec || !ends_here(w) || (report && report->error != EACCES))
		return give_up(w, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_YET_MOUNTED });
	return fail(w, (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_NOEXEC_MOUNT,
			       .certainty = ERRPIPE_LIKELY,
			       .error = EACCES,
			       .detail = ERRPIPE_DETAIL_CONFIGURED_MOUNT,
		       });
}

static int go_down(struct ep_lookup *w, const char *name, size_t size)
{
	size_t length = strlen(w->text);
	const struct errpipe_mount *mount;
	struct stat st;
	int fd, ret;

	snprintf(w->text + length, sizeof(w->text) - length, "/%.*s", (int)size, name);
	mount = mount_at(w);
	if (mount && mount->masked)
		return enter_made(w, mount->empty ? S_IFDIR | 0755 : S_IFCHR | 0666);
	if (mount && mount->empty && ep_mounts_below(w->c->question, w->text))
		return enter_made(w, S_IFDIR | 0755);
	if (mount && mount->source <= 0)
		return not_yet_mounted(w, mount);
	fd = open_below(w, mount);
	if (fd < 0)
		return enter_place(w, fd);
	if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
		ret = follow(w, fd, &st);
		close(fd);
		return ret;
	}
	if (strlen(w->text) >= PATH_MAX) {
		close(fd);
		return exceed(w, ERRPIPE_DETAIL_DEEP_PLACE, 0);
	}
	return enter(w, fd);
}

static size_t left(const struct ep_lookup *w, const char *at)
{
	return w->room + sizeof(w->room) - at;
}

/* Returns 1, or 0 where it ends, or -1. */
static int step(struct ep_lookup *w)
{
	const char *name = w->rest + strspn(w->rest, "/");
	size_t size = strcspn(name, "/");

	if (!*w->rest)
		return 0;
	if (!S_ISDIR(w->st.st_mode))
		return fail_with(w, ERRPIPE_CAUSE_FILE_AS_DIRECTORY, ENOTDIR);
	if (!size)
		return 0;
	if (w->c->steps == 0)
		return exceed(w, ERRPIPE_DETAIL_MANY_STEPS, EP_STEPS_MAX);
	w->c->steps--;
	if (search(w) < 0)
		return -1;
	while (w->depth && left(w, name) <= w->target[w->depth - 1].end)
		w->depth--;
	w->rest += name - w->rest + size;
	w->taken = strlen(w->path) + 1 - left(w, w->rest);
	if (is(name, size, "."))
		return 1;
	return (is(name, size, "..") ? go_up(w) : go_down(w, name, size)) < 0 ? -1 : 1;
}

/* From where it is now, or from the root. */
static int go(struct ep_lookup *w, enum ep_part part, const char *path)
{
	size_t size = strlen(path) + 1;
	int ret;

	w->part = part;
	w->path = path;
	w->taken = 0;
	w->symlinks = w->depth = 0;
	w->rest = w->room + sizeof(w->room) - size;
	memcpy(w->rest, path, size);
	if (*path == '/' && enter_root(w) < 0)
		return -1;
	do
		ret = step(w);
	while (ret > 0);
	return ret;
}

/* getcwd(2) returns ENOENT for a deleted directory. libc's getcwd(3) returns it also for an unreachable one. */
static int enter_own_cwd(struct ep_lookup *w)
{
	int fd = ep_opened(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	long n;

	strcpy(w->text, "(unknown)");
	if (enter(w, fd) < 0)
		return -1;
	n = syscall(SYS_getcwd, w->text, (size_t)PATH_MAX);
	w->deleted = n < 0 && errno == ENOENT;
	if (n < 0)
		strcpy(w->text, w->deleted ? "(deleted)" : "(unknown)");
	else if (strcmp(w->text, "/") == 0)
		*w->text = '\0';
	return 0;
}

/* Only for a relative path. The process need not be able to search the way to its working directory. */
static int go_to_cwd(struct ep_lookup *w)
{
	const char *cwd = w->c->question->cwd;
	int ret;

	if (in_own_root(w) && (!cwd || *cwd != '/'))
		ret = enter_own_cwd(w);
	else
		ret = enter_root(w);
	return ret < 0 || !cwd || !*cwd ? ret : go(w, EP_PART_CWD, cwd);
}

static int go_all_the_way(struct ep_lookup *w, const char *path)
{
	if (*path != '/' && go_to_cwd(w) < 0)
		return -1;
	return go(w, EP_PART_PATH, path);
}

static int check_length(struct ep_lookup *w, const char *path)
{
	size_t length = strlen(path);

	if (length == 0)
		fail_with(w, ERRPIPE_CAUSE_EMPTY_PATH, ENOENT);
	else if (length >= PATH_MAX)
		fail_with(w, ERRPIPE_CAUSE_PATH_TOO_LONG, ENAMETOOLONG);
	else
		return 0;
	*w->subject = '\0';
	w->finding.number = length;
	w->finding.limit = PATH_MAX - 1;
	return -1;
}

static void leave(struct ep_lookup *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

int ep_lookup(struct ep_lookup *w, struct ep_check *c, const char *path, enum ep_purpose purpose)
{
	const char *cwd = c->question->cwd;

	memset(w, 0, sizeof(*w));
	w->c = c;
	w->purpose = purpose;
	w->fd = -1;
	if (check_length(w, path) < 0 || (*path != '/' && cwd && *cwd && check_length(w, cwd) < 0))
		return -1;
	if (go_all_the_way(w, path) == 0)
		return 0;
	leave(w);
	if (w->from) {
		w->again = true;
		go_all_the_way(w, path);
		leave(w);
	}
	return -1;
}

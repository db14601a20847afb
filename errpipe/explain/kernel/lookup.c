/* SPDX-License-Identifier: MIT */
/*
 * A path is looked up as the kernel does it (link_path_walk() and open_last_lookups() in fs/namei.c), step by step, to
 * see at which one it goes wrong. No step follows a link or goes up by the kernel, so none can lead out of the root.
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

static bool in_own_root(const struct ep_walk *w)
{
	return w->c->question->root == ERRPIPE_OWN_ROOT;
}

/* --- what is wrong ------------------------------------------------------------------------------------------ */

/* Cut after so many bytes, and where there is no more room. */
static void copy(char to[PATH_MAX], const char *from, size_t size)
{
	size = strnlen(from, size < PATH_MAX ? size : PATH_MAX - 1);
	memcpy(to, from, size);
	to[size] = '\0';
}

/* As it was typed, unless it is a link that leads there. */
static void set_subject(struct ep_walk *w)
{
	if (w->depth == 0 && w->taken)
		copy(w->subject, w->path, w->taken);
	else
		copy(w->subject, *w->text ? w->text : "/", PATH_MAX);
}

/* Returns -1. The second walk changes nothing of what the first has found. */
static int fail(struct ep_walk *w, enum errpipe_cause cause, int error)
{
	if (w->again)
		return -1;
	w->cause = cause;
	w->certainty = ERRPIPE_CERTAIN;
	w->error = error;
	set_subject(w);
	return -1;
}

static int fail_with(struct ep_walk *w, enum errpipe_cause cause, int error, const char *object)
{
	fail(w, cause, error);
	if (!w->again)
		w->object = object;
	return -1;
}

/* It is errpipe that cannot go on. What the kernel would do is not known. */
static int give_up(struct ep_walk *w, enum errpipe_cause cause, const char *object)
{
	fail_with(w, cause, 0, object);
	if (!w->again)
		w->certainty = ERRPIPE_UNSURE;
	return -1;
}

/* What the links from one to another are called is left to a second walk. */
static int fail_at_links(struct ep_walk *w, enum errpipe_cause cause, int error, int from, int to)
{
	fail_with(w, cause, error, w->words);
	if (w->again)
		return -1;
	w->traced = w->part;
	w->from = from;
	w->to = to;
	return -1;
}

static int missing(struct ep_walk *w)
{
	int link = w->depth ? w->target[w->depth - 1].link : 0;

	if (w->deleted)
		return fail(w, ERRPIPE_CAUSE_DELETED_CWD, ENOENT);
	if (link)
		return fail_at_links(w, ERRPIPE_CAUSE_DANGLING_LINK, ENOENT, link, link);
	return fail(w, ERRPIPE_CAUSE_MISSING, ENOENT);
}

static const char *last_name(const struct ep_walk *w)
{
	const char *slash = strrchr(w->text, '/');

	return slash ? slash + 1 : w->text;
}

static int name_too_long(struct ep_walk *w, uint64_t limit)
{
	const char *name = last_name(w);

	fail(w, ERRPIPE_CAUSE_NAME_TOO_LONG, ENAMETOOLONG);
	if (w->again)
		return -1;
	w->number = strlen(name);
	w->limit = limit;
	copy(w->subject, name, 32);
	return -1;
}

static uint64_t longest_name(const struct ep_walk *w)
{
	struct statfs fs;

	return fstatfs(w->fd, &fs) == 0 && fs.f_namelen > 0 ? (uint64_t)fs.f_namelen : NAME_MAX;
}

/* The caller lacks what it takes to look there: for who execs that may be different. */
static bool is_own_trouble(const struct ep_walk *w, int error)
{
	if (error == EACCES || error == EPERM)
		return !w->c->own_identity;
	return ep_is_own_lack(w->c, error);
}

/* search() has asked about the directory. EACCES can still come from a security module that looks at each file. */
static int lookup_failed(struct ep_walk *w, int error)
{
	uint64_t limit = error == ENAMETOOLONG ? longest_name(w) : 0;

	if (error == ENOENT)
		return missing(w);
	if (error == ENAMETOOLONG && strlen(last_name(w)) > limit)
		return name_too_long(w, limit);
	if (is_own_trouble(w, error)) {
		give_up(w, ERRPIPE_CAUSE_CANNOT_LOOK, errpipe_errname(error));
		w->limit = ep_own_limit(error);
		return -1;
	}
	fail_with(w, ERRPIPE_CAUSE_LOOKUP_FAILED, error, errpipe_errname(error));
	if (error == EACCES && !w->again)
		w->certainty = ERRPIPE_LIKELY;
	return -1;
}

/* --- places ------------------------------------------------------------------------------------------------- */

/* linux/openat2.h: Linux 5.6. */
struct how {
	uint64_t flags, mode, resolve;
};

/* Somebody renamed something while "..", which must not lead out, was looked up (openat2(2)). */
enum { TRIES = 8 };

int ep_open_in_root(int root, const char *path, unsigned resolve)
{
#ifdef SYS_openat2
	const struct how how = { O_PATH | O_CLOEXEC, 0, resolve };
	int fd = -EAGAIN;

	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = ep_opened(syscall(SYS_openat2, root, path, &how, sizeof(how)));
	/* EPERM: older seccomp profiles of containers. E2BIG, EINVAL: it is not known in this form. */
	return fd == -EPERM || fd == -E2BIG || fd == -EINVAL ? -ENOSYS : fd;
#else
	(void)root;
	(void)path;
	(void)resolve;
	return -ENOSYS;
#endif
}

/* There are no links: if there is one now, somebody has put it there meanwhile. */
static int descend(struct ep_walk *w, int root, char *path)
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
static int open_place(struct ep_walk *w, char *text)
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

/* Be there from now on. Takes a descriptor, or a negative errno. Returns 0 or -1. */
static int enter(struct ep_walk *w, int fd)
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

/* Where runtimes mount something they make directories for that. */
static int enter_made_directory(struct ep_walk *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->st = (struct stat){ .st_mode = S_IFDIR | 0755, .st_nlink = 2 };
	w->searchable = true;
	w->deleted = false;
	return 0;
}

/* The same, by what is there, and what will be. */
static int enter_place(struct ep_walk *w, int fd)
{
	if (fd == -ENOENT && ep_mounts_below(w->c->question, w->text))
		return enter_made_directory(w);
	return enter(w, fd);
}

/* With a mount on the root itself, runc shows what is mounted there, and crun refuses to start the container. */
static int enter_root(struct ep_walk *w)
{
	*w->text = '\0';
	if (ep_mounts_root(w->c->question))
		return give_up(w, ERRPIPE_CAUSE_NOT_YET_MOUNTED, NULL);
	return enter(w, open_place(w, w->text));
}

/* Where a descriptor leads: after a jump only /proc knows. */
static void locate(struct ep_walk *w)
{
	char proc[sizeof("/proc/self/fd/") + EP_DECIMAL];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", w->fd);
	n = readlink(proc, w->text, PATH_MAX - 1);
	w->text[n < 0 ? 0 : n] = '\0';
	if (n < 0)
		strcpy(w->text, "(unknown)");
	else if (strcmp(w->text, "/") == 0)
		*w->text = '\0';
	w->jumped = true;
}

static void leave_name(struct ep_walk *w)
{
	char *slash = strrchr(w->text, '/');

	if (slash)
		*slash = '\0';
}

/*
 * The own root ends where the kernel lets it end. Another one has no such end: there it is the parent by its name, and
 * not the "..", that is within the root for sure, even if somebody moves the directory meanwhile.
 */
static int go_up(struct ep_walk *w)
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

/* --- links -------------------------------------------------------------------------------------------------- */

/* As "/a -> /b -> /a", or as much of that as one wants to read. */
static void note_circle(struct ep_walk *w, int link)
{
	enum { ENOUGH = 256 };
	struct ep_line line = { w->words, sizeof(w->words), strlen(w->words) };
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

/* One too many. Mostly one has come before; the way from there to there is the circle. */
static int too_many_links(struct ep_walk *w)
{
	int to, from;

	for (to = 0; to <= EP_LINKS; to++) {
		for (from = 0; from < to; from++) {
			if (w->seen[from].dev == w->seen[to].dev && w->seen[from].ino == w->seen[to].ino)
				return fail_at_links(w, ERRPIPE_CAUSE_LINK_LOOP, ELOOP, from + 1, to + 1);
		}
	}
	return fail_at_links(w, ERRPIPE_CAUSE_LINK_LOOP, ELOOP, 1, to);
}

static bool symlinks_are_protected(void)
{
	char text[8];

	return ep_read_text(AT_FDCWD, "/proc/sys/fs/protected_symlinks", text, sizeof(text)) > 0 && *text != '0';
}

/* proc_sys_fs(5), may_follow_link() in fs/namei.c: only where the path, or the target of such a link, ends. */
static bool is_protected(const struct ep_walk *w, const struct stat *st)
{
	const mode_t tmp = S_ISVTX | S_IWOTH;

	return w->purpose == EP_AS_WHO && !w->rest[strspn(w->rest, "/")] && (w->st.st_mode & tmp) == tmp &&
	       st->st_uid != w->c->who.uid && st->st_uid != w->st.st_uid && symlinks_are_protected();
}

/*
 * A link that the kernel makes up. A child of the caller finds the same behind it, unless it is about the program that
 * it runs. Another root's is about processes that are not known here.
 */
static int jump(struct ep_walk *w)
{
	int fd;

	if (!in_own_root(w) || strcmp(last_name(w), "exe") == 0)
		return give_up(w, ERRPIPE_CAUSE_MAGIC_LINK, NULL);
	fd = ep_opened(openat(w->fd, last_name(w), O_PATH | O_CLOEXEC));
	if (enter(w, fd) < 0)
		return -1;
	locate(w);
	return 0;
}

/* Puts the target before the rest. Returns its length, or -1. */
static ssize_t read_target(struct ep_walk *w, int fd)
{
	char *place;
	ssize_t n;

	if (w->rest - w->room < PATH_MAX)
		return give_up(w, ERRPIPE_CAUSE_LOOKUP_FAILED, "with links whose targets are too long");
	place = w->rest - PATH_MAX;
	n = readlinkat(fd, "", place, PATH_MAX);
	if (n < 0)
		return lookup_failed(w, errno);
	if (n == PATH_MAX)
		return fail(w, ERRPIPE_CAUSE_LOOKUP_FAILED, ENAMETOOLONG);
	n = strnlen(place, n);
	w->rest -= n;
	memmove(w->rest, place, n);
	return n;
}

static int go_on_at_target(struct ep_walk *w, int fd)
{
	size_t end = w->room + sizeof(w->room) - w->rest;
	ssize_t n = read_target(w, fd);

	if (n < 0)
		return -1;
	if (w->again && w->from == w->links && w->part == w->traced && w->cause == ERRPIPE_CAUSE_DANGLING_LINK) {
		copy(w->subject, w->text, PATH_MAX);
		copy(w->words, w->rest, n);
		return -1;
	}
	w->target[w->depth].link = w->links;
	w->target[w->depth++].end = end;
	if (*w->rest == '/' && n)
		return enter_root(w);
	leave_name(w);
	return 0;
}

/* In this order: pick_link() in fs/namei.c. */
static int follow(struct ep_walk *w, int fd, const struct stat *st)
{
	struct statfs fs;

	w->seen[w->links].dev = st->st_dev;
	w->seen[w->links].ino = st->st_ino;
	if (w->again && w->part == w->traced && w->cause == ERRPIPE_CAUSE_LINK_LOOP)
		note_circle(w, w->links + 1);
	if (w->links == EP_LINKS)
		return too_many_links(w);
	w->links++;
	if (is_protected(w, st))
		return fail_with(w, ERRPIPE_CAUSE_LOOKUP_FAILED, EACCES, "EACCES (fs.protected_symlinks)");
	if (fstatfs(fd, &fs) < 0)
		memset(&fs, 0, sizeof(fs));
	if (fs.f_flags & MOUNT_NOSYMFOLLOW)
		return fail_with(w, ERRPIPE_CAUSE_LOOKUP_FAILED, ELOOP, "ELOOP (mounted nosymfollow)");
	if (fs.f_type == PROC_SUPER_MAGIC)
		return jump(w);
	return go_on_at_target(w, fd);
}

/* --- steps -------------------------------------------------------------------------------------------------- */

static int search(struct ep_walk *w)
{
	const char *whom = NULL;

	if (w->searchable || w->purpose == EP_TO_LOOK || w->part == EP_PART_CWD)
		return 0;
	switch (ep_access(w->c, w->fd, &w->st, &whom)) {
	case EP_REFUSED:
		return fail(w, ERRPIPE_CAUSE_SECURITY_MODULE, EACCES);
	case EP_MAY_NOT:
		return fail_with(w, ERRPIPE_CAUSE_UNSEARCHABLE, EACCES, whom);
	case EP_MAY:
		break;
	}
	w->searchable = true;
	return 0;
}

/* What the text that has now a name at its end stands for. Returns a descriptor, or a negative errno. */
static int open_below(struct ep_walk *w, const struct errpipe_mount *mount)
{
	if (mount)
		return ep_opened(fcntl(mount->source, F_DUPFD_CLOEXEC, 3));
	if (w->fd < 0)
		return -ENOENT;
	return ep_opened(openat(w->fd, last_name(w), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

static const struct errpipe_mount *mount_at(const struct ep_walk *w)
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
static bool ends_here(const struct ep_walk *w)
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

/* On a noexec file system that will be mounted, nothing can be executed, whether the file exists or not. */
static int not_yet_mounted(struct ep_walk *w, const struct errpipe_mount *mount)
{
	const struct errpipe_report *report = w->c->question->report;

	if (!mount->noexec || !ends_here(w) || (report && report->error != EACCES))
		return give_up(w, ERRPIPE_CAUSE_NOT_YET_MOUNTED, NULL);
	fail(w, ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES);
	if (!w->again)
		w->certainty = ERRPIPE_LIKELY;
	return -1;
}

static int go_down(struct ep_walk *w, const char *name, size_t size)
{
	size_t length = strlen(w->text);
	const struct errpipe_mount *mount;
	struct stat st;
	int fd, ret;

	snprintf(w->text + length, sizeof(w->text) - length, "/%.*s", (int)size, name);
	mount = mount_at(w);
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
		return give_up(w, ERRPIPE_CAUSE_LOOKUP_FAILED, "with a place that is too deep");
	}
	return enter(w, fd);
}

static size_t left(const struct ep_walk *w, const char *at)
{
	return w->room + sizeof(w->room) - at;
}

/* Returns 1, or 0 where it ends, or -1. */
static int step(struct ep_walk *w)
{
	const char *name = w->rest + strspn(w->rest, "/");
	size_t size = strcspn(name, "/");

	if (!*w->rest)
		return 0;
	if (!S_ISDIR(w->st.st_mode))
		return fail(w, ERRPIPE_CAUSE_FILE_AS_DIRECTORY, ENOTDIR);
	if (!size)
		return 0;
	if (w->c->steps == 0)
		return give_up(w, ERRPIPE_CAUSE_LOOKUP_FAILED, "nothing within the steps that were made");
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
static int go(struct ep_walk *w, enum ep_part part, const char *path)
{
	size_t size = strlen(path) + 1;
	int ret;

	w->part = part;
	w->path = path;
	w->taken = 0;
	w->links = w->depth = 0;
	w->rest = w->room + sizeof(w->room) - size;
	memcpy(w->rest, path, size);
	if (*path == '/' && enter_root(w) < 0)
		return -1;
	do
		ret = step(w);
	while (ret > 0);
	return ret;
}

/* getcwd(2): of a deleted directory the kernel says ENOENT. libc's getcwd(3) says that of an unreachable one, too. */
static int enter_own_cwd(struct ep_walk *w)
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

/* Only a relative path makes a difference here. The working directory itself need not be reachable for who execs. */
static int go_to_cwd(struct ep_walk *w)
{
	const char *cwd = w->c->question->cwd;
	int ret;

	if (in_own_root(w) && (!cwd || *cwd != '/'))
		ret = enter_own_cwd(w);
	else
		ret = enter_root(w);
	return ret < 0 || !cwd || !*cwd ? ret : go(w, EP_PART_CWD, cwd);
}

static int go_all_the_way(struct ep_walk *w, const char *path)
{
	if (*path != '/' && go_to_cwd(w) < 0)
		return -1;
	return go(w, EP_PART_PATH, path);
}

static int check_length(struct ep_walk *w, const char *path)
{
	size_t length = strlen(path);

	if (length == 0)
		fail(w, ERRPIPE_CAUSE_EMPTY_PATH, ENOENT);
	else if (length >= PATH_MAX)
		fail(w, ERRPIPE_CAUSE_PATH_TOO_LONG, ENAMETOOLONG);
	else
		return 0;
	*w->subject = '\0';
	w->number = length;
	w->limit = PATH_MAX - 1;
	return -1;
}

static void leave(struct ep_walk *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

int ep_walk(struct ep_walk *w, struct ep_case *c, const char *path, enum ep_purpose purpose)
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

/* SPDX-License-Identifier: MIT */
/* The file that a path leads to, or why it leads to none. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "explain/kernel/lookup.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */

static bool is_own_root(const struct ep_case *c)
{
	return c->question->root == ERRPIPE_OWN_ROOT;
}

/* --- what the kernel says ----------------------------------------------------------------------------------- */

/* In the own root nothing has to be held back, so it is just what an exec would do. */
static int ask_in_own_root(struct ep_case *c, const char *path)
{
	const char *cwd = c->question->cwd;
	int base, fd;

	if (*path == '/' || !cwd || !*cwd)
		return ep_opened(open(path, O_PATH | O_CLOEXEC));
	base = ep_opened(open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (base < 0)
		return base;
	fd = ep_opened(openat(base, path, O_PATH | O_CLOEXEC));
	close(base);
	return fd;
}

/*
 * RESOLVE_IN_ROOT makes the directory that it is given the root. So a working directory cannot be given as well: it goes
 * before the path, and its links count with those of the path.
 */
static int ask_in_root(struct ep_case *c, const char *path)
{
	const char *cwd = *path == '/' || !c->question->cwd ? "" : c->question->cwd;
	char joined[PATH_MAX];

	if (strlen(cwd) + 1 + strlen(path) >= sizeof(joined))
		return -ENOSYS;
	snprintf(joined, sizeof(joined), "%s/%s", cwd, path);
	return ep_open_in_root(c->root, joined, EP_IN_ROOT | EP_NO_MAGICLINKS);
}

/*
 * Before the walk, as this mounts what an automounter has on the way, and the walk does not. Returns a descriptor or a
 * negative errno: -ENOSYS if the kernel cannot be asked.
 */
static int ask_kernel(struct ep_case *c, const char *path)
{
	if (c->question->mounts_count || !*path)
		return -ENOSYS;
	return is_own_root(c) ? ask_in_own_root(c, path) : ask_in_root(c, path);
}

/* Errors that need not be those of the exec: of how it was asked, or of who has asked. */
static bool says_nothing(int error)
{
	static const int errors[] = { ENOSYS, EAGAIN, EACCES, EPERM, ELOOP, EXDEV, EMFILE, ENFILE, ENOMEM };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i] == error)
			return true;
	}
	return false;
}

/* What the walk has found does not depend on who it is. */
static bool kernel_disagrees(const struct ep_walk *w, int asked)
{
	static const enum errpipe_cause plain[] = { ERRPIPE_CAUSE_MISSING, ERRPIPE_CAUSE_DANGLING_LINK,
						    ERRPIPE_CAUSE_FILE_AS_DIRECTORY, ERRPIPE_CAUSE_NAME_TOO_LONG,
						    ERRPIPE_CAUSE_LINK_LOOP };

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (w->cause == plain[i])
			return asked >= 0 || (asked != -w->error && !says_nothing(-asked));
	}
	return false;
}

static bool is_same_file(int fd, const struct stat *st)
{
	struct stat other;

	return fstat(fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* --- what the walk says ------------------------------------------------------------------------------------- */

static const char *kept(struct ep_case *c, const char *text)
{
	return text && *text ? ep_keep(c, "%s", text) : NULL;
}

static const char *active_modules(struct ep_case *c)
{
	ep_modules(c);
	return c->ex->modules;
}

static int tell(struct ep_case *c, const struct errpipe_link *link, const struct ep_walk *w, int asked)
{
	const char *object = w->object == w->words ? ep_keep(c, "%s", w->words) : w->object;

	if (w->cause == ERRPIPE_CAUSE_SECURITY_MODULE)
		object = active_modules(c);
	ep_broken(c, link, w->cause, w->error, kept(c, w->subject), object, w->number, w->limit);
	c->ex->certainty = w->certainty;
	if (w->certainty == ERRPIPE_CERTAIN && kernel_disagrees(w, asked))
		c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

/* --- the file ----------------------------------------------------------------------------------------------- */

static const char *type_words(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *words;
	} types[] = {
		{ S_IFDIR, "a directory" },	   { S_IFIFO, "a FIFO" },	  { S_IFSOCK, "a socket" },
		{ S_IFCHR, "a character device" }, { S_IFBLK, "a block device" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if ((mode & S_IFMT) == types[i].type)
			return types[i].words;
	}
	return "of an unknown type";
}

/* What /proc tells of where a descriptor leads need not be a path. */
static bool leads_there(const char *text, const struct stat *st)
{
	struct stat other;

	return lstat(text, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static const char *resolved(struct ep_case *c, const struct ep_walk *w)
{
	if (*w->text && *w->text != '/')
		return NULL;
	if (w->jumped && !leads_there(*w->text ? w->text : "/", &w->st))
		return NULL;
	return ep_keep(c, "%s", *w->text ? w->text : "/");
}

static void look_at_mount(struct ep_case *c, struct errpipe_link *link, const struct ep_walk *w, int fd)
{
	size_t length;
	const struct errpipe_mount *mount = ep_mount_over(c->question, w->text, &length);
	struct statvfs fs;

	if (mount) {
		link->noexec = !!mount->noexec;
		link->nosuid = !!mount->nosuid;
	} else if (fstatvfs(fd, &fs) == 0) {
		link->noexec = !!(fs.f_flag & ST_NOEXEC);
		link->nosuid = !!(fs.f_flag & ST_NOSUID);
	}
	if (!link->noexec && !(link->nosuid && link->mode & (S_ISUID | S_ISGID)))
		return;
	link->mount = mount ? ep_keep(c, "%s", mount->at) : ep_mount_point(c, fd);
}

static void look_at(struct ep_case *c, struct errpipe_link *link, const struct ep_walk *w, int fd)
{
	link->resolved = resolved(c, w);
	link->mode = w->st.st_mode;
	link->uid = w->st.st_uid;
	link->gid = w->st.st_gid;
	link->size = w->st.st_size;
	link->acl = ep_has_acl(fd);
	look_at_mount(c, link, w, fd);
}

/* In this order: may_open() in fs/namei.c. */
static int check_file(struct ep_case *c, const struct errpipe_link *link, const struct stat *st, int fd)
{
	const char *whom = NULL;

	if (!S_ISREG(st->st_mode))
		return ep_broken(c, link, ERRPIPE_CAUSE_NOT_A_FILE, EACCES, link->resolved, type_words(st->st_mode),
				 0, 0);
	if (link->noexec)
		return ep_broken(c, link, ERRPIPE_CAUSE_NOEXEC_MOUNT, EACCES, link->mount, NULL, 0, 0);
	switch (ep_access(c, fd, st, &whom)) {
	case EP_MAY_NOT:
		return ep_broken(c, link, ERRPIPE_CAUSE_NOT_EXECUTABLE, EACCES, link->resolved, whom, 0, 0);
	case EP_REFUSED:
		return ep_broken(c, link, ERRPIPE_CAUSE_SECURITY_MODULE, EACCES, link->resolved, active_modules(c), 0,
				 0);
	case EP_MAY:
		break;
	}
	return 0;
}

/* Of the two descriptors, the one to go on with. The other is closed. */
static int choose(struct ep_case *c, const struct ep_walk *w, int asked)
{
	if (asked >= 0 && is_same_file(asked, &w->st)) {
		close(w->fd);
		return asked;
	}
	if (asked >= 0)
		close(asked);
	if (asked >= 0 || !says_nothing(-asked))
		c->ex->certainty = ERRPIPE_LIKELY;
	return w->fd;
}

int ep_find(struct ep_case *c, struct errpipe_link *link)
{
	struct ep_walk w;
	int asked = ask_kernel(c, link->path), fd;

	if (ep_walk(&w, c, link->path, EP_AS_WHO) < 0) {
		if (asked >= 0)
			close(asked);
		return tell(c, link, &w, asked);
	}
	fd = choose(c, &w, asked);
	look_at(c, link, &w, fd);
	if (check_file(c, link, &w.st, fd) == 0)
		return fd;
	close(fd);
	return -1;
}

bool ep_exists(struct ep_case *c, const char *path)
{
	struct ep_walk w;

	if (ep_walk(&w, c, path, EP_TO_LOOK) < 0)
		return false;
	close(w.fd);
	return true;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

enum { READ_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

/* The descriptor itself, by its name in a /proc that is one. Returns a descriptor or a negative errno. */
static int open_by_proc(const struct ep_case *c, int path_fd)
{
	int proc = ep_opened(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)), fd = -ENOSYS;
	char name[EP_DECIMAL];
	struct statfs fs;

	if (proc < 0)
		return ep_is_own_lack(c, -proc) ? proc : -ENOSYS;
	if (fstatfs(proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		fd = ep_opened(openat(proc, ep_decimal(name, path_fd), READ_FLAGS));
	close(proc);
	return fd;
}

/*
 * Without /proc a file can only be opened by its name. If somebody puts something else there in this moment, that is
 * opened, which the flags make harmless but for some devices. In one's own root that is so for every program; in another
 * one, an image that others made, it is not done.
 */
static int open_by_name(struct ep_case *c, int path_fd)
{
	for (int i = 0; i < c->ex->links; i++) {
		const char *resolved = c->ex->link[i].resolved;
		struct stat st;

		if (resolved && lstat(resolved, &st) == 0 && S_ISREG(st.st_mode) && is_same_file(path_fd, &st))
			return ep_opened(open(resolved, READ_FLAGS | O_NOFOLLOW));
	}
	return -ENOSYS;
}

int ep_open(struct ep_case *c, int path_fd)
{
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	fd = open_by_proc(c, path_fd);
	if (fd == -ENOSYS && is_own_root(c))
		fd = open_by_name(c, path_fd);
	if (fd >= 0 && !is_same_file(fd, &st)) {
		close(fd);
		return -ENOSYS; /* another file has its name now */
	}
	return fd;
}

/*
 * A file system can return EMFILE of its own. The descriptors that were open at that moment may be closed again, so it takes more
 * than one to show that the limit was not reached.
 */
static bool is_out_of_descriptors(const struct ep_case *c)
{
	int fd[8], n = 0;
	bool is_out;

	while (n < 8 && (fd[n] = fcntl(c->root, F_DUPFD_CLOEXEC, 3)) >= 0)
		n++;
	is_out = n < 8;
	while (n > 0)
		close(fd[--n]);
	return is_out;
}

bool ep_is_own_lack(const struct ep_case *c, int error)
{
	return error == ENFILE || error == ENOMEM || (error == EMFILE && is_out_of_descriptors(c));
}

uint64_t ep_own_limit(int error)
{
	struct rlimit limit;

	if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur;
}

/* Root can open a file without read permission, unless the file system or a security module refuses. */
static bool overrides_modes(const struct ep_case *c)
{
	const uint64_t dac = UINT64_C(1) << 1 | UINT64_C(1) << 2; /* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH */

	return c->own_identity && c->who.effective & dac;
}

int ep_not_read(struct ep_case *c, const struct errpipe_link *link, int error, int read_error)
{
	const struct errpipe_report *report = c->question->report;
	bool is_refused = read_error == EACCES || read_error == EPERM;
	enum errpipe_cause cause = ERRPIPE_CAUSE_READ_FAILED;

	if (ep_is_own_lack(c, read_error))
		cause = ERRPIPE_CAUSE_CANNOT_LOOK;
	else if (read_error == ENOSYS || (is_refused && !overrides_modes(c)))
		cause = ERRPIPE_CAUSE_UNREADABLE;
	if (cause != ERRPIPE_CAUSE_READ_FAILED)
		error = report ? report->error : 0;
	ep_broken(c, link, cause, error, NULL, cause == ERRPIPE_CAUSE_UNREADABLE ? NULL : errpipe_errname(read_error),
		  0, cause == ERRPIPE_CAUSE_CANNOT_LOOK ? ep_own_limit(read_error) : 0);
	if (cause != ERRPIPE_CAUSE_READ_FAILED)
		c->ex->certainty = ERRPIPE_UNSURE;
	else if (is_refused)
		c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

/* A file system can return EINTR for ever. */
enum { INTERRUPTIONS = 100 };

ssize_t ep_pread(int fd, void *buf, size_t size, uint64_t offset)
{
	int interruptions = INTERRUPTIONS;
	size_t done = 0;

	if (offset > INT64_MAX - (uint64_t)size)
		return 0; /* no file is that long */
	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, offset + done);

		if (n < 0 && errno == EINTR && interruptions--)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

/* SPDX-License-Identifier: MIT */
/* Find the file that the path leads to: do_filp_open() and may_open() in the kernel's fs/namei.c. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "explain/kernel/lookup.h"

static bool is_own_root(const struct ep_check *c)
{
	return c->question->root == ERRPIPE_OWN_ROOT;
}

/* --- the kernel's look-up ------------------------------------------------------------------------------------ */

/* In the caller's own root there is nothing to escape from, so a plain open(2) is enough. */
static int ask_in_own_root(struct ep_check *c, const char *path)
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
 * RESOLVE_IN_ROOT takes its directory for the root, so the working directory goes before the path. Its symbolic links then
 * count with those of the path.
 */
static int ask_in_root(struct ep_check *c, const char *path)
{
	const char *cwd = *path == '/' || !c->question->cwd ? "" : c->question->cwd;
	char joined[PATH_MAX];

	if (strlen(cwd) + 1 + strlen(path) >= sizeof(joined))
		return -ENOSYS;
	snprintf(joined, sizeof(joined), "%s/%s", cwd, path);
	return ep_open_in_root(c->root, joined, EP_IN_ROOT | EP_NO_MAGICLINKS);
}

/*
 * Before our own look-up, because this triggers automounts on the way and our look-up does not. Returns a descriptor or a
 * negative errno: -ENOSYS if the kernel cannot be asked.
 */
static int ask_kernel(struct ep_check *c, const char *path)
{
	if (c->question->mounts_count || !*path)
		return -ENOSYS;
	return is_own_root(c) ? ask_in_own_root(c, path) : ask_in_root(c, path);
}

/* Errors that this way of asking, or the asking process, may cause instead of the path. */
static bool is_inconclusive(int error)
{
	static const int errors[] = { ENOSYS, EAGAIN, EACCES, EPERM, ELOOP, EXDEV, EMFILE, ENFILE, ENOMEM };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i] == error)
			return true;
	}
	return false;
}

/* Only for findings that are the same for every user. */
static bool kernel_disagrees(const struct ep_lookup *w, int asked)
{
	static const enum errpipe_cause plain[] = { ERRPIPE_CAUSE_MISSING, ERRPIPE_CAUSE_DANGLING_LINK,
						    ERRPIPE_CAUSE_FILE_AS_DIRECTORY, ERRPIPE_CAUSE_NAME_TOO_LONG,
						    ERRPIPE_CAUSE_LINK_LOOP };

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (w->finding.cause == plain[i])
			return asked >= 0 || (asked != -w->finding.error && !is_inconclusive(-asked));
	}
	return false;
}

/* --- our own look-up ---------------------------------------------------------------------------------------- */

static const char *keep_or_null(struct ep_check *c, const char *text)
{
	return text ? ep_keep(c, "%s", text) : NULL;
}

/* It is missing on a mount of the question. Does the root have it below that? */
static void hide(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_mount *mount,
		 struct ep_finding *finding)
{
	mode_t mode = ep_mode_hidden(c, mount, link->path);

	if (!S_ISREG(mode) || !(mode & 0111))
		return;
	finding->cause = ERRPIPE_CAUSE_HIDDEN_BY_MOUNT;
	finding->error = ENOENT;
	ep_hidden_by(c, mount, finding);
}

/* The contents of the mount are not known yet. */
static void not_there_yet(struct ep_check *c, const struct errpipe_mount *mount, struct ep_finding *finding)
{
	*finding = (struct ep_finding){
		.cause = ERRPIPE_CAUSE_NOT_YET_MOUNTED,
		.certainty = ERRPIPE_UNSURE,
		.subject = ep_keep(c, "%s", mount->at),
	};
}

/* The mount over the place may be at fault. */
static void look_at_mount(struct ep_check *c, const struct errpipe_link *link, const struct ep_lookup *w,
			  struct ep_finding *finding)
{
	size_t length;
	const struct errpipe_mount *mount = ep_mount_over(c->question, w->place, &length);

	if (!mount)
		return;
	if (finding->cause == ERRPIPE_CAUSE_MISSING && mount->empty && !mount->masked)
		not_there_yet(c, mount, finding);
	if (finding->cause == ERRPIPE_CAUSE_MISSING || finding->cause == ERRPIPE_CAUSE_DANGLING_LINK ||
	    (mount->empty && (finding->cause == ERRPIPE_CAUSE_NOT_YET_MOUNTED ||
			      (finding->cause == ERRPIPE_CAUSE_NOEXEC_MOUNT && !c->question->report))))
		hide(c, link, mount, finding);
	else if (finding->cause == ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING)
		finding->object = keep_or_null(c, mount->name);
	else if (finding->cause == ERRPIPE_CAUSE_FILE_AS_DIRECTORY && !w->place[length] && !c->question->report)
		ep_mount_misfits(c, mount, finding);
}

static int report_lookup(struct ep_check *c, const struct errpipe_link *link, const struct ep_lookup *w, int asked)
{
	struct ep_finding finding = w->finding;

	finding.subject = *w->subject ? ep_keep(c, "%s", w->subject) : NULL;
	if (finding.object == w->object)
		finding.object = *w->object ? ep_keep(c, "%s", w->object) : NULL;
	if (finding.cause == ERRPIPE_CAUSE_UNSEARCHABLE)
		finding.subject_here = ep_here(c, w->place);
	if (finding.cause == ERRPIPE_CAUSE_SECURITY_MODULE)
		finding.object = ep_modules_for(c, finding.error, EP_SEEN);
	if (finding.certainty == ERRPIPE_CERTAIN && kernel_disagrees(w, asked))
		finding.certainty = ERRPIPE_LIKELY;
	look_at_mount(c, link, w, &finding);
	return ep_finding_set(c, link, finding);
}

/* --- the file ----------------------------------------------------------------------------------------------- */

/* The target of a link in /proc need not be a path. */
static bool leads_there(const char *text, const struct stat *st)
{
	struct stat other;

	return lstat(text, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static const char *resolved(struct ep_check *c, const struct ep_lookup *w)
{
	if (*w->text && *w->text != '/')
		return NULL;
	if (w->jumped && !leads_there(*w->text ? w->text : "/", &w->st))
		return NULL;
	return ep_keep(c, "%s", *w->text ? w->text : "/");
}

static void describe_mount(struct ep_check *c, struct errpipe_link *link, const struct ep_lookup *w, int fd)
{
	size_t length;
	const struct errpipe_mount *mount = ep_mount_over(c->question, w->text, &length);
	struct statvfs fs;

	if (mount) {
		link->mounted = 1;
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

static void describe_file(struct ep_check *c, struct errpipe_link *link, const struct ep_lookup *w, int fd)
{
	link->resolved = resolved(c, w);
	link->here = link->resolved ? ep_here(c, link->resolved) : NULL;
	link->mode = w->st.st_mode;
	link->uid = w->st.st_uid;
	link->gid = w->st.st_gid;
	link->size = w->st.st_size;
	link->acl = ep_has_acl(fd);
	describe_mount(c, link, w, fd);
}

static const struct errpipe_mount *mount_at(const struct ep_check *c, const struct errpipe_link *link)
{
	size_t length;
	const struct errpipe_mount *mount =
		link->resolved ? ep_mount_over(c->question, link->resolved, &length) : NULL;

	return mount && !link->resolved[length] ? mount : NULL;
}

static int not_a_file(struct ep_check *c, const struct errpipe_link *link, int fd, struct ep_finding finding)
{
	const struct errpipe_mount *mount = mount_at(c, link);

	finding.cause = ERRPIPE_CAUSE_NOT_A_FILE;
	if (mount && mount->masked && !mount->empty) {
		finding.cause = ERRPIPE_CAUSE_HIDDEN_BY_MOUNT;
		ep_hidden_by(c, mount, &finding);
	} else if (mount && S_ISDIR(link->mode) && !mount->masked) {
		finding.cause = ERRPIPE_CAUSE_MOUNTED_DIRECTORY;
		finding.object = keep_or_null(c, mount->name);
		finding.detail = ep_is_empty_directory(fd) ? ERRPIPE_DETAIL_EMPTY_DIRECTORY : ERRPIPE_DETAIL_NONE;
	}
	return ep_finding_set(c, link, finding);
}

/* A mount of the question is not there yet, and then no command can change it. */
static int on_noexec_mount(struct ep_check *c, const struct errpipe_link *link, int fd, struct ep_finding finding)
{
	size_t length;
	bool configured = link->resolved && ep_mount_over(c->question, link->resolved, &length);

	finding.cause = ERRPIPE_CAUSE_NOEXEC_MOUNT;
	finding.subject = link->mount;
	finding.subject_here = configured ? NULL : ep_mount_point_here(c, fd);
	finding.detail = configured ? ERRPIPE_DETAIL_CONFIGURED_MOUNT : ERRPIPE_DETAIL_NONE;
	return ep_finding_set(c, link, finding);
}

/* In the order of may_open() in fs/namei.c. */
static int check_file(struct ep_check *c, const struct errpipe_link *link, const struct stat *st, int fd)
{
	struct ep_finding denied = { .error = EACCES, .subject = link->resolved, .subject_here = link->here };

	if (!S_ISREG(st->st_mode))
		return not_a_file(c, link, fd, denied);
	if (link->noexec)
		return on_noexec_mount(c, link, fd, denied);
	switch (ep_access(c, fd, st, &denied)) {
	case EP_MAY:
		return 0;
	case EP_MAY_NOT:
		denied.cause = ERRPIPE_CAUSE_NOT_EXECUTABLE;
		break;
	case EP_REFUSED:
		denied.cause = ERRPIPE_CAUSE_SECURITY_MODULE;
		denied.object = ep_modules_for(c, denied.error, EP_SEEN);
		break;
	}
	return ep_finding_set(c, link, denied);
}

/* Returns the descriptor to go on with, and closes the other one. */
static int choose(struct ep_check *c, const struct ep_lookup *w, int asked)
{
	if (asked >= 0 && ep_is_same_file(asked, &w->st)) {
		close(w->fd);
		return asked;
	}
	if (asked >= 0)
		close(asked);
	if (asked >= 0 || !is_inconclusive(-asked))
		c->ex->certainty = ERRPIPE_LIKELY;
	return w->fd;
}

int ep_find_file(struct ep_check *c, struct errpipe_link *link)
{
	struct ep_lookup w;
	int asked = ask_kernel(c, link->path), fd;

	if (ep_lookup(&w, c, link->path, EP_AS_WHO) < 0) {
		if (asked >= 0)
			close(asked);
		return report_lookup(c, link, &w, asked);
	}
	fd = choose(c, &w, asked);
	describe_file(c, link, &w, fd);
	if (check_file(c, link, &w.st, fd) == 0)
		return fd;
	close(fd);
	return -1;
}

/* 0: nothing is there. */
static mode_t mode_at(struct ep_check *c, const char *path)
{
	struct ep_lookup w;

	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return 0;
	if (w.fd >= 0)
		close(w.fd);
	return w.st.st_mode;
}

bool ep_exists(struct ep_check *c, const char *path)
{
	return mode_at(c, path) != 0;
}

bool ep_is_file(struct ep_check *c, const char *path)
{
	return S_ISREG(mode_at(c, path));
}

bool ep_is_program(struct ep_check *c, const char *path)
{
	mode_t mode = mode_at(c, path);

	return S_ISREG(mode) && mode & 0111;
}

/* --- a file that the process opens itself ------------------------------------------------------------------- */

static bool is_mounted_noexec(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_NOEXEC;
}

static bool is_noexec(struct ep_check *c, const char *place, int fd)
{
	size_t length;
	const struct errpipe_mount *mount = *place ? ep_mount_over(c->question, place, &length) : NULL;

	return mount ? mount->noexec : is_mounted_noexec(fd);
}

/* For the caller's own process the kernel's answer is the right one, so no step needs to be checked. */
static int find_to_read(struct ep_check *c, const char *path, struct ep_readable *file, int *fd)
{
	struct ep_lookup w;

	*fd = c->own_identity ? ask_kernel(c, path) : -ENOSYS;
	if (*fd == -ENOSYS) {
		if (ep_lookup(&w, c, path, EP_AS_WHO) < 0)
			return w.finding.error ? -w.finding.error : -ENOSYS;
		file->st = w.st;
		file->noexec = is_noexec(c, w.text, w.fd);
		*fd = w.fd;
		return 0;
	}
	if (*fd < 0)
		return *fd;
	if (fstat(*fd, &file->st) < 0) {
		close(*fd);
		return -EIO;
	}
	file->noexec = is_noexec(c, "", *fd);
	return 0;
}

/* What a runtime will make has no descriptor yet, and is not a regular file. */
static int open_in_question(struct ep_check *c, const char *path, struct ep_readable *file)
{
	int fd, error = find_to_read(c, path, file, &fd);

	file->fd = -1;
	if (error < 0 || fd < 0)
		return error;
	if (!c->own_identity && !ep_may_read(c, fd, &file->st, &file->denied))
		error = -EACCES;
	else if (S_ISREG(file->st.st_mode))
		file->fd = ep_open_file(c, fd);
	close(fd);
	if (file->fd == -EACCES && c->own_identity)
		error = -EACCES;
	if (file->fd < 0)
		file->fd = -1;
	return error;
}

/*
 * The plain way, for the caller's own process. Only regular files are opened, as far as one can know before; the flags make
 * everything else harmless but for some devices.
 */
static int open_plainly(const char *path, struct ep_readable *file)
{
	if (stat(path, &file->st) < 0)
		return -errno;
	if (!S_ISREG(file->st.st_mode))
		return 0;
	file->fd = ep_opened(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	if (file->fd < 0)
		return file->fd;
	if (fstat(file->fd, &file->st) < 0 || !S_ISREG(file->st.st_mode)) {
		close(file->fd);
		file->fd = -1;
		return -EIO;
	}
	file->noexec = is_mounted_noexec(file->fd);
	return 0;
}

static bool is_plain(const struct ep_check *c)
{
	const struct errpipe_question *question = c->question;

	return c->own_identity && is_own_root(c) && !question->mounts_count && !question->cwd;
}

int ep_open_to_read(struct ep_check *c, const char *path, struct ep_readable *file)
{
	*file = (struct ep_readable){ .fd = -1 };
	return is_plain(c) ? open_plainly(path, file) : open_in_question(c, path, file);
}

bool ep_fails_by(struct ep_check *c, const char *path, enum errpipe_cause cause, const char **subject,
		 const char **object)
{
	struct ep_lookup w;

	if (ep_lookup(&w, c, path, EP_AS_WHO) == 0) {
		if (w.fd >= 0)
			close(w.fd);
		return false;
	}
	if (w.finding.cause != cause)
		return false;
	*subject = ep_keep(c, "%s", w.finding.subject);
	*object = w.finding.object ? ep_keep(c, "%s", w.finding.object) : NULL;
	return true;
}

int ep_open_directory(struct ep_check *c, const char *path)
{
	struct ep_lookup w;
	int fd;

	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return -ENOENT;
	fd = S_ISDIR(w.st.st_mode) ? ep_openat(w.fd, ".", O_RDONLY | O_DIRECTORY) : -ENOTDIR;
	close(w.fd);
	return fd;
}

int ep_open_for_hint(struct ep_check *c, const char *path)
{
	struct ep_lookup w;
	int fd;

	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return -ENOENT;
	fd = ep_open_file(c, w.fd);
	close(w.fd);
	return fd;
}

/* Many images name their user, and the files belong to it. A user without a name is often not the intended one. */
void ep_note_user(struct ep_check *c)
{
	struct errpipe_denied *denied = &c->ex->denied;
	int fd;

	if (denied->as != ERRPIPE_CLASS_OTHER || is_own_root(c) || c->own_identity || c->who.mapped)
		return;
	fd = ep_open_for_hint(c, "/etc/passwd");
	if (fd < 0)
		return;
	denied->unnamed = ep_has_user(fd, denied->uid) == EP_NO;
	close(fd);
}

const char *ep_path_here(struct ep_check *c, const char *path)
{
	struct ep_lookup w;

	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return NULL;
	if (w.fd >= 0)
		close(w.fd);
	return ep_here(c, w.text);
}

void ep_name_mount(struct ep_check *c, const char *path, struct ep_finding *finding)
{
	const struct errpipe_mount *mount;
	struct ep_lookup w;
	size_t length;

	if (ep_lookup(&w, c, path, EP_FOR_HINT) < 0)
		return;
	mount = ep_mount_over(c->question, w.text, &length);
	finding->object = mount ? ep_keep(c, "%s", mount->at) : ep_mount_point(c, w.fd);
	finding->object_here = mount ? NULL : ep_mount_point_here(c, w.fd);
	close(w.fd);
}

/* --- reading ------------------------------------------------------------------------------------------------ */

/* Root can open a file without read permission, unless the file system or a security module refuses it. */
static bool overrides_modes(const struct ep_check *c)
{
	const uint64_t dac = UINT64_C(1) << 1 | UINT64_C(1) << 2; /* CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH */

	return c->own_identity && c->who.effective & dac;
}

int ep_not_read(struct ep_check *c, const struct errpipe_link *link, int error, int read_error)
{
	int reported = c->question->report ? c->question->report->error : 0;
	bool is_refused = read_error == EACCES || read_error == EPERM;
	enum errpipe_cause cause = ERRPIPE_CAUSE_READ_FAILED;
	bool is_own;

	if (ep_is_own_lack(c, read_error))
		cause = ERRPIPE_CAUSE_CANNOT_LOOK;
	else if (read_error == ENOSYS || (is_refused && !overrides_modes(c)))
		cause = ERRPIPE_CAUSE_UNREADABLE;
	is_own = cause == ERRPIPE_CAUSE_UNREADABLE && is_refused && c->own_identity && c->who.uid != 0;
	return ep_finding_set(
		c, link,
		(struct ep_finding){
			.cause = cause,
			.certainty = cause != ERRPIPE_CAUSE_READ_FAILED ? ERRPIPE_UNSURE
				     : is_refused			? ERRPIPE_LIKELY
									: 0,
			.error = cause == ERRPIPE_CAUSE_READ_FAILED ? error : reported,
			.object = cause == ERRPIPE_CAUSE_UNREADABLE ? NULL : errpipe_errname(read_error),
			.detail = is_own ? ERRPIPE_DETAIL_OWN_USER : ERRPIPE_DETAIL_NONE,
			.root_here = is_own ? ep_here(c, "/") : NULL,
			.number = is_own ? c->who.uid : 0,
			.limit = cause == ERRPIPE_CAUSE_CANNOT_LOOK ? ep_own_limit(read_error) : 0,
		});
}

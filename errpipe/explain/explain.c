/* SPDX-License-Identifier: MIT */
/* The walk along the chain, in the order in which execve(2) does it, and what to make of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/explain.h"

/* Interpreters of interpreters (exec_binprm() in the kernel's fs/exec.c). */
enum { MAX_DEPTH = 5 };

/* A path of 4096 bytes can have 2048 components, and each can be one of 40 links of as many. */
enum { MAX_STEPS = 20000 };

const char *ep_keep(struct ep_case *c, const char *format, ...)
{
	struct errpipe_explanation *ex = c->ex;
	size_t room = sizeof(ex->strings) - ex->strings_used;
	char *string = ex->strings + ex->strings_used;
	va_list args;
	int length;

	/* The last byte is a NUL that is never overwritten. */
	if (room <= 1)
		return ex->strings + sizeof(ex->strings) - 1;
	va_start(args, format);
	length = vsnprintf(string, room - 1, format, args);
	va_end(args);
	if (length < 0)
		*string = '\0';
	ex->strings_used += strlen(string) + 1;
	return string;
}

int ep_broken(struct ep_case *c, const struct errpipe_link *link, enum errpipe_cause cause, int error,
	      const char *subject, const char *object, uint64_t number, uint64_t limit)
{
	struct errpipe_explanation *ex = c->ex;

	/* What is told of set-id bits keeps nothing from working. */
	if (ex->cause != ERRPIPE_CAUSE_NONE && ex->cause != ERRPIPE_CAUSE_SET_ID_IGNORED)
		return -1;
	ex->cause = cause;
	ex->works = 0;
	ex->error = error;
	ex->broken = link ? link - ex->link : -1;
	ex->subject = subject;
	ex->object = object;
	ex->number = number;
	ex->limit = limit;
	return -1;
}

void ep_refine(struct ep_case *c, enum errpipe_cause cause, const char *object)
{
	c->ex->cause = cause;
	c->ex->object = object;
}

/* The path of the link leads nowhere. In some places that has reasons of its own. */
static void refine_missing(struct ep_case *c, const struct errpipe_link *link)
{
	size_t length = strlen(link->path);

	if (c->ex->cause != ERRPIPE_CAUSE_MISSING)
		return;
	if (link->kind == ERRPIPE_LINK_LOADER)
		ep_loader_missing(c, link, link - 1);
	else if (link->kind == ERRPIPE_LINK_INTERPRETER && length && link->path[length - 1] == '\r')
		ep_refine(c, ERRPIPE_CAUSE_CARRIAGE_RETURN, NULL);
	else if (link->kind == ERRPIPE_LINK_INTERPRETER)
		ep_refine(c, ERRPIPE_CAUSE_INTERPRETER_MISSING, NULL);
}

/* A file of the chain that is there and can be read. */
struct file {
	struct errpipe_link *link; /* NULL: there is none */
	int path_fd, fd;
	struct ep_head head;
};

static void close_file(struct file *file)
{
	if (file->link) {
		close(file->path_fd);
		close(file->fd);
	}
	file->link = NULL;
}

static int read_head(int fd, struct ep_head *head)
{
	ssize_t n;

	memset(head, 0, sizeof(*head));
	n = ep_pread(fd, head->bytes, sizeof(head->bytes), 0);
	if (n < 0)
		return n;
	head->size = n;
	return 0;
}

/* Returns 0 with *file, or -1: broken. */
static int open_file(struct ep_case *c, struct errpipe_link *link, struct file *file)
{
	int path_fd = ep_find(c, link), fd, error;

	if (path_fd < 0) {
		refine_missing(c, link);
		return -1;
	}
	if (ep_check(c, link, path_fd) < 0) {
		close(path_fd);
		return -1;
	}
	fd = ep_open(c, path_fd);
	error = fd < 0 ? fd : read_head(fd, &file->head);
	if (error < 0) {
		if (fd >= 0)
			close(fd);
		close(path_fd);
		return ep_not_read(c, link, -error, -error);
	}
	file->link = link;
	file->path_fd = path_fd;
	file->fd = fd;
	link->format = ep_format(&file->head);
	return 0;
}

/* A program, or what runs one. The kernel asks binfmt_misc first. */
static int look_inside(struct ep_case *c, struct file *file, struct ep_next *next)
{
	if (ep_handler(c, file->link, &file->head, next)) {
		/* open_file() has set it. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		if (file->link->format == ERRPIPE_FORMAT_ELF)
			ep_elf_describe(file->link, file->fd, &file->head);
		return 0;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	switch (file->link->format) {
	case ERRPIPE_FORMAT_SCRIPT:
		return ep_script(c, file->link, &file->head, next);
	case ERRPIPE_FORMAT_ELF:
		return ep_elf(c, file->link, file->fd, &file->head, next);
	default:
		return ep_no_program(c, file->link);
	}
}

static struct errpipe_link *add_link(struct ep_case *c, const struct ep_next *next)
{
	struct errpipe_link *link = &c->ex->link[c->ex->links++];

	link->kind = next->kind;
	link->path = next->path;
	c->ex->looking_at = next->path;
	return link;
}

/*
 * A program for another machine does not start. But whoever emulates it wants to know whether its loader is there: so
 * that is looked up, and what is wrong with it is told beside the cause, which comes first.
 */
static void look_beyond(struct ep_case *c, const struct ep_next *next)
{
	struct errpipe_explanation *ex = c->ex;
	struct errpipe_link *link = add_link(c, next);
	unsigned char cause[offsetof(struct errpipe_explanation, host)];
	int fd;

	memcpy(cause, ex, sizeof(cause));
	ex->cause = ERRPIPE_CAUSE_NONE;
	fd = ep_find(c, link);
	if (fd >= 0) {
		close(fd);
	} else {
		refine_missing(c, link);
		link->wrong = ep_broken_words(c);
	}
	memcpy(ex, cause, sizeof(cause));
}

/*
 * Up to the point of no return: the file that becomes the process in the end is *program. Returns 0, or -1: broken, or
 * not to be seen.
 */
static int walk_chain(struct ep_case *c, struct file *program, struct file *loader)
{
	struct ep_next next = { ERRPIPE_LINK_PROGRAM, c->question->path, false };

	for (int depth = 0; next.kind != ERRPIPE_LINK_LOADER; depth++) {
		struct errpipe_link *link = add_link(c, &next);

		if (next.opened)
			return -1;
		close_file(program);
		if (open_file(c, link, program) < 0)
			return -1;
		if (depth > MAX_DEPTH)
			return ep_broken(c, link, ERRPIPE_CAUSE_CHAIN_TOO_DEEP, ELOOP, NULL, NULL, depth, MAX_DEPTH);
		next = (struct ep_next){ 0 };
		if (look_inside(c, program, &next) < 0) {
			if (next.kind)
				look_beyond(c, &next);
			return -1;
		}
		if (!next.kind)
			return 0;
	}
	if (open_file(c, add_link(c, &next), loader) < 0)
		return -1;
	return ep_elf_loader(c, loader->link, loader->fd, &loader->head);
}

static bool has_failed(const struct errpipe_report *report)
{
	return report && (report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED);
}

static int look_at_segments(struct ep_case *c, const struct file *file)
{
	return file->link ? ep_elf_segments(c, file->link, file->fd, &file->head) : 0;
}

static void walk(struct ep_case *c)
{
	struct file program = { .link = NULL }, loader = { .link = NULL };

	if (walk_chain(c, &program, &loader) == 0 && ep_credentials(c, program.link, program.path_fd) == 0 &&
	    !has_failed(c->question->report) && look_at_segments(c, &program) == 0)
		look_at_segments(c, &loader);
	close_file(&program);
	close_file(&loader);
}

/* The walk has found nothing that gives the error of the report. What else gives it? */
static enum errpipe_cause cause_of(const struct errpipe_explanation *ex, int error)
{
	if (error == ETXTBSY)
		return ERRPIPE_CAUSE_TEXT_BUSY; /* no longer */
	if ((error == EACCES || error == EPERM) && ex->modules)
		return ERRPIPE_CAUSE_SECURITY_MODULE;
	return ERRPIPE_CAUSE_UNKNOWN;
}

static void guess(struct ep_case *c, int error)
{
	struct errpipe_explanation *ex = c->ex;
	enum errpipe_cause cause;

	ep_modules(c);
	cause = cause_of(ex, error);
	ep_broken(c, NULL, cause, error, NULL, cause == ERRPIPE_CAUSE_TEXT_BUSY ? NULL : ex->modules, ex->links, 0);
	ex->certainty = cause == ERRPIPE_CAUSE_UNKNOWN ? ERRPIPE_UNSURE : ERRPIPE_LIKELY;
}

/* The exec has failed, but the finding predicts a success or another error. */
static void judge_failure(struct ep_case *c, int error)
{
	struct errpipe_explanation *ex = c->ex;

	if (ex->works || (c->untried && error == ENOEXEC && ex->error != error))
		ex->cause = ERRPIPE_CAUSE_NONE;
	if (ex->cause == ERRPIPE_CAUSE_NONE && c->untried && error == ENOEXEC)
		ep_no_compatibility(c, c->untried);
	else if (ex->cause == ERRPIPE_CAUSE_NONE)
		guess(c, error);
	else if (ex->error != error && ex->certainty == ERRPIPE_CERTAIN)
		ex->certainty = ERRPIPE_LIKELY;
	ex->works = 0;
}

/* Where it cannot load a program, or the program has crashed (force_fatal_sig() in its fs/binfmt_elf.c). */
static bool is_killed_by_kernel(int status)
{
	return WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS;
}

/* Does what was found agree with what has happened? */
static void judge(struct ep_case *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_report *report = c->question->report;

	if (has_failed(report)) {
		judge_failure(c, report->error);
	} else if (report && (ex->works || ex->error || !is_killed_by_kernel(report->status))) {
		/* It was started, so this is not why it was killed. */
		ex->cause = ERRPIPE_CAUSE_NONE;
		ex->error = 0;
		ex->works = 1;
		ex->broken = -1;
	}
}

static int fill_in_who(struct ep_case *c, gid_t *groups, int max)
{
	struct errpipe_identity identity;
	int n, ret;

	c->own_identity = !c->question->who;
	if (c->question->who) {
		c->who = *c->question->who;
		return 0;
	}
	ret = errpipe_identity(&identity);
	if (ret < 0)
		return ret;
	n = getgroups(max, groups);
	c->who = (struct errpipe_who){
		.uid = identity.euid,
		.gid = getegid(),
		.groups = groups,
		.groups_count = n < 0 ? 0 : n,
		.effective = identity.effective,
		.inheritable = identity.inheritable,
		.bounding = identity.bounding,
		.no_new_privs = identity.no_new_privs,
	};
	return 0;
}

static int open_root(const struct errpipe_question *question)
{
	int root;

	/* Otherwise AT_FDCWD would pass as a root. */
	if (question->root < 0)
		return -EBADF;
	if (question->root == ERRPIPE_OWN_ROOT)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		root = openat(question->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -errno : ep_above_stderr(root);
}

/* Was it started, and not killed? Then there is nothing to explain. */
static bool has_worked(const struct errpipe_report *report)
{
	return report && !has_failed(report) && (report->status == -1 || !WIFSIGNALED(report->status));
}

static void begin(struct errpipe_explanation *ex)
{
	memset(ex, 0, offsetof(struct errpipe_explanation, strings));
	ex->certainty = ERRPIPE_CERTAIN;
	ex->works = 1;
	ex->broken = -1;
	ex->host = ep_host_machine()->name;
}

/* EAGAIN can come from a file system. If the walk does not meet it, it was the limit of processes. */
static void look(struct ep_case *c)
{
	const struct errpipe_report *report = c->question->report;

	if (report && report->verdict == ERRPIPE_EXEC_FAILED && report->error == EAGAIN) {
		walk(c);
		if (c->ex->error == EAGAIN)
			return;
		begin(c->ex);
	}
	if (ep_before(c) == 0)
		walk(c);
}

/* NGROUPS_MAX is 65536, but who has so many? With more than these the kernel is asked, and not this list. */
enum { MAX_GROUPS = 1024 };

static int explain(struct errpipe_explanation *ex, const struct errpipe_question *question)
{
	struct ep_case c = { .question = question, .ex = ex, .steps = MAX_STEPS };
	struct errpipe_question followed;
	gid_t groups[MAX_GROUPS];
	int ret;

	c.root = open_root(question);
	if (c.root < 0)
		return c.root;
	begin(ex);
	ret = fill_in_who(&c, groups, MAX_GROUPS);
	if (ret == 0)
		ret = ep_follow_mounts(&c, &followed);
	if (ret == 0) {
		c.question = &followed;
		look(&c);
		judge(&c);
		ep_forget_mounts(&followed);
	}
	ex->looking_at = NULL;
	close(c.root);
	return ret;
}

static bool is_valid(const struct errpipe_question *question)
{
	if (!EP_IS_ZERO(question->reserved) || (question->who && !EP_IS_ZERO(question->who->reserved)))
		return false;
	for (size_t i = 0; i < question->mounts_count; i++)
		if (!EP_IS_ZERO(question->mounts[i].reserved))
			return false;
	return !has_worked(question->report);
}

/* A thread that is cancelled in the midst of it would leave descriptors open. */
int errpipe_explain(struct errpipe_explanation *ex, const struct errpipe_question *question)
{
	int state, ret;

	if (!ex || !question || !question->path || (question->mounts_count && !question->mounts))
		return -EFAULT;
	if (!is_valid(question))
		return -EINVAL;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ret = explain(ex, question);
	pthread_setcancelstate(state, &state);
	return ret;
}

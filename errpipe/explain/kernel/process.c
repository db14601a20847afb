/* SPDX-License-Identifier: MIT */
/* The process that execs: what the report tells of it, and what the kernel says when it is asked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/explain.h"

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#define EXECVE_CHECK 0x10000 /* AT_EXECVE_CHECK, linux/fcntl.h: Linux 6.14 */

#define LANDLOCK_VERSION 1 /* LANDLOCK_CREATE_RULESET_VERSION, linux/landlock.h */

/* --- before the file is looked at ------------------------------------------------------------- */

static int process_limit(struct ep_case *c)
{
	struct rlimit own;
	uint64_t limit = c->question->limit_processes;

	if (!limit && getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
		limit = own.rlim_cur;
	ep_broken(c, NULL, ERRPIPE_CAUSE_PROCESS_LIMIT, EAGAIN, NULL, NULL, 0, limit);
	if (!limit)
		c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

static int seccomp(struct ep_case *c)
{
	return ep_broken(c, NULL, ERRPIPE_CAUSE_SECCOMP, 0, NULL, NULL, 0, 0);
}

/* The target was not tried, so the chain has no link that could name it. */
static int setup_failed(struct ep_case *c, const struct errpipe_report *report)
{
	bool is_stub = report->step == ERRPIPE_STEP_STUB || report->step == ERRPIPE_STEP_FCNTL;

	return ep_broken(c, NULL, is_stub ? ERRPIPE_CAUSE_STUB_REFUSED : ERRPIPE_CAUSE_STEP_FAILED, report->error,
			 c->question->path, errpipe_errname(report->error), 0, 0);
}

static bool is_exec(const struct errpipe_report *report)
{
	return report->verdict == ERRPIPE_EXEC_FAILED || report->step == ERRPIPE_STEP_STUB;
}

int ep_before(struct ep_case *c)
{
	const struct errpipe_report *report = c->question->report;

	if (!report || (report->verdict != ERRPIPE_EXEC_FAILED && report->verdict != ERRPIPE_SETUP_FAILED))
		return 0;
	/* These are not about a file, so neither whether it was the stub's. */
	if (is_exec(report) && report->error == EAGAIN)
		return process_limit(c);
	if (is_exec(report) && report->error == E2BIG)
		return ep_arguments(c);
	if (is_exec(report) && !report->error && !report->raw_error)
		return seccomp(c);
	return report->verdict == ERRPIPE_SETUP_FAILED ? setup_failed(c, report) : 0;
}

/* --- asking the kernel ------------------------------------------------------------------------ */

/* As far as execve(2) goes before it reads the file: 0, or an errno. It needs an argv, or the kernel's log has a line. */
static int ask(int fd)
{
#ifdef SYS_execveat
	char name[] = "errpipe", *argv[] = { name, NULL };

	return syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH | EXECVE_CHECK) == 0 ? 0 : errno;
#else
	(void)fd;
	return ENOSYS;
#endif
}

/*
 * While the kernel checks, no other thread can start one more: pthread_create(3) fails there with EAGAIN, as
 * check_unsafe_exec() in fs/exec.c marks what threads share (tried on Linux 6.18). /proc/self/task has a link for each
 * thread, and two of its own.
 */
static bool has_one_thread(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
}

/*
 * Is it a check, and no exec? Linux refuses flags that it does not know (EINVAL, from Linux 3.19 on). But Valgrind 3.19
 * leaves them out, and execs. So the first question is about an empty file: only a check finds nothing wrong with that.
 */
static bool is_answered(void)
{
#ifdef SYS_memfd_create
	int fd = syscall(SYS_memfd_create, "errpipe", MFD_CLOEXEC | MFD_EXEC), error;

	if (fd < 0)
		return false;
	fd = ep_above_stderr(fd);
	if (fd < 0)
		return false;
	error = ask(fd);
	close(fd);
	return error == 0;
#else
	return false;
#endif
}

static bool asks(struct ep_case *c)
{
	if (!c->asks)
		c->asks = has_one_thread() && is_answered() ? 1 : -1;
	return c->asks > 0;
}

static int refused(struct ep_case *c, const struct errpipe_link *link, int error)
{
	ep_modules(c);
	ep_broken(c, link, ERRPIPE_CAUSE_SECURITY_MODULE, error, NULL, c->ex->modules, 0, 0);
	c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

/* Without asking: it was busy, and somebody still writes. */
static int check_writers(struct ep_case *c, struct errpipe_link *link, int path_fd)
{
	const struct errpipe_report *report = c->question->report;

	if (!report || report->error != ETXTBSY || !ep_writers(c, path_fd))
		return 0;
	return ep_busy(c, link, path_fd);
}

int ep_check(struct ep_case *c, struct errpipe_link *link, int path_fd)
{
	int error;

	if (link->kind == ERRPIPE_LINK_PROGRAM && !c->question->report && ep_arguments(c) < 0)
		return -1;
	if (!asks(c))
		return check_writers(c, link, path_fd);
	error = ask(path_fd);
	if (error == ETXTBSY)
		return ep_busy(c, link, path_fd);
	if (c->own_identity && (error == EACCES || error == EPERM))
		return refused(c, link, error);
	return 0;
}

/* --- security modules ------------------------------------------------------------------------- */

struct modules {
	char text[512];
	struct ep_line line;
};

/* Some have no say in what is executed. */
static void add_module(struct modules *modules, const char *name)
{
	static const char *const others[] = { "", "capability", "yama", "lockdown", "safesetid", "loadpin" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(name, others[i]) == 0)
			return;
	}
	if (modules->line.length)
		ep_add(&modules->line, ", ");
	ep_add(&modules->line, name);
}

static void add_list(struct modules *modules, char *list)
{
	char *name;

	list[strcspn(list, "\n")] = '\0';
	while ((name = strsep(&list, ",")))
		add_module(modules, name);
}

static bool apparmor_is_enabled(void)
{
	char text[8];

	return ep_read_text(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) > 0 &&
	       *text == 'Y';
}

/* In a container there is mostly no list. */
static void add_what_shows(struct modules *modules)
{
#ifdef SYS_landlock_create_ruleset
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION) >= 1)
		add_module(modules, "landlock");
#endif
	if (access("/sys/fs/selinux", F_OK) == 0)
		add_module(modules, "selinux");
	if (apparmor_is_enabled())
		add_module(modules, "apparmor");
}

void ep_modules(struct ep_case *c)
{
	struct modules modules;
	char list[512];

	modules.line = (struct ep_line){ modules.text, sizeof(modules.text), 0 };
	if (ep_read_text(AT_FDCWD, "/sys/kernel/security/lsm", list, sizeof(list)) > 0)
		add_list(&modules, list);
	else
		add_what_shows(&modules);
	ep_end(&modules.line);
	c->ex->modules = modules.line.length ? ep_keep(c, "%s", modules.text) : NULL;
}

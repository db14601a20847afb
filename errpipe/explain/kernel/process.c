/* SPDX-License-Identifier: MIT */
/*
 * The process that execs. The report alone shows some failures: the process limit of do_execveat_common(), seccomp, the stub.
 * Others the kernel tells when asked by AT_EXECVE_CHECK (do_open_execat() and bprm_execve() in its fs/exec.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/kernel/kernel.h"

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#define EXECVE_CHECK 0x10000 /* AT_EXECVE_CHECK, linux/fcntl.h: Linux 6.14 */

/* --- before the look-up ----------------------------------------------------------------------- */

static int process_limit(struct ep_check *c)
{
	struct rlimit own;
	uint64_t asked = c->question->limit_processes, limit = ep_asked_limit(asked);

	if (!asked && getrlimit(RLIMIT_NPROC, &own) == 0 && own.rlim_cur != RLIM_INFINITY)
		limit = own.rlim_cur;
	return ep_finding_set(c, NULL,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_PROCESS_LIMIT,
				      .certainty = asked || limit ? 0 : ERRPIPE_LIKELY,
				      .error = EAGAIN,
				      .detail = ep_detail_of_limit(asked),
				      .limit = limit,
			      });
}

static int seccomp(struct ep_check *c)
{
	return ep_finding_set(c, NULL, (struct ep_finding){ .cause = ERRPIPE_CAUSE_SECCOMP });
}

static enum errpipe_cause cause_of_step(unsigned step)
{
	if (step >= ERRPIPE_STEP_SETUP && step <= ERRPIPE_STEP_SETUP_LAST)
		return ERRPIPE_CAUSE_SETUP_FAILED;
	if (step >= ERRPIPE_STEP_CALLER && step <= ERRPIPE_STEP_CALLER_LAST)
		return ERRPIPE_CAUSE_STEP_FAILED;
	return ERRPIPE_CAUSE_STUB_REFUSED;
}

/* The target was not tried, so the chain has no link that could name it. */
static int setup_failed(struct ep_check *c, const struct errpipe_report *report)
{
	return ep_finding_set(c, NULL,
			      (struct ep_finding){
				      .cause = cause_of_step(report->step),
				      .number = report->step,
				      .error = report->error,
				      .subject = c->question->path,
				      .object = errpipe_errname(report->error),
			      });
}

static bool is_exec(const struct errpipe_report *report)
{
	return report->verdict == ERRPIPE_EXEC_FAILED || report->step == ERRPIPE_STEP_STUB;
}

int ep_before_lookup(struct ep_check *c)
{
	const struct errpipe_report *report = c->question->report;

	if (!report || (report->verdict != ERRPIPE_EXEC_FAILED && report->verdict != ERRPIPE_SETUP_FAILED))
		return 0;
	/* These concern no file, so it does not matter whether the exec was the stub's. */
	if (is_exec(report) && report->error == EAGAIN)
		return process_limit(c);
	if (is_exec(report) && report->error == E2BIG)
		return ep_arguments(c);
	if (is_exec(report) && !report->error && !report->raw_error)
		return seccomp(c);
	return report->verdict == ERRPIPE_SETUP_FAILED ? setup_failed(c, report) : 0;
}

/* --- asking the kernel ------------------------------------------------------------------------ */

/* The result of execve(2) up to the reading of the file: 0, or an errno. Without an argv the kernel would log a line. */
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
 * During the check, pthread_create(3) fails with EAGAIN in the other threads, because check_unsafe_exec() in fs/exec.c
 * marks the data that threads share (tried on Linux 6.18). /proc/self/task has one link for each thread, and two of its
 * own.
 */
static bool has_one_thread(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
}

/*
 * Does AT_EXECVE_CHECK only check? Linux rejects unknown flags (EINVAL, since Linux 3.19). But Valgrind 3.19 drops them
 * and execs. Therefore the first question is about an empty file: only a check finds nothing wrong with that.
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

static bool asks(struct ep_check *c)
{
	if (!c->asks)
		c->asks = has_one_thread() && is_answered() ? 1 : -1;
	return c->asks > 0;
}

static int refused(struct ep_check *c, const struct errpipe_link *link, int error)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_SECURITY_MODULE,
				      .certainty = ERRPIPE_LIKELY,
				      .error = error,
				      .object = ep_modules_for(c, error, EP_SEEN),
			      });
}

/* For a kernel that cannot be asked: the report says busy, and a process still has the file open for writing. */
static int check_writers(struct ep_check *c, struct errpipe_link *link, int path_fd)
{
	const struct errpipe_report *report = c->question->report;
	struct errpipe_writers writers;

	if (!report || report->error != ETXTBSY)
		return 0;
	ep_find_writers(c, path_fd, &writers);
	return writers.count ? ep_busy(c, link, &writers) : 0;
}

int ep_before_reading(struct ep_check *c, struct errpipe_link *link, int path_fd)
{
	struct errpipe_writers writers;
	int error;

	if (link->kind == ERRPIPE_LINK_PROGRAM && !c->question->report && ep_arguments(c) < 0)
		return -1;
	if (!asks(c))
		return check_writers(c, link, path_fd);
	error = ask(path_fd);
	if (error == ETXTBSY) {
		ep_find_writers(c, path_fd, &writers);
		return ep_busy(c, link, &writers);
	}
	if (c->own_identity && (error == EACCES || error == EPERM))
		return refused(c, link, error);
	return 0;
}

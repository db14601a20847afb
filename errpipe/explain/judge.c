/* SPDX-License-Identifier: MIT */
/* Does the finding agree with the report? */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "explain/judge.h"
#include "explain/kernel/kernel.h"

bool ep_has_failed(const struct errpipe_report *report)
{
	return report && (report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED);
}

/* No rule explains the error of the report. Name the most likely cause. */
static void guess(struct ep_check *c, int error)
{
	struct ep_finding guess = { .cause = ERRPIPE_CAUSE_UNKNOWN, .certainty = ERRPIPE_UNSURE, .error = error };

	guess.object = ep_modules_for(c, error, EP_GUESSED);
	if (error == ETXTBSY) {
		guess.cause = ERRPIPE_CAUSE_TEXT_BUSY;
		guess.detail = ERRPIPE_DETAIL_NO_LONGER_BUSY;
	} else if (guess.object) {
		guess.cause = ERRPIPE_CAUSE_SECURITY_MODULE;
		guess.detail = ERRPIPE_DETAIL_ALLOWED_HERE;
	}
	if (guess.cause != ERRPIPE_CAUSE_UNKNOWN)
		guess.certainty = ERRPIPE_LIKELY;
	ep_finding_set(c, NULL, guess);
}

/* The exec has failed, but the finding predicts a success or another error. */
static void judge_failure(struct ep_check *c, int error)
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
	ex->works = ex->starts = 0;
}

/* The kernel's signals for a program that it cannot load, or that has crashed (force_fatal_sig() in fs/binfmt_elf.c). */
static bool is_killed_by_kernel(int status)
{
	return WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS;
}

/* The program may have ended with that status for reasons of its own, so only what is certain counts. */
static bool explains_status(const struct errpipe_explanation *ex, int status)
{
	return ex->works && !ex->starts && ex->status == status &&
	       (ex->certainty == ERRPIPE_CERTAIN || ex->cause == ERRPIPE_CAUSE_SMALL_LIMIT);
}

/* A loader that touches a missing page of a truncated library is killed by SIGBUS. */
static bool explains_signal(const struct errpipe_explanation *ex, int status)
{
	if (ex->works)
		return ex->cause == ERRPIPE_CAUSE_SMALL_LIMIT ||
		       (!ex->starts && ex->detail == ERRPIPE_DETAIL_LIBRARY_CUT_OFF && WTERMSIG(status) == SIGBUS);
	return !ex->error && is_killed_by_kernel(status);
}

/* Did the program start, so that the finding is not why it ended? */
static bool ended_otherwise(const struct errpipe_explanation *ex, int status)
{
	return WIFEXITED(status) ? !explains_status(ex, WEXITSTATUS(status)) : !explains_signal(ex, status);
}

void ep_judge_finding(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_report *report = c->question->report;

	if (ep_has_failed(report))
		judge_failure(c, report->error);
	else if (report && ended_otherwise(ex, report->status))
		ep_finding_clear(ex);
}

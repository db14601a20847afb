/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* After a failure nobody wants to wait for long. */
enum { DIAGNOSIS_MILLISECONDS = 1000 };

static char *words_of(size_t (*words)(char *, size_t, const struct errpipe_explanation *),
		      const struct errpipe_explanation *ex)
{
	size_t size = words(NULL, 0, ex) + 1;
	char *line = malloc(size);

	if (line)
		words(line, size, ex);
	return line;
}

/* The text around a path, which is escaped. */
static char *around(const char *before, const char *path, const char *after)
{
	char *middle = escaped(path), *line = NULL;

	if (!middle || asprintf(&line, "%s%s%s", before, middle, after) < 0)
		line = NULL;
	free(middle);
	return line;
}

int other_errno(const struct diagnosis *diagnosis)
{
	int error = diagnosis->explanation->error;

	return diagnosis->error && error != diagnosis->error ? error : 0;
}

static char *plain_finding(const struct diagnosis *diagnosis)
{
	if (diagnosis->search_path)
		return around("there is no ", diagnosis->path, " in any directory of PATH");
	return words_of(errpipe_finding, diagnosis->explanation);
}

char *finding_of(const struct diagnosis *diagnosis)
{
	const char *other = errpipe_errname(other_errno(diagnosis)), *name = errpipe_errname(diagnosis->error);
	char *finding = plain_finding(diagnosis), *line = NULL;
	int length;

	if (!finding || (!other && !diagnosis->is_cwd))
		return finding;
	if (!name)
		name = errpipe_strerror(diagnosis->error);
	if (diagnosis->is_cwd)
		length = asprintf(&line, "the working directory cannot be entered: %s", finding);
	else
		length = asprintf(&line, "%s; this gives %s, not %s", finding, other, name);
	if (length < 0)
		line = NULL;
	free(finding);
	return line;
}

char *advice_of(const struct diagnosis *diagnosis)
{
	if (diagnosis->search_path)
		return around("install it, give its path, or correct PATH, which is ", diagnosis->search_path, "");
	return words_of(errpipe_advice, diagnosis->explanation);
}

/* By one of the signals that the kernel kills a program by that it cannot load. */
static bool was_killed(const struct errpipe_report *report)
{
	int signal = report->status != -1 && WIFSIGNALED(report->status) ? WTERMSIG(report->status) : 0;

	return report->verdict == ERRPIPE_STARTED && (signal == SIGSEGV || signal == SIGBUS || signal == SIGKILL);
}

static bool was_refused(const struct errpipe_report *report)
{
	return report->verdict == ERRPIPE_EXEC_FAILED ||
	       (report->verdict == ERRPIPE_SETUP_FAILED && report->step == ERRPIPE_STEP_STUB);
}

/* Of one that was killed, only a reason that is sure: any program can crash, or be killed by others. */
static bool says_why(const struct errpipe_explanation *ex, const struct errpipe_report *report)
{
	if (ex->cause == ERRPIPE_CAUSE_NONE)
		return false;
	return was_refused(report) || (!ex->works && !ex->error && ex->certainty != ERRPIPE_UNSURE);
}

void diagnosis_nowhere(struct diagnosis *diagnosis, const char *name, const char *search_path)
{
	struct errpipe_explanation *ex = diagnosis->explanation;

	diagnosis->path = name;
	diagnosis->search_path = search_path;
	ex->cause = ERRPIPE_CAUSE_MISSING;
	ex->certainty = ERRPIPE_CERTAIN;
	ex->error = ENOENT;
	ex->subject = ex->link[0].path;
	ex->object = NULL;
	ex->link[0].mode = 0; /* of a directory that the search has passed over */
}

struct diagnosis diagnose(const struct outcome *outcome, char *const *argv)
{
	const struct errpipe_report *report = &outcome->report;
	const struct look look = {
		.question = { .path = outcome->tried, .report = report, .argv = argv, .envp = environ },
		.milliseconds = DIAGNOSIS_MILLISECONDS,
	};
	struct diagnosis diagnosis = { .path = outcome->path, .error = report->error };

	if (!outcome->tried || (!was_refused(report) && !was_killed(report)))
		return diagnosis;
	if (explain_safely(&diagnosis.explanation, &look) < 0 || !says_why(diagnosis.explanation, report)) {
		diagnosis_free(&diagnosis);
		return diagnosis;
	}
	if (outcome->nowhere && report->error == ENOENT)
		diagnosis_nowhere(&diagnosis, outcome->path, path_or_default(NULL));
	return diagnosis;
}

static void tell_line(char *line)
{
	if (line && *line)
		fprintf(stderr, "errpipe: %s\n", line);
	free(line);
}

void diagnosis_tell(const struct diagnosis *diagnosis)
{
	if (!diagnosis->explanation)
		return;
	tell_line(finding_of(diagnosis));
	tell_line(advice_of(diagnosis));
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	free_explanation(diagnosis->explanation);
	diagnosis->explanation = NULL;
}

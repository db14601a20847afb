/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* After a failure a user does not want to wait long. */
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

int other_errno(const struct diagnosis *diagnosis)
{
	int error = diagnosis->explanation->error;

	return diagnosis->error && error != diagnosis->error ? error : 0;
}

static char *finding_of(const struct diagnosis *diagnosis)
{
	int other = other_errno(diagnosis);
	char *finding = words_of(errpipe_finding, diagnosis->explanation), *line = NULL;
	int length;

	if (!finding || (!other && !diagnosis->is_cwd))
		return finding;
	if (diagnosis->is_cwd)
		length = asprintf(&line, "the working directory cannot be entered: %s", finding);
	else
		length = asprintf(&line, "%s; that gives %s, not %s", finding, errno_name(other),
				  errno_name(diagnosis->error));
	if (length < 0)
		line = NULL;
	free(finding);
	return line;
}

static char *advice_of(const struct diagnosis *diagnosis)
{
	if (diagnosis->is_cwd && diagnosis->explanation->cause == ERRPIPE_CAUSE_FILE_AS_DIRECTORY)
		return strdup("use a directory: --workdir, WORKDIR of a Dockerfile, process.cwd of config.json");
	return words_of(errpipe_advice, diagnosis->explanation);
}

void diagnosis_finish(struct diagnosis *diagnosis)
{
	diagnosis->finding = finding_of(diagnosis);
	diagnosis->advice = advice_of(diagnosis);
}

/* Was it killed by a signal that the kernel uses for a program that it cannot load? */
static bool was_killed(const struct errpipe_report *report)
{
	int signal = report->status != -1 && WIFSIGNALED(report->status) ? WTERMSIG(report->status) : 0;

	return report->verdict == ERRPIPE_STARTED && (signal == SIGSEGV || signal == SIGBUS || signal == SIGKILL);
}

static bool was_refused(const struct errpipe_report *report)
{
	return report->verdict == ERRPIPE_EXEC_FAILED ||
	       (report->verdict == ERRPIPE_SETUP_FAILED && report->step != ERRPIPE_STEP_FCNTL);
}

/* Did it end with a status that env(1), a loader, an emulator, or an interpreter refusing an option gives? */
static bool may_have_stopped(const struct errpipe_report *report)
{
	int status = report->status != -1 && WIFEXITED(report->status) ? WEXITSTATUS(report->status) : 0;

	return report->verdict == ERRPIPE_STARTED &&
	       (status == 1 || status == 2 || status == 9 || (status >= 125 && status <= 127) || status == 255);
}

/* If the target was killed, report only a certain or likely cause: any program can crash, or be killed by others. */
static bool says_why(const struct errpipe_explanation *ex, const struct errpipe_report *report)
{
	if (ex->cause == ERRPIPE_CAUSE_NONE)
		return false;
	return was_refused(report) || (!ex->starts && !ex->error && ex->certainty != ERRPIPE_UNSURE);
}

void diagnosis_of_bundle(struct diagnosis *diagnosis, enum errpipe_cause cause, int error, const char *program)
{
	struct errpipe_explanation *ex = diagnosis->explanation;

	diagnosis->path = program;
	replace_finding(ex, cause, ERRPIPE_CERTAIN);
	ex->error = error;
}

/* 0: the setup does not set it. */
static uint64_t limit_of(const struct setup *setup, int resource)
{
	for (size_t i = 0; setup && i < setup->to.limits_length; i++) {
		if (setup->to.limits[i].resource == resource)
			return limit_to_ask(setup->to.limits[i].soft);
	}
	return 0;
}

/* Without a standard stream the program has room for another file. */
static uint64_t limit_of_files(const struct setup *setup)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			return 0;
	}
	return limit_of(setup, RLIMIT_NOFILE);
}

struct diagnosis diagnose(const struct outcome *outcome, char *const *argv)
{
	const struct errpipe_report *report = &outcome->report;
	bool is_nowhere = outcome->nowhere && report->error == ENOENT;
	const struct setup *setup = outcome->setup;
	const struct inspection inspection = {
		.question = { .path = is_nowhere ? outcome->path : outcome->tried,
			      .search_path = is_nowhere ? path_or_default(NULL) : NULL,
			      .report = report,
			      .who = setup && setup->has_who ? &setup->who : NULL,
			      .cwd = setup ? setup->to.directory : NULL,
			      .argv = argv,
			      .envp = environ,
			      .limit_stack = limit_of(setup, RLIMIT_STACK),
			      .limit_address_space = limit_of(setup, RLIMIT_AS),
			      .limit_data = limit_of(setup, RLIMIT_DATA),
			      .limit_processes = limit_of(setup, RLIMIT_NPROC),
			      .limit_files = limit_of_files(setup) },
		.milliseconds = DIAGNOSIS_MILLISECONDS,
	};
	struct diagnosis diagnosis = { .path = outcome->path, .error = report->error };

	if (outcome->lacks_process) {
		diagnose_no_process(&diagnosis);
		if (diagnosis.explanation)
			diagnosis_finish(&diagnosis);
		return diagnosis;
	}
	if (!outcome->tried || (!was_refused(report) && !was_killed(report) && !may_have_stopped(report)))
		return diagnosis;
	if (explain_safely(&diagnosis.explanation, &inspection) < 0 || !says_why(diagnosis.explanation, report)) {
		diagnosis_free(&diagnosis);
		return diagnosis;
	}
	diagnosis_finish(&diagnosis);
	return diagnosis;
}

/* https://no-color.org */
static bool has_colours(FILE *to)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	return isatty(fileno(to)) && term && *term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

#define RED   "\033[1;31m"
#define GREEN "\033[1;32m"

/* In one call, so that the lines of processes that share standard error do not mix. */
static void print_line(FILE *to, const char *before, const char *colour, const char *label, const char *text,
		       const char *name)
{
	bool colours = has_colours(to);

	fprintf(to, "%s%s%s:%s %s%s%s%s\n", before, colours ? colour : "", label, colours ? "\033[0m" : "", text,
		name ? " (" : "", name ? name : "", name ? ")" : "");
}

/* The finding, and the errno of the exec unless it is already said. */
static void print_why(FILE *to, const struct diagnosis *diagnosis, const char *before)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;
	const char *label = ex->certainty == ERRPIPE_LIKELY ? "why (likely)" : "why";
	bool names_errno = !*before && ex->error && !other_errno(diagnosis);

	print_line(to, before, RED, label, diagnosis->finding, names_errno ? errno_name(ex->error) : NULL);
}

int diagnosis_print(FILE *to, const struct diagnosis *diagnosis, const char *before)
{
	if (!diagnosis->finding || !diagnosis->advice)
		return -1;
	print_why(to, diagnosis, before);
	if (*diagnosis->advice)
		print_line(to, before, GREEN, "fix", diagnosis->advice, NULL);
	return 0;
}

void diagnosis_tell(const struct diagnosis *diagnosis)
{
	if (diagnosis->explanation)
		diagnosis_print(stderr, diagnosis, "errpipe: ");
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	free_explanation(diagnosis->explanation);
	free(diagnosis->finding);
	free(diagnosis->advice);
	free(diagnosis->owned);
	diagnosis->explanation = NULL;
	diagnosis->finding = diagnosis->advice = diagnosis->owned = NULL;
}

/* SPDX-License-Identifier: MIT */
/* The outcome of run or exec: the line for people, and the exit code. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd.h"

__attribute__((format(printf, 3, 4))) static void set_failure(struct outcome *outcome, int error, const char *format,
							      ...)
{
	va_list args;

	free(outcome->failure);
	va_start(args, format);
	outcome->failure = own_words(error, format, args);
	va_end(args);
}

void outcome_fail(struct outcome *outcome, int error, const char *what, const char *name)
{
	char *words = name ? quoted(name) : NULL;

	if (words)
		set_failure(outcome, error, "%s %s", what, words);
	else
		set_failure(outcome, error, "%s", what);
	free(words);
	outcome->report = (struct errpipe_report){ .status = -1 };
}

/* The library does not know which directory it was. Put its name before the errno. */
static void name_directory(struct outcome *outcome)
{
	char *directory = quoted(outcome->setup->to.directory), *error = strrchr(outcome->line, ' ');
	char *line = NULL;

	if (directory && error &&
	    asprintf(&line, "%.*s %s%s", (int)(error - outcome->line), outcome->line, directory, error) >= 0) {
		free(outcome->line);
		outcome->line = line;
	}
	free(directory);
}

void outcome_finish(struct outcome *outcome)
{
	const char *failure = outcome->failure ? outcome->failure : "out of memory";
	size_t size;

	if (!outcome->report.verdict) {
		if (asprintf(&outcome->line, "errpipe: %s", failure) < 0)
			outcome->line = NULL;
		return;
	}
	size = errpipe_message(NULL, 0, &outcome->report, outcome->path) + 1;
	outcome->line = malloc(size);
	if (!outcome->line)
		return;
	errpipe_message(outcome->line, size, &outcome->report, outcome->path);
	if (outcome->setup && outcome->report.verdict == ERRPIPE_SETUP_FAILED &&
	    outcome->report.step == ERRPIPE_STEP_DIRECTORY)
		name_directory(outcome);
}

void outcome_print(const struct outcome *outcome)
{
	if (outcome->report.verdict == ERRPIPE_STARTED)
		return;
	if (outcome->line)
		fprintf(stderr, "%s\n", outcome->line);
	else
		print_own(NULL);
}

/* The signals by which the kernel, or abort(3), ends a program that goes wrong. Others can send them as well. */
static const char *crash_of(const struct errpipe_report *report)
{
	static const struct {
		int signal;
		const char *name;
	} crashes[] = {
		{ SIGILL, "SIGILL" }, { SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
		{ SIGFPE, "SIGFPE" }, { SIGSEGV, "SIGSEGV" }, { SIGSYS, "SIGSYS" },
	};

	if (report->verdict != ERRPIPE_STARTED || report->status == -1 || !WIFSIGNALED(report->status))
		return NULL;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++) {
		if (crashes[i].signal == WTERMSIG(report->status))
			return crashes[i].name;
	}
	return NULL;
}

void outcome_print_crash(const struct outcome *outcome)
{
	const char *signal = crash_of(&outcome->report);
	char *name = signal && outcome->path ? quoted(outcome->path) : NULL;

	if (name)
		fprintf(stderr, "errpipe: %s was started, and was then killed by %s\n", name, signal);
	free(name);
}

int outcome_exit_code(const struct outcome *outcome, enum errpipe_policy policy)
{
	return outcome->report.verdict ? errpipe_exit_code(&outcome->report, policy) : EXIT_OWN;
}

void outcome_free(struct outcome *outcome)
{
	free(outcome->path);
	free(outcome->tried);
	free(outcome->failure);
	free(outcome->line);
}

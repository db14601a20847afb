/* SPDX-License-Identifier: MIT */
/* The outcome of run or exec: the line for people, and the exit code. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"

void outcome_fail(struct outcome *outcome, int error, const char *format, ...)
{
	va_list args;

	free(outcome->failure);
	va_start(args, format);
	outcome->failure = own_words(error, format, args);
	va_end(args);
	outcome->report = (struct errpipe_report){ .status = -1 };
}

char *outcome_line(const struct outcome *outcome)
{
	size_t size;
	char *line;

	if (!outcome->report.verdict) {
		if (asprintf(&line, "errpipe: %s", outcome->failure ? outcome->failure : "no memory") < 0)
			return NULL;
		return line;
	}
	size = errpipe_message(NULL, 0, &outcome->report, outcome->path) + 1;
	line = malloc(size);
	if (line)
		errpipe_message(line, size, &outcome->report, outcome->path);
	return line;
}

int outcome_tell(const struct outcome *outcome, enum errpipe_policy policy)
{
	char *line;

	if (outcome->report.verdict != ERRPIPE_STARTED) {
		line = outcome_line(outcome);
		if (line)
			fprintf(stderr, "%s\n", line);
		else
			print_own(NULL);
		free(line);
	}
	return outcome->report.verdict ? errpipe_exit_code(&outcome->report, policy) : EXIT_OWN;
}

void outcome_free(struct outcome *outcome)
{
	free(outcome->path);
	free(outcome->tried);
	free(outcome->failure);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "internal.h"

static void add_signal(struct ep_line *line, int signal)
{
	static const struct {
		int number;
		const char *name;
	} signals[] = {
#define SIGNAL(name) { name, #name },
#include "dmz/signals.def"
#ifdef SIGSTKFLT
		{ SIGSTKFLT, "SIGSTKFLT" },
#endif
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i].number == signal) {
			ep_add(line, signals[i].name);
			return;
		}
	}
	ep_add(line, "signal ");
	ep_add_number(line, signal);
}

/* A number that has no equivalent on this host. */
static void add_raw(struct ep_line *line, const struct errpipe_report *report)
{
	ep_add(line, "errno ");
	ep_add_number(line, report->raw_error);
	ep_add(line, " of machine ");
	ep_add_number(line, report->machine);
}

static void add_words(struct ep_line *line, const struct errpipe_report *report)
{
	if (report->error)
		ep_add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		ep_add(line, "refused without an errno");
}

static void add_name(struct ep_line *line, const struct errpipe_report *report)
{
	const char *name = errpipe_errname(report->error);

	ep_add(line, " (");
	if (name)
		ep_add(line, name);
	else if (report->error)
		ep_add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		ep_add(line, "refused without an errno");
	ep_add(line, ")");
}

static const char *words_of_step(unsigned step)
{
	switch (step) {
#define STEP(id, number, systemd, words, document)                                                                   \
	case number:                                                                                                 \
		return words;
#define STEPS(id, first, last, document)
#include "dmz/steps.def"
	default:
		return NULL;
	}
}

static void add_step(struct ep_line *line, const struct errpipe_report *report)
{
	const char *words = words_of_step(report->step);

	if (words) {
		ep_add(line, words);
	} else if (report->step >= ERRPIPE_STEP_SETUP && report->step <= ERRPIPE_STEP_SETUP_LAST) {
		/* A later version knows its name. */
		ep_add(line, "setup of kind ");
		ep_add_number(line, report->step - ERRPIPE_STEP_SETUP);
		ep_add(line, " failed");
	} else {
		ep_add(line, "set-up step ");
		ep_add_number(line, report->step - ERRPIPE_STEP_CALLER);
		ep_add(line, " failed");
	}
	add_name(line, report);
}

static void add_end(struct ep_line *line, int status)
{
	if (status == -1) {
		ep_add(line, "ended");
	} else if (WIFSIGNALED(status)) {
		ep_add(line, "killed by ");
		add_signal(line, WTERMSIG(status));
	} else {
		ep_add(line, "exited with status ");
		ep_add_number(line, WEXITSTATUS(status));
	}
}

size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path)
{
	struct ep_line line = { buf, size, 0 };

	ep_add(&line, "exec");
	if (path) {
		ep_add(&line, " ");
		ep_add_path(&line, path);
	}
	ep_add(&line, ": ");

	switch (report ? (int)report->verdict : 0) {
	case ERRPIPE_STARTED:
		ep_add(&line, "started");
		break;
	case ERRPIPE_EXEC_FAILED:
		add_words(&line, report);
		break;
	case ERRPIPE_SETUP_FAILED:
		add_step(&line, report);
		break;
	case ERRPIPE_DIED:
		add_end(&line, report->status);
		ep_add(&line, " before it started");
		break;
	case ERRPIPE_CLOSED:
		if (report->status == -1) {
			ep_add(&line, "cannot tell whether it started (reaped by somebody else?)");
			break;
		}
		add_end(&line, report->status);
		ep_add(&line, "; whether it started is unknown");
		break;
	default:
		ep_add(&line, "no verdict");
	}

	return ep_end(&line);
}

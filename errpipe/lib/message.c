/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "internal.h"

static void add_signal(struct errpipe__line *line, int signal)
{
	static const struct {
		int number;
		const char *name;
	} signals[] = {
		{ SIGHUP, "SIGHUP" },	    { SIGINT, "SIGINT" },   { SIGQUIT, "SIGQUIT" },
		{ SIGILL, "SIGILL" },	    { SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" },
		{ SIGBUS, "SIGBUS" },	    { SIGFPE, "SIGFPE" },   { SIGKILL, "SIGKILL" },
		{ SIGUSR1, "SIGUSR1" },	    { SIGSEGV, "SIGSEGV" }, { SIGUSR2, "SIGUSR2" },
		{ SIGPIPE, "SIGPIPE" },	    { SIGALRM, "SIGALRM" }, { SIGTERM, "SIGTERM" },
		{ SIGXCPU, "SIGXCPU" },	    { SIGXFSZ, "SIGXFSZ" }, { SIGVTALRM, "SIGVTALRM" },
		{ SIGPROF, "SIGPROF" },	    { SIGIO, "SIGIO" },	    { SIGPWR, "SIGPWR" },
		{ SIGSYS, "SIGSYS" },
#ifdef SIGSTKFLT
		{ SIGSTKFLT, "SIGSTKFLT" },
#endif
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i].number == signal) {
			errpipe__add(line, signals[i].name);
			return;
		}
	}
	errpipe__add(line, "signal ");
	errpipe__add_number(line, signal);
}

/* An error that only the writer's numbering knows. */
static void add_raw(struct errpipe__line *line, const struct errpipe_report *report)
{
	errpipe__add(line, "errno ");
	errpipe__add_number(line, report->raw_error);
	errpipe__add(line, " of machine ");
	errpipe__add_number(line, report->machine);
}

static void add_words(struct errpipe__line *line, const struct errpipe_report *report)
{
	if (report->error)
		errpipe__add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		errpipe__add(line, "refused without an error");
}

static void add_name(struct errpipe__line *line, const struct errpipe_report *report)
{
	const char *name = errpipe_errname(report->error);

	errpipe__add(line, " (");
	if (name)
		errpipe__add(line, name);
	else if (report->error)
		errpipe__add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		errpipe__add(line, "refused without an error");
	errpipe__add(line, ")");
}

static void add_step(struct errpipe__line *line, const struct errpipe_report *report)
{
	if (report->step == ERRPIPE_STEP_STUB) {
		errpipe__add(line, "cannot start the stub");
	} else if (report->step == ERRPIPE_STEP_FCNTL) {
		errpipe__add(line, "cannot set close-on-exec on the report");
	} else {
		errpipe__add(line, "set-up step ");
		errpipe__add_number(line, report->step - ERRPIPE_STEP_CALLER);
		errpipe__add(line, " failed");
	}
	add_name(line, report);
}

static void add_end(struct errpipe__line *line, int status)
{
	if (status == -1) {
		errpipe__add(line, "ended");
	} else if (WIFSIGNALED(status)) {
		errpipe__add(line, "killed by ");
		add_signal(line, WTERMSIG(status));
	} else {
		errpipe__add(line, "exited with status ");
		errpipe__add_number(line, WEXITSTATUS(status));
	}
}

size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path)
{
	struct errpipe__line line = { buf, size, 0 };

	errpipe__add(&line, "exec");
	if (path) {
		errpipe__add(&line, " ");
		errpipe__add_path(&line, path);
	}
	errpipe__add(&line, ": ");

	switch (report ? (int)report->verdict : 0) {
	case ERRPIPE_STARTED:
		errpipe__add(&line, "started");
		break;
	case ERRPIPE_EXEC_FAILED:
		add_words(&line, report);
		break;
	case ERRPIPE_SETUP_FAILED:
		add_step(&line, report);
		break;
	case ERRPIPE_DIED:
		add_end(&line, report->status);
		errpipe__add(&line, " before it started");
		break;
	case ERRPIPE_CLOSED:
		if (report->status == -1) {
			errpipe__add(&line, "cannot tell whether it started (reaped by somebody else?)");
			break;
		}
		add_end(&line, report->status);
		errpipe__add(&line, ", whether it started is unknown");
		break;
	default:
		errpipe__add(&line, "no verdict");
	}

	return errpipe__end(&line);
}

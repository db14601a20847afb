/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "internal.h"

/* A line that is cut off where the buffer ends, and whose length is counted on. */
struct line {
	char *buf;
	size_t size, length;
};

static void add_char(struct line *line, char c)
{
	if (line->length + 1 < line->size)
		line->buf[line->length] = c;
	line->length++;
}

static void add(struct line *line, const char *text)
{
	while (*text)
		add_char(line, *text++);
}

static void add_number(struct line *line, int n)
{
	char decimal[ERRPIPE__DECIMAL];

	add(line, errpipe__decimal(decimal, n));
}

static void add_escaped(struct line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	add_char(line, '\\');
	switch (c) {
	case '\n':
		add_char(line, 'n');
		break;
	case '\r':
		add_char(line, 'r');
		break;
	case '\t':
		add_char(line, 't');
		break;
	default:
		add_char(line, 'x');
		add_char(line, hex[c >> 4]);
		add_char(line, hex[c & 15]);
	}
}

/* Control characters are ASCII's, and U+0080 to U+009f, which a terminal takes for escape sequences as well. */
static void add_path(struct line *line, const char *path)
{
	const unsigned char *p = (const unsigned char *)path;

	for (; *p; p++) {
		if (*p < ' ' || *p == 0x7f) {
			add_escaped(line, *p);
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			add_escaped(line, *p++);
			add_escaped(line, *p);
		} else {
			add_char(line, *p);
		}
	}
}

static void add_signal(struct line *line, int signal)
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
			add(line, signals[i].name);
			return;
		}
	}
	add(line, "signal ");
	add_number(line, signal);
}

/* An error that only the writer's numbering knows. */
static void add_raw(struct line *line, const struct errpipe_report *report)
{
	add(line, "errno ");
	add_number(line, report->raw_error);
	add(line, " of machine ");
	add_number(line, report->machine);
}

static void add_words(struct line *line, const struct errpipe_report *report)
{
	if (report->error)
		add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		add(line, "refused without an error");
}

static void add_name(struct line *line, const struct errpipe_report *report)
{
	const char *name = errpipe_errname(report->error);

	add(line, " (");
	if (name)
		add(line, name);
	else if (report->error)
		add(line, errpipe_strerror(report->error));
	else if (report->raw_error)
		add_raw(line, report);
	else
		add(line, "refused without an error");
	add(line, ")");
}

static void add_step(struct line *line, const struct errpipe_report *report)
{
	if (report->step == ERRPIPE_STEP_STUB) {
		add(line, "cannot start the stub");
	} else if (report->step == ERRPIPE_STEP_FCNTL) {
		add(line, "cannot set close-on-exec on the report");
	} else {
		add(line, "set-up step ");
		add_number(line, report->step - ERRPIPE_STEP_CALLER);
		add(line, " failed");
	}
	add_name(line, report);
}

static void add_end(struct line *line, int status)
{
	if (status == -1) {
		add(line, "ended");
	} else if (WIFSIGNALED(status)) {
		add(line, "killed by ");
		add_signal(line, WTERMSIG(status));
	} else {
		add(line, "exited with status ");
		add_number(line, WEXITSTATUS(status));
	}
}

size_t errpipe_message(char *buf, size_t size, const struct errpipe_report *report, const char *path)
{
	struct line line = { buf, size, 0 };

	add(&line, "exec");
	if (path) {
		add(&line, " ");
		add_path(&line, path);
	}
	add(&line, ": ");

	switch (report->verdict) {
	case ERRPIPE_STARTED:
		add(&line, "started");
		break;
	case ERRPIPE_EXEC_FAILED:
		add_words(&line, report);
		break;
	case ERRPIPE_SETUP_FAILED:
		add_step(&line, report);
		break;
	case ERRPIPE_DIED:
		add_end(&line, report->status);
		add(&line, " before it started");
		break;
	case ERRPIPE_CLOSED:
		if (report->status == -1)
			add(&line, "closed its report");
		else
			add_end(&line, report->status);
		add(&line, ", whether it started is unknown");
		break;
	default:
		add(&line, "no verdict");
	}

	if (size)
		buf[line.length < size ? line.length : size - 1] = '\0';
	return line.length;
}

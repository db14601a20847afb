/* SPDX-License-Identifier: MIT */
/*
 * The object that --report and --json write. Its keys and their order are stable; errpipe(1) documents them.
 *
 * level, msg and time come first and have the meaning that they have in a runtime's log: containerd takes the msg of the
 * last object whose level is error, and podman reads a log as one object.
 */
#include <errno.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const char *const verdicts[] = {
	[ERRPIPE_STARTED] = "STARTED", [ERRPIPE_EXEC_FAILED] = "EXEC_FAILED", [ERRPIPE_SETUP_FAILED] = "SETUP_FAILED",
	[ERRPIPE_DIED] = "DIED",       [ERRPIPE_CLOSED] = "CLOSED",
};

/* How many bytes at p are one character of UTF-8 (RFC 3629), or 0. */
static size_t utf8_length(const char *p)
{
	for (size_t length = 1; length <= 4; length++) {
		json_t *string;

		if (length > 1 && !p[length - 1])
			return 0;
		string = json_stringn(p, length); /* NULL if it is not UTF-8 */
		json_decref(string);
		if (string)
			return length;
	}
	return 0;
}

/* JSON has characters, and a path has bytes: those that are no characters become U+FFFD. */
static json_t *text(const char *bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *valid = malloc(3 * strlen(bytes) + 1), *end = valid;
	json_t *string;

	if (!valid)
		return NULL;
	while (*bytes) {
		size_t length = utf8_length(bytes);

		memcpy(end, length ? bytes : replacement, length ? length : 3);
		end += length ? length : 3;
		bytes += length ? length : 1;
	}
	string = json_stringn(valid, end - valid);
	free(valid);
	return string;
}

/* Only where text() has lost something. */
static json_t *hex_of(const char *bytes)
{
	json_t *whole = json_string(bytes), *string;
	char *hex;

	json_decref(whole);
	if (whole)
		return json_null();
	hex = malloc(2 * strlen(bytes) + 1);
	if (!hex)
		return NULL;
	for (size_t i = 0; bytes[i]; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)bytes[i]);
	string = json_string(hex);
	free(hex);
	return string;
}

static json_t *now(void)
{
	char text[sizeof("2026-01-01T00:00:00Z")];
	time_t seconds = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	return json_string(text);
}

static json_t *name_of(int error)
{
	const char *name = error ? errpipe_errname(error) : NULL;

	return name ? json_string(name) : json_null();
}

static json_t *integer_or_null(int known, int value)
{
	return known ? json_integer(value) : json_null();
}

int json_write(FILE *to, const struct outcome *outcome, int exit_code)
{
	const struct errpipe_report *report = &outcome->report;
	int status = report->status, failed, ran;
	char *line = outcome_line(outcome);
	json_t *object;
	int ret = 0;

	if (!line)
		return -ENOMEM;
	failed = report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED;
	ran = report->verdict && !failed && status != -1;
	object = json_pack(
		"{s:s, s:o, s:o, s:s?, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:s?, s:s?}", "level",
		report->verdict == ERRPIPE_STARTED ? "info" : "error", "msg", text(line), "time", now(), "verdict",
		report->verdict ? verdicts[report->verdict] : NULL, "path",
		outcome->path ? text(outcome->path) : json_null(), "path_hex",
		outcome->path ? hex_of(outcome->path) : json_null(), "errno", name_of(report->error), "error",
		report->error, "raw_error", report->raw_error, "machine", (int)report->machine, "step",
		(int)report->step, "exit_status", integer_or_null(ran && WIFEXITED(status), WEXITSTATUS(status)),
		"signal", integer_or_null(ran && WIFSIGNALED(status), WTERMSIG(status)), "exit_code",
		integer_or_null(exit_code >= 0, exit_code), "route",
		exit_code < 0 || !report->verdict ? NULL
		: outcome->route == ERRPIPE_STUB  ? "stub"
						  : "direct",
		"route_reason", exit_code < 0 || !report->verdict ? NULL : errpipe_route_reason(outcome->route));
	free(line);
	if (!object)
		return -ENOMEM;
	errno = EIO;
	if (json_dumpf(object, to, JSON_COMPACT) < 0 || fputc('\n', to) == EOF || fflush(to) == EOF)
		ret = -errno;
	json_decref(object);
	return ret;
}
#else
int json_write(FILE *to, const struct outcome *outcome, int exit_code)
{
	(void)to;
	(void)outcome;
	(void)exit_code;
	return -ENOSYS;
}
#endif

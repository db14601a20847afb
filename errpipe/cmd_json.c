/* SPDX-License-Identifier: MIT */
/*
 * The object that --report and --json write. Its keys and their order are stable; errpipe(1) documents them.
 *
 * level, msg and time come first and have the meaning that they have in a runtime's log: containerd takes the msg of the
 * last object whose level is error, and podman reads a log as one object.
 */
#include <errno.h>

#include "cmd.h"

bool json_is_there(void)
{
#ifdef HAVE_JANSSON
	return true;
#else
	own_failure(0, "built without JSON: there was no jansson");
	return false;
#endif
}

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
	char rfc3339[sizeof("2026-01-01T00:00:00Z")];
	time_t seconds = time(NULL);
	struct tm tm;

	strftime(rfc3339, sizeof(rfc3339), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	return json_string(rfc3339);
}

static json_t *string_or_null(const char *string)
{
	return string ? json_string(string) : json_null();
}

static json_t *integer_or_null(bool known, int value)
{
	return known ? json_integer(value) : json_null();
}

/* What is NULL for want of memory is seen in the end. */
static void add(json_t **object, const char *key, json_t *value)
{
	if (*object && json_object_set_new(*object, key, value) == 0)
		return;
	if (!*object)
		json_decref(value);
	json_decref(*object);
	*object = NULL;
}

static void add_log(json_t **object, const struct outcome *outcome)
{
	char *line = outcome_line(outcome);

	add(object, "level", json_string(outcome->report.verdict == ERRPIPE_STARTED ? "info" : "error"));
	add(object, "msg", line ? text(line) : NULL);
	add(object, "time", now());
	free(line);
}

static void add_path(json_t **object, const char *path)
{
	add(object, "path", path ? text(path) : json_null());
	add(object, "path_hex", path ? hex_of(path) : json_null());
}

static void add_failure(json_t **object, const struct errpipe_report *report)
{
	add(object, "errno", string_or_null(report->error ? errpipe_errname(report->error) : NULL));
	add(object, "error", json_integer(report->error));
	add(object, "raw_error", json_integer(report->raw_error));
	add(object, "machine", json_integer(report->machine));
	add(object, "step", json_integer(report->step));
}

static bool has_failed(const struct errpipe_report *report)
{
	return report->verdict == ERRPIPE_EXEC_FAILED || report->verdict == ERRPIPE_SETUP_FAILED;
}

/* The status of a failed exec is that of a process which was killed for it. */
static void add_end(json_t **object, const struct errpipe_report *report)
{
	int status = report->status;
	bool known = report->verdict && !has_failed(report) && status != -1;

	add(object, "exit_status", integer_or_null(known && WIFEXITED(status), WEXITSTATUS(status)));
	add(object, "signal", integer_or_null(known && WIFSIGNALED(status), WTERMSIG(status)));
}

static void add_route(json_t **object, const enum errpipe_route *route)
{
	add(object, "route", string_or_null(!route ? NULL : *route == ERRPIPE_STUB ? "stub" : "direct"));
	add(object, "route_reason", string_or_null(route ? errpipe_route_reason(*route) : NULL));
}

int json_write(FILE *to, const struct outcome *outcome, int exit_code)
{
	const struct errpipe_report *report = &outcome->report;
	bool tried = exit_code >= 0 && report->verdict;
	json_t *object = json_object();
	int ret = 0;

	add_log(&object, outcome);
	add(&object, "verdict", string_or_null(report->verdict ? verdicts[report->verdict] : NULL));
	add_path(&object, outcome->path);
	add_failure(&object, report);
	add_end(&object, report);
	add(&object, "exit_code", integer_or_null(exit_code >= 0, exit_code));
	add_route(&object, tried ? &outcome->route : NULL);
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
	(void)to; /* json_is_there() was asked before */
	(void)outcome;
	(void)exit_code;
	return -ENOSYS;
}
#endif

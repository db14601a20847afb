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
#include "cmd_json.h"

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

json_t *json_text(const char *bytes)
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

json_t *string_or_null(const char *string)
{
	return string ? json_string(string) : json_null();
}

json_t *text_or_null(const char *bytes)
{
	return bytes ? json_text(bytes) : json_null();
}

json_t *integer_or_null(bool known, json_int_t value)
{
	return known ? json_integer(value) : json_null();
}

void json_add(json_t **object, const char *key, json_t *value)
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

	json_add(object, "level", json_string(outcome->report.verdict == ERRPIPE_STARTED ? "info" : "error"));
	json_add(object, "msg", line ? json_text(line) : NULL);
	json_add(object, "time", now());
	free(line);
}

static void add_path(json_t **object, const char *path)
{
	json_add(object, "path", text_or_null(path));
	json_add(object, "path_hex", path ? hex_of(path) : json_null());
}

static void add_failure(json_t **object, const struct errpipe_report *report)
{
	json_add(object, "errno", string_or_null(report->error ? errpipe_errname(report->error) : NULL));
	json_add(object, "error", json_integer(report->error));
	json_add(object, "raw_error", json_integer(report->raw_error));
	json_add(object, "machine", json_integer(report->machine));
	json_add(object, "step", json_integer(report->step));
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

	json_add(object, "exit_status", integer_or_null(known && WIFEXITED(status), WEXITSTATUS(status)));
	json_add(object, "signal", integer_or_null(known && WIFSIGNALED(status), WTERMSIG(status)));
}

static void add_route(json_t **object, const enum errpipe_route *route)
{
	json_add(object, "route", string_or_null(!route ? NULL : *route == ERRPIPE_STUB ? "stub" : "direct"));
	json_add(object, "route_reason", string_or_null(route ? errpipe_route_reason(*route) : NULL));
}

/* JSON need not escape DEL and U+0080 to U+009f, but a terminal takes them for its own. They are in strings only. */
static void put(FILE *to, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++) {
		if (*p == 0x7f)
			fputs("\\u007f", to);
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			fprintf(to, "\\u00%02x", *++p);
		else
			fputc(*p, to);
	}
	fputc('\n', to);
}

int json_print(FILE *to, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int ret = 0;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	errno = EIO;
	put(to, text);
	if (fflush(to) == EOF || ferror(to))
		ret = -errno;
	free(text);
	return ret;
}

int json_write(FILE *to, const struct outcome *outcome, const struct diagnosis *diagnosis, int exit_code)
{
	const struct errpipe_report *report = &outcome->report;
	bool tried = exit_code >= 0 && report->verdict;
	json_t *object = json_object();

	add_log(&object, outcome);
	json_add(&object, "verdict", string_or_null(report->verdict ? verdicts[report->verdict] : NULL));
	add_path(&object, outcome->path);
	add_failure(&object, report);
	add_end(&object, report);
	json_add(&object, "exit_code", integer_or_null(exit_code >= 0, exit_code));
	add_route(&object, tried ? &outcome->route : NULL);
	json_add(&object, "diagnosis", diagnosis && diagnosis->explanation ? json_of(diagnosis) : json_null());
	return json_print(to, object);
}
#else
int json_write(FILE *to, const struct outcome *outcome, const struct diagnosis *diagnosis, int exit_code)
{
	(void)to; /* json_is_there() was asked before */
	(void)outcome;
	(void)diagnosis;
	(void)exit_code;
	return -ENOSYS;
}
#endif

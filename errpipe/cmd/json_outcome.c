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
#include "json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define VERDICT(name) [ERRPIPE_##name] = #name

static const char *const verdicts[] = {
	VERDICT(STARTED), VERDICT(EXEC_FAILED), VERDICT(SETUP_FAILED), VERDICT(DIED), VERDICT(CLOSED),
};

/* The bytes in hexadecimal, or null if they are UTF-8. */
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

static void add_log(json_t **object, const struct outcome *outcome)
{
	json_add(object, "level", json_string(outcome->report.verdict == ERRPIPE_STARTED ? "info" : "error"));
	json_add(object, "msg", outcome->line ? json_text(outcome->line) : NULL);
	json_add(object, "time", now());
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

/* After a failed exec the process was killed, so its status says nothing. */
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
	(void)to; /* the caller has checked json_is_there() */
	(void)outcome;
	(void)diagnosis;
	(void)exit_code;
	return -ENOSYS;
}
#endif

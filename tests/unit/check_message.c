/* SPDX-License-Identifier: MIT */
/* The message and the exit code for every verdict. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "errpipe.h"
#include "suite.h"

#define EXITED(status) (((status)&0xff) << 8)
#define KILLED(signal) (signal)
#define DUMPED(signal) ((signal) | 0x80)
#define FAILED(number)                                                                                               \
	.verdict = ERRPIPE_EXEC_FAILED, .error = number, .raw_error = number, .machine = 62, .status = -1
#define SETUP(which, number)                                                                                         \
	.verdict = ERRPIPE_SETUP_FAILED, .error = number, .raw_error = number, .machine = 62, .step = which,         \
	.status = -1
/* A record from a mips machine, with a number that has no name there. */
#define FAILED_THERE(what, which) .verdict = what, .raw_error = 1000, .machine = 8, .step = which, .status = -1
#define ENDED(which, how)	  .verdict = which, .status = how

/* Each row has a report, its message, and its exit codes by policy: posix, dockerd, runc, systemd. */
static const struct {
	struct errpipe_report report;
	const char *line;
	int codes[4];
} rows[] = {
	{ { FAILED(ENOEXEC) }, "exec /x: exec format error", { 126, 128, 255, 203 } },
	{ { FAILED(ENOENT) }, "exec /x: no such file or directory", { 127, 127, 255, 203 } },
	{ { FAILED(EACCES) }, "exec /x: permission denied", { 126, 126, 255, 203 } },
	{ { FAILED(ENOTDIR) }, "exec /x: not a directory", { 126, 127, 255, 203 } },
	{ { FAILED(EISDIR) }, "exec /x: is a directory", { 126, 126, 255, 203 } },
	{ { FAILED(EPERM) }, "exec /x: operation not permitted", { 126, 128, 255, 203 } },
	{ { FAILED(ELIBBAD) }, "exec /x: accessing a corrupted shared library", { 126, 128, 255, 203 } },
	{ { FAILED(0) }, "exec /x: refused without an errno", { 126, 128, 255, 203 } },
	{ { FAILED(4000) }, "exec /x: errno 4000", { 126, 128, 255, 203 } },
	{ { FAILED_THERE(ERRPIPE_EXEC_FAILED, ERRPIPE_STEP_EXEC) },
	  "exec /x: errno 1000 of machine 8",
	  { 126, 128, 255, 203 } },

	{ { SETUP(ERRPIPE_STEP_STUB, EACCES) }, "exec /x: cannot start the stub (EACCES)", { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_STUB, 0) },
	  "exec /x: cannot start the stub (refused without an errno)",
	  { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_STUB, 4000) }, "exec /x: cannot start the stub (errno 4000)", { 125, 125, 255, 203 } },
	{ { FAILED_THERE(ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_STUB) },
	  "exec /x: cannot start the stub (errno 1000 of machine 8)",
	  { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_FCNTL, EPERM) },
	  "exec /x: cannot set close-on-exec on the report (EPERM)",
	  { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_CALLER, ENOENT) }, "exec /x: set-up step 0 failed (ENOENT)", { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_CALLER_LAST, EISDIR) },
	  "exec /x: set-up step 32766 failed (EISDIR)",
	  { 125, 125, 255, 203 } },

	{ { SETUP(ERRPIPE_STEP_DIRECTORY, EACCES) },
	  "exec /x: cannot change to the working directory (EACCES)",
	  { 125, 125, 255, 200 } },
	{ { SETUP(ERRPIPE_STEP_USER, EPERM) }, "exec /x: cannot set the user (EPERM)", { 125, 125, 255, 217 } },
	{ { SETUP(ERRPIPE_STEP_UMASK, 0) },
	  "exec /x: cannot set the umask (refused without an errno)",
	  { 125, 125, 255, 203 } },
	{ { SETUP(ERRPIPE_STEP_SETUP_LAST, EPERM) },
	  "exec /x: setup of kind 16383 failed (EPERM)",
	  { 125, 125, 255, 203 } },

	{ { ENDED(ERRPIPE_DIED, KILLED(SIGKILL)) },
	  "exec /x: killed by SIGKILL before it started",
	  { 137, 137, 137, 137 } },
	{ { ENDED(ERRPIPE_DIED, DUMPED(SIGSEGV)) },
	  "exec /x: killed by SIGSEGV before it started",
	  { 139, 139, 139, 139 } },
	{ { ENDED(ERRPIPE_DIED, KILLED(40)) },
	  "exec /x: killed by signal 40 before it started",
	  { 168, 168, 168, 168 } },
	{ { ENDED(ERRPIPE_DIED, EXITED(125)) },
	  "exec /x: exited with status 125 before it started",
	  { 125, 125, 125, 125 } },
	{ { ENDED(ERRPIPE_DIED, -1) }, "exec /x: ended before it started", { 125, 125, 255, 203 } },

	{ { ENDED(ERRPIPE_CLOSED, -1) },
	  "exec /x: cannot tell whether it started (reaped by somebody else?)",
	  { 125, 125, 255, 203 } },
	{ { ENDED(ERRPIPE_CLOSED, EXITED(126)) },
	  "exec /x: exited with status 126; whether it started is unknown",
	  { 126, 126, 126, 126 } },
	{ { ENDED(ERRPIPE_CLOSED, KILLED(SIGTERM)) },
	  "exec /x: killed by SIGTERM; whether it started is unknown",
	  { 143, 143, 143, 143 } },

	{ { ENDED(ERRPIPE_STARTED, -1) }, "exec /x: started", { 0, 0, 0, 0 } },
	{ { ENDED(ERRPIPE_STARTED, EXITED(0)) }, "exec /x: started", { 0, 0, 0, 0 } },
	{ { ENDED(ERRPIPE_STARTED, EXITED(7)) }, "exec /x: started", { 7, 7, 7, 7 } },
	{ { ENDED(ERRPIPE_STARTED, EXITED(255)) }, "exec /x: started", { 255, 255, 255, 255 } },
	{ { ENDED(ERRPIPE_STARTED, KILLED(SIGINT)) }, "exec /x: started", { 130, 130, 130, 130 } },
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

START_TEST(line_and_exit_codes)
{
	char line[200];
	size_t length = errpipe_message(line, sizeof(line), &rows[_i].report, "/x");

	ck_assert_str_eq(line, rows[_i].line);
	ck_assert_uint_eq(length, strlen(rows[_i].line));
	for (int policy = ERRPIPE_POSIX; policy <= ERRPIPE_SYSTEMD; policy++)
		ck_assert_int_eq(errpipe_exit_code(&rows[_i].report, policy), rows[_i].codes[policy]);
}
END_TEST

START_TEST(impossible_verdict_or_policy)
{
	struct errpipe_report report = { FAILED(ENOENT) };
	char line[100];

	ck_assert_int_eq(errpipe_exit_code(&report, (enum errpipe_policy) - 1), -EINVAL);
	ck_assert_int_eq(errpipe_exit_code(&report, (enum errpipe_policy)4), -EINVAL);
	report.verdict = 0;
	ck_assert_int_eq(errpipe_exit_code(&report, ERRPIPE_POSIX), -EINVAL);
	errpipe_message(line, sizeof(line), &report, "/x");
	ck_assert_str_eq(line, "exec /x: no verdict");
}
END_TEST

/*
 * Docker's daemon and client, podman and containerd choose exit codes by these phrases. All of them lower-case the
 * message first.
 */
static const char *const parsed[] = {
	"permission denied", "is a directory", "not a directory",	  "executable file not found",
	"not found",	     "no such file",   "operation not permitted", "open executable",
};

/* Only the message of a failed exec may contain these phrases. Other verdicts avoid them for every errno. */
START_TEST(no_parsed_words_but_for_a_failed_exec)
{
	static const unsigned steps[] = { ERRPIPE_STEP_STUB, ERRPIPE_STEP_FCNTL, ERRPIPE_STEP_CALLER };

	for (int error = 0; error <= 4095; error++) {
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
			struct errpipe_report report = { SETUP(steps[i], error) };
			char line[200];

			errpipe_message(line, sizeof(line), &report, "/x");
			for (char *p = line; *p; p++)
				*p = tolower((unsigned char)*p);
			for (size_t j = 0; j < sizeof(parsed) / sizeof(*parsed); j++)
				ck_assert_msg(!strstr(line, parsed[j]), "%s", line);
		}
	}
}
END_TEST

START_TEST(no_parsed_words_in_the_rows)
{
	if (rows[_i].report.verdict == ERRPIPE_EXEC_FAILED)
		return;
	for (size_t j = 0; j < sizeof(parsed) / sizeof(*parsed); j++)
		ck_assert_ptr_null(strstr(rows[_i].line, parsed[j]));
}
END_TEST

START_TEST(every_buffer_size)
{
	const struct errpipe_report report = { FAILED(ENOEXEC) };
	const char *whole = "exec ./a\\n: exec format error";
	size_t length = strlen(whole);

	for (size_t size = 0; size <= length + 2; size++) {
		char *buf = malloc(size ? size : 1);
		size_t fits = size > length ? length : size - 1;

		ck_assert_ptr_nonnull(buf);
		ck_assert_uint_eq(errpipe_message(size ? buf : NULL, size, &report, "./a\n"), length);
		if (size) {
			ck_assert_mem_eq(buf, whole, fits);
			ck_assert_int_eq(buf[fits], '\0');
		}
		free(buf);
	}
}
END_TEST

static const struct {
	const char *path, *shown;
} escapes[] = {
	{ "./a b", "./a b" },
	{ "", "" },
	{ "a\nb", "a\\nb" },
	{ "/bin/sh\r", "/bin/sh\\r" },
	{ "a\tb", "a\\tb" },
	{ "\x1b[31m", "\\x1b[31m" },
	{ "a\x7f", "a\\x7f" },
	{ "\x01\x1f", "\\x01\\x1f" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" }, /* letters with a byte in the range of control characters */
	{ "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m" }, /* U+009B, the single-character form of ESC [ */
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "\xc2", "\xc2" },
	{ "\xff\xfe", "\xff\xfe" },
	{ "a\\n'\"", "a\\n'\"" },
};

START_TEST(control_characters_in_the_path)
{
	const struct errpipe_report report = { FAILED(ENOENT) };
	char line[100], want[100] = "exec ";

	strcat(want, escapes[_i].shown);
	strcat(want, ": no such file or directory");
	errpipe_message(line, sizeof(line), &report, escapes[_i].path);
	ck_assert_str_eq(line, want);
}
END_TEST

START_TEST(no_path)
{
	const struct errpipe_report report = { FAILED(ENOENT) };
	char line[100];

	errpipe_message(line, sizeof(line), &report, NULL);
	ck_assert_str_eq(line, "exec: no such file or directory");
}
END_TEST

START_TEST(a_long_path)
{
	const struct errpipe_report report = { FAILED(ENAMETOOLONG) };
	enum { LONG = 1 << 20 };
	char *path = malloc(LONG + 1), *line = malloc(LONG + 100);

	ck_assert_ptr_nonnull(path);
	ck_assert_ptr_nonnull(line);
	memset(path, 'x', LONG);
	path[LONG] = '\0';
	errpipe_message(line, LONG + 100, &report, path);
	ck_assert_str_eq(line + strlen("exec ") + LONG, ": file name too long");
	free(path);
	free(line);
}
END_TEST

static Suite *message_suite(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("message");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, line_and_exit_codes, 0, ROWS);
	tcase_add_loop_test(tcase, no_parsed_words_in_the_rows, 0, ROWS);
	tcase_add_test(tcase, no_parsed_words_but_for_a_failed_exec);
	tcase_add_test(tcase, impossible_verdict_or_policy);
	tcase_add_test(tcase, every_buffer_size);
	tcase_add_loop_test(tcase, control_characters_in_the_path, 0, sizeof(escapes) / sizeof(*escapes));
	tcase_add_test(tcase, no_path);
	tcase_add_test(tcase, a_long_path);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(message_suite());
}

/* SPDX-License-Identifier: MIT */
/* Mistakes of the caller. Each returns an error: none crashes or starts another program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe_explain.h"
#include "spawned.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { CLOSED_FD = 999 };

static char *true_argv[] = { (char *)"true", NULL };
static const char missing[] = "/nowhere/at/all";

static int spawn_true(const struct errpipe_spawn *spawn)
{
	struct errpipe_child child = { .pid = getpid() };
	int ret = errpipe_spawn(&child, spawn, "/bin/true", true_argv, environ);

	if (ret == 0)
		finish(&child);
	else
		ck_assert_int_eq(child.pid, -1);
	return ret;
}

/* --- pointers that are NULL --------------------------------------------------------------------------------- */

START_TEST(no_struct)
{
	struct errpipe_child child = { .pid = getpid(), .poll_fd = -1 };
	struct errpipe_report report;
	struct errpipe_identity identity = { .uid = 0 };
	struct errpipe_setup setup = { .set = 0 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(errpipe_pipe(NULL), -EFAULT);
	ck_assert_int_eq(errpipe_stub_file(NULL), -EFAULT);
	ck_assert_int_eq(errpipe_identity(NULL), -EFAULT);
	ck_assert_int_eq(errpipe_route(NULL, "/bin/true"), -EFAULT);
	ck_assert_int_eq(errpipe_route(&identity, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_setup_route(&setup, NULL, "/bin/true"), -EFAULT);
	ck_assert_int_eq(errpipe_setup_route(&setup, &identity, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_spawn(NULL, NULL, "/bin/true", true_argv, environ), -EFAULT);
	ck_assert_int_eq(errpipe_adopt(NULL, getpid(), ERRPIPE_NO_STUB, -1), -EFAULT);
	ck_assert_int_eq(errpipe_read_child(NULL, &report), -EFAULT);
	ck_assert_int_eq(errpipe_read_child(&child, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_look(NULL, &report), -EFAULT);
	ck_assert_int_eq(errpipe_look(&child, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_settle(NULL, &report), -EFAULT);
	ck_assert_int_eq(errpipe_settle(&child, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_wait(NULL, &report), -EFAULT);
	ck_assert_int_eq(errpipe_wait(&child, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_read(null, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_decode(NULL, 1, &report), -EFAULT);
	ck_assert_int_eq(errpipe_decode(NULL, 16, &report), -EFAULT);
	ck_assert_int_eq(errpipe_decode("", 16, NULL), -EFAULT);
	ck_assert_int_eq(errpipe_exit_code(NULL, ERRPIPE_POSIX), -EFAULT);
	close(null);
}
END_TEST

/* The caller can still wait for the child after such a mistake. */
START_TEST(wait_without_a_report)
{
	struct errpipe_child child = start(NULL, "/bin/true", true_argv);
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_wait(&child, NULL), -EFAULT);
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
}
END_TEST

START_TEST(lines_without_a_buffer)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOENT, .status = -1 };
	static struct errpipe_explanation ex = { .cause = ERRPIPE_CAUSE_EMPTY_PATH, .broken = -1 };
	const char line[] = "exec x: no such file or directory";
	char buf[64] = "";

	for (size_t size = 0; size < 64; size += 63) {
		ck_assert_uint_eq(errpipe_message(NULL, size, &report, "x"), strlen(line));
		ck_assert(errpipe_finding(NULL, size, &ex) > 0);
		ck_assert(errpipe_advice(NULL, size, &ex) > 0);
		ck_assert_uint_eq(errpipe_link_words(NULL, size, &ex, 0), 0);
	}
	ck_assert_uint_eq(errpipe_message(buf, sizeof(buf), NULL, "x"), strlen("exec x: no verdict"));
	ck_assert_str_eq(buf, "exec x: no verdict");
	ck_assert_uint_eq(errpipe_finding(buf, sizeof(buf), NULL), 0);
	ck_assert_str_eq(buf, "");
	ck_assert_uint_eq(errpipe_advice(buf, sizeof(buf), NULL), 0);
	ck_assert_uint_eq(errpipe_link_words(buf, sizeof(buf), NULL, 0), 0);
}
END_TEST

/* --- the stub ----------------------------------------------------------------------------------------------- */

/* Standard input is a program, which must not be executed instead of the target. */
static void start_with_stdin(int i)
{
	const struct errpipe_spawn zeros = { .stub = 0 };
	struct errpipe_report report;
	struct errpipe_child child;

	(void)i;
	ck_assert_int_eq(dup2(open("/bin/false", O_RDONLY | O_CLOEXEC), STDIN_FILENO), STDIN_FILENO);
	child = start(&zeros, "/bin/true", true_argv);
	ck_assert_int_eq(child.route, ERRPIPE_DIRECT_ASKED);
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
}

START_TEST(a_struct_of_zeros_has_no_stub)
{
	const struct errpipe_spawn stub_only = { .flags = ERRPIPE_STUB_ONLY };

	in_child(start_with_stdin, 0);
	ck_assert_int_eq(spawn_true(&stub_only), -EINVAL);
}
END_TEST

static const struct {
	int stub, error;
} bad_stubs[] = { { STDOUT_FILENO, EINVAL }, { STDERR_FILENO, EINVAL }, { CLOSED_FD, EBADF } };

START_TEST(spawn_by_a_bad_stub)
{
	const unsigned flags[] = { 0, ERRPIPE_STUB_ONLY };

	for (size_t i = 0; i < COUNT(flags); i++) {
		const struct errpipe_spawn spawn = { .stub = bad_stubs[_i].stub, .flags = flags[i] };

		ck_assert_int_eq(spawn_true(&spawn), -bad_stubs[_i].error);
	}
}
END_TEST

/* Call errpipe_exec() in a child. Returns the report, and stores the return value of the call. */
static struct errpipe_report try_exec(int stub, unsigned flags, const char *path, char *const argv[], int *returned)
{
	int *ret = shared_memory(sizeof(*ret));
	struct errpipe_report report;
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		*ret = errpipe_exec(stub, flags, fd[1], path, argv, environ);
		_exit(1);
	}
	close(fd[1]);
	ck_assert_int_eq(errpipe_adopt(&child, pid, stub, fd[0]), 0);
	/* Wait for the child to end first, because errpipe_wait() would kill it. */
	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	*returned = *ret;
	munmap(ret, sizeof(*ret));
	return report;
}

START_TEST(exec_by_a_bad_stub)
{
	const unsigned flags[] = { 0, ERRPIPE_FALLBACK };

	for (size_t i = 0; i < COUNT(flags); i++) {
		int ret;
		struct errpipe_report report = try_exec(bad_stubs[_i].stub, flags[i], "/bin/true", true_argv, &ret);

		ck_assert_int_eq(ret, -bad_stubs[_i].error);
		ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
		ck_assert_uint_eq(report.step, ERRPIPE_STEP_STUB);
		ck_assert_int_eq(report.error, bad_stubs[_i].error);
	}
}
END_TEST

static int close_it(void *data, unsigned *step)
{
	(void)step;
	return close(*(const int *)data) < 0 ? -errno : 0;
}

START_TEST(a_stub_that_setup_has_closed)
{
	int stub = errpipe_stub();
	const struct errpipe_spawn spawn = { .stub = stub, .prepare = close_it, .data = &stub };
	struct errpipe_report report = run_plain(&spawn, "/bin/true");

	ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
	ck_assert_uint_eq(report.step, ERRPIPE_STEP_STUB);
	ck_assert_int_eq(report.error, EBADF);
	close(stub);
}
END_TEST

static int do_nothing(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	return 0;
}

/*
 * If the stub cannot be executed, the child execs the target directly and changes the route in struct errpipe_child.
 * The parent sees that only if it shares memory with the child. Valgrind and qemu-user turn the child into a fork.
 */
START_TEST(a_fallback_is_seen)
{
	int stub = open("/etc/passwd", O_PATH | O_CLOEXEC);
	const struct errpipe_spawn spawn = { .stub = stub, .prepare = do_nothing };
	struct errpipe_child child = start(&spawn, "/bin/true", true_argv);
	struct errpipe_report report;

	ck_assert_int_eq(child.route, child.exec_begun ? ERRPIPE_DIRECT_FALLBACK : ERRPIPE_STUB);
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	close(stub);
}
END_TEST

/* --- other arguments ---------------------------------------------------------------------------------------- */

START_TEST(exec_without_a_path)
{
	int stub = _i ? errpipe_stub() : ERRPIPE_NO_STUB, ret;
	struct errpipe_report report = try_exec(stub, 0, NULL, true_argv, &ret);

	ck_assert_int_eq(ret, -EFAULT);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, EFAULT);
}
END_TEST

START_TEST(exec_with_a_bad_report)
{
	ck_assert_int_eq(errpipe_exec(ERRPIPE_NO_STUB, 0, CLOSED_FD, missing, true_argv, environ), -EBADF);
	ck_assert_int_eq(errpipe_exec(ERRPIPE_NO_STUB, ERRPIPE_STUB_ONLY, CLOSED_FD, missing, true_argv, environ),
			 -EINVAL);
}
END_TEST

START_TEST(flags_of_the_other_function)
{
	const struct errpipe_spawn spawn = { .flags = ERRPIPE_FALLBACK };

	ck_assert_int_eq(spawn_true(&spawn), -EINVAL);
}
END_TEST

START_TEST(members_that_are_reserved)
{
	static struct errpipe_explanation ex;
	const struct errpipe_mount mounts[] = { { .at = "/a" }, { .at = "/b", .reserved = { 0, 1 } } };
	const struct errpipe_who who = { .reserved = { 0, 0, 0, 1 } };
	struct errpipe_question question = { .path = "/bin/sh" };
	struct errpipe_spawn spawn = { .stub = ERRPIPE_NO_STUB };
	struct errpipe_identity identity;

	ck_assert_int_eq(errpipe_identity(&identity), 0);
	for (int i = 0; i < 4; i++) {
		uint64_t *members[] = { &identity.reserved[i], &spawn.reserved[i], &question.reserved[i] };

		for (size_t j = 0; j < COUNT(members); j++)
			*members[j] = 1ULL << (63 - i);
		ck_assert_int_eq(errpipe_route(&identity, "/bin/true"), -EINVAL);
		ck_assert_int_eq(spawn_true(&spawn), -EINVAL);
		ck_assert_int_eq(errpipe_explain(&ex, &question), -EINVAL);
		for (size_t j = 0; j < COUNT(members); j++)
			*members[j] = 0;
	}
	ck_assert_int_ge(errpipe_route(&identity, "/bin/true"), 0);
	ck_assert_int_eq(spawn_true(&spawn), 0);
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);

	for (int i = 0; i < 8; i++) {
		struct errpipe_setup setup = { 0 };

		setup.reserved[i] = 1;
		ck_assert_int_eq(errpipe_setup_route(&setup, &identity, "/bin/true"), -EINVAL);
		ck_assert_int_eq(errpipe_setup_check(&setup, NULL), -EINVAL);
	}

	question.who = &who;
	ck_assert_int_eq(errpipe_explain(&ex, &question), -EINVAL);
	question.who = NULL;
	question.mounts = mounts;
	question.mounts_count = 1;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	question.mounts_count = 2;
	ck_assert_int_eq(errpipe_explain(&ex, &question), -EINVAL);
	question.mounts = NULL;
	ck_assert_int_eq(errpipe_explain(&ex, &question), -EFAULT);
}
END_TEST

/* errpipe_spawn() checks the reserved members of the identity. */
START_TEST(an_identity_with_a_reserved_member)
{
	int stub = errpipe_stub();
	const struct errpipe_identity identity = { .reserved = { 1 } };
	const struct errpipe_spawn spawn = { .stub = stub, .identity = &identity };

	ck_assert_int_eq(spawn_true(&spawn), -EINVAL);
	close(stub);
}
END_TEST

START_TEST(a_question_of_zeros_is_about_our_own_root)
{
	static struct errpipe_explanation ex;
	struct errpipe_question question = { .root = 0 };

	ck_assert_int_eq(errpipe_explain(&ex, &question), -EFAULT);
	ck_assert_int_eq(errpipe_explain(NULL, &question), -EFAULT);
	ck_assert_int_eq(errpipe_explain(&ex, NULL), -EFAULT);
	question.path = "/";
	question.mounts_count = 1;
	ck_assert_int_eq(errpipe_explain(&ex, &question), -EFAULT);
	question.mounts = (const struct errpipe_mount[]){ { .at = NULL } };
	ck_assert_int_eq(errpipe_explain(&ex, &question), -EFAULT);
	question.mounts_count = 0;
	ck_assert_int_eq(errpipe_explain(&ex, &question), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NOT_A_FILE);
}
END_TEST

/* --- children ----------------------------------------------------------------------------------------------- */

/* A reused report neither kills the next child nor passes its verdict on. */
START_TEST(one_report_for_all_children)
{
	struct errpipe_report report;
	struct errpipe_child child;

	memset(&report, 0x5a, sizeof(report));
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(errpipe_spawn(&child, NULL, i % 2 ? "/bin/true" : missing, true_argv, environ), 0);
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		ck_assert_int_eq(report.verdict, i % 2 ? ERRPIPE_STARTED : ERRPIPE_EXEC_FAILED);
		ck_assert_int_eq(report.error, i % 2 ? 0 : ENOENT);
		if (i % 2)
			ck_assert_int_eq(report.status, 0);
	}
}
END_TEST

START_TEST(children_that_are_none)
{
	int (*const functions[])(struct errpipe_child *, struct errpipe_report *) = { errpipe_read_child,
										      errpipe_look, errpipe_settle,
										      errpipe_wait };
	struct errpipe_child zeros = { 0 }, garbage, waited, failed, unborn;
	struct errpipe_child *children[] = { &zeros, &garbage, &waited, &failed, &unborn };
	struct errpipe_report report;

	memset(&garbage, 0x5a, sizeof(garbage));
	waited = start(NULL, "/bin/true", true_argv);
	finish(&waited);
	ck_assert_int_eq(errpipe_spawn(&failed, NULL, NULL, true_argv, environ), -EFAULT);
	ck_assert_int_eq(errpipe_adopt(&unborn, -1, ERRPIPE_NO_STUB, CLOSED_FD), -EINVAL);
	for (size_t i = 0; i < COUNT(children); i++) {
		memset(&report, 0x5a, sizeof(report));
		ck_assert_int_eq(functions[_i](children[i], &report), -ECHILD);
		ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
		ck_assert_int_eq(report.status, -1);
	}
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	ck_assert_int_eq(errpipe_adopt(&unborn, 0, ERRPIPE_NO_STUB, CLOSED_FD), -EINVAL);
}
END_TEST

/* errpipe_wait() must kill the child: nothing else may know about it. */
START_TEST(a_child_with_a_bad_report)
{
	struct errpipe_report report;
	struct errpipe_child child;
	pid_t pid = checked_fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	ck_assert_int_eq(errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, CLOSED_FD), 0);
	ck_assert_int_eq(errpipe_wait(&child, &report), -EBADF);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(report.status, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), -1);
}
END_TEST

/* The parent still holds its own copy of the write end. */
START_TEST(a_write_end_that_stays_open)
{
	struct errpipe_report report;
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		errpipe_exec(ERRPIPE_NO_STUB, 0, fd[1], "/bin/true", true_argv, environ);
		_exit(125);
	}
	ck_assert_int_eq(errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, fd[0]), 0);
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, 0);
	close(fd[1]);
}
END_TEST

static const char cannot_tell[] = "exec x: cannot tell whether it started (reaped by somebody else?)";

static void assert_cannot_tell(const struct errpipe_report *report)
{
	char line[ERRPIPE_MESSAGE_MAX];

	ck_assert_int_eq(report->verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(report->status, -1);
	errpipe_message(line, sizeof(line), report, "x");
	ck_assert_str_eq(line, cannot_tell);
	ck_assert_int_eq(errpipe_exit_code(report, ERRPIPE_POSIX), 125);
}

START_TEST(a_child_that_the_caller_has_reaped)
{
	struct errpipe_child child = start(NULL, "/bin/false", true_argv);
	struct errpipe_report report;

	wait_for(child.pid);
	report = finish(&child);
	assert_cannot_tell(&report);
}
END_TEST

static void ignore_children(int i)
{
	struct errpipe_report report;

	(void)i;
	signal(SIGCHLD, SIG_IGN);
	report = run_plain(NULL, "/bin/false");
	assert_cannot_tell(&report);
	report = run_plain(NULL, missing);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, ENOENT);
}

START_TEST(a_caller_that_ignores_sigchld)
{
	in_child(ignore_children, 0);
}
END_TEST

/* --- reports and words -------------------------------------------------------------------------------------- */

START_TEST(a_report_of_zeros)
{
	const struct errpipe_report zeros = { .status = 0 };
	char line[64];

	ck_assert_uint_eq(errpipe_message(line, sizeof(line), &zeros, NULL), strlen("exec: no verdict"));
	ck_assert_str_eq(line, "exec: no verdict");
	ck_assert_int_eq(errpipe_exit_code(&zeros, ERRPIPE_POSIX), -EINVAL);
}
END_TEST

START_TEST(policies_that_are_none)
{
	const struct errpipe_report report = { .verdict = ERRPIPE_EXEC_FAILED };

	ck_assert_int_eq(errpipe_exit_code(&report, 99), -EINVAL);
	ck_assert_int_eq(errpipe_exit_code(&report, -1), -EINVAL);
}
END_TEST

START_TEST(failures_that_are_none)
{
	int fd[2];

	make_pipe(fd);
	ck_assert_int_eq(errpipe_fail(fd[1], 0, EIO), -EINVAL);
	ck_assert_int_eq(errpipe_fail(fd[1], ERRPIPE_STEP_CALLER, -EIO), -EINVAL);
	ck_assert_int_eq(errpipe_fail(fd[1], ERRPIPE_STEP_CALLER, 0), -EINVAL);
	ck_assert_int_eq(errpipe_fail(CLOSED_FD, ERRPIPE_STEP_CALLER, EIO), -EBADF);
}
END_TEST

/* The longest path that execve(2) takes, in the longest message. Each byte of the path needs the longest escape. */
START_TEST(the_longest_message)
{
	static const unsigned steps[] = { ERRPIPE_STEP_EXEC, ERRPIPE_STEP_FCNTL, ERRPIPE_STEP_CALLER_LAST,
					  ERRPIPE_STEP_STUB };
	const struct errpipe_report failed = { .verdict = ERRPIPE_EXEC_FAILED, .error = ENOENT };
	char path[PATH_MAX], line[ERRPIPE_MESSAGE_MAX];
	size_t longest = 0;

	for (unsigned verdict = 0; verdict <= ERRPIPE_CLOSED + 1; verdict++) {
		for (int i = 0; i < 4 * 4096; i++) {
			struct errpipe_report report = {
				.verdict = verdict,
				.error = i / 4,
				.raw_error = 4095,
				.machine = 65535,
				.step = steps[i % 4],
				.status = i / 4 < 256 ? i / 4 << 8 : i / 4 - 257,
			};
			size_t length = errpipe_message(NULL, 0, &report, "");

			longest = length > longest ? length : longest;
		}
	}
	memset(path, 1, sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_uint_eq(errpipe_message(line, sizeof(line), &failed, path),
			  4 * strlen(path) + strlen("exec : no such file or directory"));
	ck_assert(4 * strlen(path) + longest < sizeof(line));
}
END_TEST

static Suite *misuse_suite(void)
{
	Suite *suite = suite_create("misuse");
	TCase *tcase = tcase_create("misuse");

	tcase_add_test(tcase, no_struct);
	tcase_add_test(tcase, wait_without_a_report);
	tcase_add_test(tcase, lines_without_a_buffer);
	tcase_add_test(tcase, a_struct_of_zeros_has_no_stub);
	tcase_add_loop_test(tcase, spawn_by_a_bad_stub, 0, COUNT(bad_stubs));
	tcase_add_loop_test(tcase, exec_by_a_bad_stub, 0, COUNT(bad_stubs));
	tcase_add_test(tcase, a_stub_that_setup_has_closed);
	tcase_add_test(tcase, a_fallback_is_seen);
	tcase_add_loop_test(tcase, exec_without_a_path, 0, 2);
	tcase_add_test(tcase, exec_with_a_bad_report);
	tcase_add_test(tcase, flags_of_the_other_function);
	tcase_add_test(tcase, members_that_are_reserved);
	tcase_add_test(tcase, an_identity_with_a_reserved_member);
	tcase_add_test(tcase, a_question_of_zeros_is_about_our_own_root);
	tcase_add_test(tcase, one_report_for_all_children);
	tcase_add_loop_test(tcase, children_that_are_none, 0, 4);
	tcase_add_test(tcase, a_child_with_a_bad_report);
	tcase_add_test(tcase, a_write_end_that_stays_open);
	tcase_add_test(tcase, a_child_that_the_caller_has_reaped);
	tcase_add_test(tcase, a_caller_that_ignores_sigchld);
	tcase_add_test(tcase, a_report_of_zeros);
	tcase_add_test(tcase, policies_that_are_none);
	tcase_add_test(tcase, failures_that_are_none);
	tcase_add_test(tcase, the_longest_message);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(misuse_suite());
}

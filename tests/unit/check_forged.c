/* SPDX-License-Identifier: MIT */
/*
 * A child writes a record, or other bytes, to the pipe in the place of the stub. The record becomes true: the child is
 * killed. Other bytes are -EPROTO.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "spawned.h"
#include "suite.h"

/* The ways to start a child. */
enum { DIRECT, STUB, STUB_ONLY, WAYS };

static int stub;

static struct errpipe_child forged_child(int way, struct forgery *forgery)
{
	const struct errpipe_spawn spawn = {
		.stub = way == DIRECT ? ERRPIPE_NO_STUB : stub,
		.flags = way == STUB_ONLY ? ERRPIPE_STUB_ONLY : 0,
	};

	return start_forgery(&spawn, forgery);
}

START_TEST(a_forged_record_becomes_true)
{
	struct forgery forgery = { .size = 16 };
	struct errpipe_child child = forged_child(_i, &forgery);
	struct errpipe_report report = finish(&child);

	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, ENOEXEC);
	ck_assert_int_eq(report.status, SIGKILL);
}
END_TEST

START_TEST(a_forged_record_without_a_pidfd)
{
	struct forgery forgery = { .size = 16 };
	struct errpipe_child child = forged_child(_i, &forgery);
	struct errpipe_report report;

	close(child.pidfd);
	child.pidfd = -1;
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.status, SIGKILL);
}
END_TEST

START_TEST(bytes_that_are_no_record)
{
	static const size_t sizes[] = { 1, 15, 17 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct forgery forgery = { .size = sizes[i] };
		int before = open_descriptors();
		struct errpipe_child child = forged_child(_i, &forgery);
		struct errpipe_report report;

		ck_assert_int_eq(errpipe_wait(&child, &report), -EPROTO);
		ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
		ck_assert_int_eq(report.status, SIGKILL);
		ck_assert_int_eq(errpipe_wait(&child, &report), -ECHILD);
		ck_assert_int_eq(open_descriptors(), before + 2);
		close(forgery.leash.fd[0]);
		close(forgery.leash.fd[1]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forged");
	TCase *tc = tcase_create("forged");

	stub = errpipe_stub();
	tcase_add_loop_test(tc, a_forged_record_becomes_true, 0, WAYS);
	tcase_add_loop_test(tc, a_forged_record_without_a_pidfd, 0, WAYS);
	tcase_add_loop_test(tc, bytes_that_are_no_record, 0, WAYS);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}

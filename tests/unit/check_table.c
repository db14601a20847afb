/* SPDX-License-Identifier: MIT */
/*
 * The table of failing execs, run through the stub as a program. The library does not come between the kernel and the
 * stub.
 *
 * ERRPIPE_DMZ may name an emulator and another stub, such as "/usr/bin/qemu-mips-static /tmp/mips/dmz".
 * ERRPIPE_DMZ_MACHINE is then the stub's e_machine. The results must match the table all the same, in this host's
 * numbers and words.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cases.h"
#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

/* Exit codes of a child that cannot become the stub. */
enum { NO_STATE = 42, BAD_STATE };

static const char *fixture;
static char *emulator, *stub;
static unsigned machine;

static struct run {
	const struct exec_case *c;
	enum identity identity;
} * runs;
static int run_count;

static void add_run(const struct exec_case *c, enum identity identity)
{
	runs[run_count++] = (struct run){ c, identity };
}

/*
 * The user who runs the tests determines the set of cases. A case for another user is therefore not a skip.
 *
 * With an emulated stub each case runs once. The identity changes the kernel's answer, but the stub treats every
 * answer alike.
 */
static void make_runs(void)
{
	runs = keep(calloc(case_count * 2, sizeof(*runs)));
	for (size_t i = 0; i < case_count; i++) {
		bool as_nobody = geteuid() == 0 && cases[i].who != CASE_ROOT;

		if (cases[i].surfaces == CASE_LIBRARY)
			continue;
		if (cases[i].who != (geteuid() == 0 ? CASE_USER : CASE_ROOT) && !(as_nobody && emulator))
			add_run(&cases[i], AS_SELF);
		if (as_nobody)
			add_run(&cases[i], AS_NOBODY);
	}
}

/* Use execveat, because some states refuse execve. The emulator turns it back into an execve for the stub. */
__attribute__((noreturn)) static void become_stub(const struct run *run, char *path, int report)
{
	char *argv[] = { emulator, stub, "3", path, "name", NULL };
	char **first = emulator ? argv : argv + 1;
	int program = open(*first, O_PATH | O_CLOEXEC);
	int ret;

	dup2(report, 3);
	default_signals();
	ret = enter_state(run->c->state, fixture);
	if (ret == 0)
		ret = become(run->identity);
	if (ret == 0)
		syscall(SYS_execveat, program, "", first, argv + 5, AT_EMPTY_PATH);
	if (ret == 0 && errno == ENOSYS)
		execve(*first, first, argv + 5);
	_exit(ret == -EOPNOTSUPP ? NO_STATE : BAD_STATE);
}

/* Returns the wait status and stores the received bytes in record. */
static int run_stub(const struct run *run, char *path, unsigned char record[64], ssize_t *size)
{
	int pipe[2], status;
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(pipe), 0);
	pid = checked_fork();
	if (pid == 0)
		become_stub(run, path, pipe[1]);
	close(pipe[1]);
	status = wait_for(pid);
	*size = read(pipe[0], record, 64);
	close(pipe[0]);
	return status;
}

START_TEST(a_case)
{
	const struct run *run = &runs[_i];
	const struct exec_case *c = run->c;
	const char *who = run->identity == AS_SELF ? "self" : "nobody";
	char *path = fixture_path(c->path), line[PATH_MAX + 256], expected[PATH_MAX + 256];
	struct errpipe_report report = { 0 };
	unsigned char record[64];
	ssize_t size;
	int status = run_stub(run, path, record, &size);

	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_STATE)
		SKIP(state_needs(c->state));
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == (c->error == ENOENT ? 127 : 126),
		      "%s as %s: status %#x", c->name, who, status);
	ck_assert_msg(size == 16 && errpipe_decode(record, size, &report) == 0, "%s as %s: no record", c->name, who);
	/*
	 * If the numbers of the two machines differ, a number without a name remains the writer's number. The message
	 * then says so.
	 */
	ck_assert_msg((error_name(c->error) ? report.error : report.raw_error) == c->error &&
			      report.step == ERRPIPE_STEP_EXEC && report.machine == machine,
		      "%s as %s: error %d, step %u, machine %u", c->name, who, report.error, report.step,
		      report.machine);
	for (int policy = 0; policy < CASE_POLICIES; policy++)
		ck_assert_int_eq(errpipe_exit_code(&report, policy), c->exit_codes[policy]);
	snprintf(expected, sizeof(expected), "exec %s: %s", path, c->words);
	if (report.error == 0 && report.raw_error != 0)
		sprintf(strchr(expected, '\0'), " of machine %u", machine);
	errpipe_message(line, sizeof(line), &report, path);
	ck_assert_str_eq(line, expected);
}
END_TEST

static void find_stub(void)
{
	char *command = getenv("ERRPIPE_DMZ"), *number = getenv("ERRPIPE_DMZ_MACHINE");

	if (!command) {
		stub = fixture_path("@/bin/dmz");
		machine = own_machine();
		return;
	}
	stub = strchr(command, ' ');
	if (!stub || !number) {
		fputs("ERRPIPE_DMZ must name an emulator and a stub, and needs ERRPIPE_DMZ_MACHINE\n", stderr);
		exit(2);
	}
	*stub++ = '\0';
	emulator = command;
	machine = atoi(number);
}

int main(int argc __attribute__((unused)), char **argv)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	leave_valgrind(argv);
	load_cases();
	fixture = fixture_make();
	find_stub();
	make_runs();
	tcase_add_loop_test(tcase, a_case, 0, run_count);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

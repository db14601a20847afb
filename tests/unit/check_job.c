/* SPDX-License-Identifier: MIT */
/* errpipe run as a job in a terminal. Each test acts as the shell: it leads a session and types the keys. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "state.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define KEY_INTERRUPT "\003"
#define KEY_SUSPEND   "\032"

static char *errpipe, *act_program;

struct shell {
	int keys;     /* the end that types */
	int terminal; /* the end from which the job reads */
	pid_t job;    /* errpipe, the leader of its process group */
	pid_t target; /* 0: not known yet */
	FILE *from;   /* the target's standard output */
};

enum place { STAY, LEAVE, TAKE, SESSION, IGNORE };

static char *const places[] = { "stay", "leave", "take", "session", "ignore" };

/* --- the shell -------------------------------------------------------------------------------- */

static void open_terminal(struct shell *shell)
{
	shell->keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(shell->keys, 0);
	ck_assert_int_eq(grantpt(shell->keys), 0);
	ck_assert_int_eq(unlockpt(shell->keys), 0);
}

/* The first terminal that a session leader opens becomes its controlling terminal. */
static int lead_session(const struct shell *shell)
{
	if (setsid() < 0)
		return -1;
	return open(ptsname(shell->keys), O_RDWR | O_CLOEXEC);
}

__attribute__((noreturn)) static void become_errpipe(const struct shell *shell, int output, char *const *argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	default_signals();
	dup2(shell->terminal, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	execv(errpipe, argv);
	_exit(90);
}

static void type(const struct shell *shell, const char *key)
{
	ck_assert_int_eq(write(shell->keys, key, strlen(key)), strlen(key));
}

static void assert_line(const struct shell *shell, const char *expected)
{
	char line[256];

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), shell->from));
	line[strcspn(line, "\n")] = '\0';
	ck_assert_str_eq(line, expected);
}

static void assert_counted(const struct shell *shell, const char *what, int count, pid_t sender)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %d from %d", what, count, (int)sender);
	assert_line(shell, line);
}

static void assert_stopped(const struct shell *shell, int signal)
{
	int status;

	ck_assert_int_eq(waitpid(shell->job, &status, WUNTRACED), shell->job);
	ck_assert_msg(WIFSTOPPED(status), "wait status %x", status);
	ck_assert_int_eq(WSTOPSIG(status), signal);
	ck_assert_int_eq(tcsetpgrp(shell->terminal, getpgrp()), 0);
}

static void assert_exited(const struct shell *shell, int code)
{
	int status;

	ck_assert_int_eq(waitpid(shell->job, &status, WUNTRACED), shell->job);
	ck_assert_msg(WIFEXITED(status), "wait status %x", status);
	ck_assert_int_eq(WEXITSTATUS(status), code);
}

/* Wait for a state of /proc/PID/stat: 'S' is sleeping, 'T' is stopped. */
static void wait_for_state(pid_t pid, char expected)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (state != expected) {
		FILE *file = fopen(path, "re");

		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
		sched_yield();
	}
}

/* Then both have continued, and errpipe has read the SIGCONT. */
static void wait_for_sleep(const struct shell *shell)
{
	wait_for_state(shell->job, 'S');
	wait_for_state(shell->target, 'S');
}

static void foreground(const struct shell *shell)
{
	ck_assert_int_eq(tcsetpgrp(shell->terminal, shell->job), 0);
	ck_assert_int_eq(kill(-shell->job, SIGCONT), 0);
}

static void background(const struct shell *shell)
{
	ck_assert_int_eq(kill(-shell->job, SIGCONT), 0);
}

static void expect_target(struct shell *shell)
{
	char line[64];

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), shell->from));
	shell->target = atoi(line);
	assert_line(shell, "ready");
}

static struct shell start_job(char *const *argv)
{
	struct shell shell = { .target = 0 };
	int fd[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_terminal(&shell);
	signal(SIGTTOU, SIG_IGN);
	make_pipe(fd);
	shell.terminal = lead_session(&shell);
	ck_assert_int_ge(shell.terminal, 0);
	shell.job = checked_fork();
	if (shell.job == 0) {
		setpgid(0, 0);
		tcsetpgrp(shell.terminal, getpgrp());
		become_errpipe(&shell, fd[1], argv);
	}
	close(fd[1]);
	shell.from = fdopen(fd[0], "r");
	return shell;
}

static struct shell start_counting(enum place place)
{
	char *argv[] = { "errpipe", "run", act_program, "job", places[place], NULL };
	struct shell shell = start_job(argv);

	expect_target(&shell);
	return shell;
}

/* The kernel signals the processes in the foreground. errpipe forwards the signal to others. */
static pid_t sender_to(const struct shell *shell, enum place place)
{
	return place == LEAVE || place == SESSION ? shell->job : 0;
}

static void end_job(const struct shell *shell, int terms, int ints)
{
	char line[64];

	ck_assert_int_eq(kill(shell->job, SIGUSR1), 0);
	snprintf(line, sizeof(line), "%d and %d", terms, ints);
	assert_line(shell, line);
	assert_exited(shell, 0);
}

/* --- keys ------------------------------------------------------------------------------------- */

/*
 * The terminal sends one SIGINT, and later kill(2) sends another to errpipe alone. They must not be pending together,
 * or one would be lost.
 */
static void interrupt(int place)
{
	struct shell shell = start_counting(place);

	kill(shell.job, SIGSTOP);
	wait_for_state(shell.job, 'T');
	type(&shell, KEY_INTERRUPT);
	if (sender_to(&shell, place) != shell.job)
		assert_counted(&shell, "int", 1, 0);
	kill(shell.job, SIGCONT);
	if (sender_to(&shell, place) == shell.job)
		assert_counted(&shell, "int", 1, shell.job);
	wait_for_sleep(&shell);
	kill(shell.job, SIGTERM);
	assert_counted(&shell, "term", 1, shell.job);
	kill(shell.job, SIGINT);
	assert_counted(&shell, "int", 2, shell.job);
	end_job(&shell, 1, 2);
}

START_TEST(an_interrupt_comes_once)
{
	in_child(interrupt, _i);
}
END_TEST

static void suspend(int place)
{
	struct shell shell = start_counting(place);

	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	wait_for_state(shell.target, 'T');

	foreground(&shell);
	wait_for_sleep(&shell);
	while (place == TAKE && tcgetpgrp(shell.terminal) != shell.target)
		sched_yield();
	type(&shell, KEY_INTERRUPT);
	assert_counted(&shell, "int", 1, sender_to(&shell, place));

	/* Suspend it again, and continue it in the background first. */
	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	background(&shell);
	wait_for_sleep(&shell);
	ck_assert_int_eq(tcgetpgrp(shell.terminal), getpgrp());
	foreground(&shell);
	while (place == TAKE && tcgetpgrp(shell.terminal) != shell.target)
		sched_yield();
	type(&shell, KEY_INTERRUPT);
	assert_counted(&shell, "int", 2, sender_to(&shell, place));

	/* A target that gave the terminal back does not get it again. */
	ck_assert_int_eq(tcsetpgrp(shell.terminal, shell.job), 0);
	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	foreground(&shell);
	wait_for_sleep(&shell);
	ck_assert_int_eq(tcgetpgrp(shell.terminal), shell.job);
	end_job(&shell, 0, 2);
}

START_TEST(a_job_is_suspended_and_goes_on)
{
	in_child(suspend, _i);
}
END_TEST

static void ignore_suspension(int i)
{
	struct shell shell = start_counting(IGNORE);

	(void)i;
	type(&shell, KEY_SUSPEND);
	type(&shell, KEY_INTERRUPT);
	assert_counted(&shell, "int", 1, 0);
	end_job(&shell, 0, 1);
}

START_TEST(a_suspension_may_be_ignored)
{
	in_child(ignore_suspension, 0);
}
END_TEST

/* A key does not stop a target in another session, but errpipe stops and the user gets the prompt back. */
static void suspend_session(int i)
{
	struct shell shell = start_counting(SESSION);

	(void)i;
	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	wait_for_state(shell.target, 'S');
	foreground(&shell);
	type(&shell, KEY_INTERRUPT);
	assert_counted(&shell, "int", 1, shell.job);
	end_job(&shell, 0, 1);
}

START_TEST(a_suspension_leaves_another_session_running)
{
	in_child(suspend_session, 0);
}
END_TEST

/* The parent of the inner errpipe is another errpipe, not a shell. */
static void suspend_nested(int place)
{
	char *argv[] = { "errpipe", "run", errpipe, "run", act_program, "job", places[place], NULL };
	struct shell shell = start_job(argv);

	expect_target(&shell);
	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	foreground(&shell);
	wait_for_sleep(&shell);
	end_job(&shell, 0, 0);
}

START_TEST(a_suspension_of_errpipe_in_errpipe)
{
	in_child(suspend_nested, _i);
}
END_TEST

/* In the foreground the sender of the stop signal makes no difference. */
static void stop(int place)
{
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN };
	struct shell shell = start_counting(place);

	for (size_t i = 0; i < COUNT(stops); i++) {
		kill(shell.target, stops[i]);
		assert_stopped(&shell, stops[i]);
		foreground(&shell);
		wait_for_sleep(&shell);
	}
	end_job(&shell, 0, 0);
}

START_TEST(a_target_that_is_stopped)
{
	in_child(stop, _i);
}
END_TEST

enum { STOPS = 20 };

/*
 * Debuggers and cpulimit(1) stop a process like this. errpipe must keep running, or it would not notice that its
 * target continues.
 */
static void stop_for_a_while(int place)
{
	struct shell shell = start_counting(place);

	ck_assert_int_eq(tcsetpgrp(shell.terminal, getpgrp()), 0);
	for (int i = 1; i <= STOPS; i++) {
		kill(shell.target, SIGSTOP);
		wait_for_state(shell.target, 'T');
		kill(shell.job, SIGTERM);
		kill(shell.target, SIGCONT);
		assert_counted(&shell, "term", i, shell.job);
	}
	end_job(&shell, STOPS, 0);
}

START_TEST(a_target_in_the_background_that_another_process_stops)
{
	in_child(stop_for_a_while, _i);
}
END_TEST

/* The shell waits for a script. The script must end, whatever stops its target. */
static void stop_in_script(int i)
{
	char *argv[] = { "errpipe",   "exec", "sh",   "-c", "\"$@\" & wait; echo end", "sh", errpipe, "run",
			 act_program, "job",  "stay", NULL };
	struct shell shell = start_job(argv);

	(void)i;
	expect_target(&shell);
	for (int stops = 0; stops < STOPS; stops++) {
		kill(shell.target, SIGSTOP);
		wait_for_state(shell.target, 'T');
		kill(shell.target, SIGCONT);
		wait_for_state(shell.target, 'S');
	}
	kill(shell.target, SIGUSR1);
	assert_line(&shell, "0 and 0");
	assert_line(&shell, "end");
	assert_exited(&shell, 0);
}

START_TEST(a_target_of_a_script_that_another_process_stops)
{
	in_child(stop_in_script, 0);
}
END_TEST

static void stop_oneself(int signal)
{
	char number[16],
		*argv[] = { "errpipe", "run", "--", "/bin/sh", "-c", "kill -$1 $$; exit 7", "sh", number, NULL };
	struct shell shell;

	snprintf(number, sizeof(number), "%d", signal);
	shell = start_job(argv);
	assert_stopped(&shell, signal);
	foreground(&shell);
	assert_exited(&shell, 7);
}

START_TEST(a_target_that_stops_itself)
{
	in_child(stop_oneself, SIGSTOP);
	in_child(stop_oneself, SIGTSTP);
}
END_TEST

/* The target reads the terminal in the background, and does so again whenever it continues. */
static void read_again(int i)
{
	char *argv[] = { "errpipe", "run", act_program, "read", NULL };
	struct shell shell = start_job(argv);

	(void)i;
	for (int again = 0; again < STOPS; again++) {
		assert_stopped(&shell, SIGTTIN);
		foreground(&shell);
	}
	assert_stopped(&shell, SIGTTIN);
	kill(-shell.job, SIGTERM);
	foreground(&shell);
	assert_exited(&shell, 128 + SIGTERM);
}

START_TEST(a_job_that_stops_at_once_again)
{
	in_child(read_again, 0);
}
END_TEST

/* The kernel stops the whole group. A stop discards a SIGCONT that errpipe has not read yet. */
static void read_in_background(int i)
{
	char *argv[] = { "errpipe", "run", "sh", "-c", "echo ready; exec cat", NULL };
	struct shell shell = start_job(argv);

	(void)i;
	assert_line(&shell, "ready");
	type(&shell, KEY_SUSPEND);
	assert_stopped(&shell, SIGTSTP);
	/* errpipe is late only once in many rounds. */
	for (int again = 0; again < 20 * STOPS; again++) {
		background(&shell);
		assert_stopped(&shell, SIGTTIN);
	}
	kill(-shell.job, SIGTERM);
	foreground(&shell);
	assert_exited(&shell, 128 + SIGTERM);
}

START_TEST(a_job_that_reads_in_the_background)
{
	in_child(read_in_background, 0);
}
END_TEST

static void end_by_key(int i)
{
	static char *const programs[][5] = {
		{ "sh", "-c", "(echo ready; exec sleep 100); exit 9" },
		{ "timeout", "100", "sh", "-c", "(echo ready; exec sleep 100); exit 9" },
		{ "setsid", "sh", "-c", "(echo ready; exec sleep 100); exit 9" },
	};
	char *argv[8] = { "errpipe", "run" }, rest[64];
	struct shell shell;

	memcpy(argv + 2, programs[i], sizeof(programs[i]));
	shell = start_job(argv);
	assert_line(&shell, "ready");
	type(&shell, KEY_INTERRUPT);
	assert_exited(&shell, 128 + SIGINT);
	ck_assert_ptr_null(fgets(rest, sizeof(rest), shell.from)); /* end of file: the last process has ended */
}

START_TEST(an_interrupt_ends_all_of_it)
{
	in_child(end_by_key, _i);
}
END_TEST

/* --- without a shell -------------------------------------------------------------------------- */

/* errpipe leads the session. Nothing would continue it if it stopped, or a target that it stopped. */
static void lead(int i)
{
	char *argv[] = { "errpipe", "run", act_program, "job", "leave", NULL };
	struct shell shell = { .target = 0 };
	int fd[2];

	(void)i;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_terminal(&shell);
	make_pipe(fd);
	shell.job = checked_fork();
	if (shell.job == 0) {
		shell.terminal = lead_session(&shell);
		become_errpipe(&shell, fd[1], argv);
	}
	close(fd[1]);
	shell.from = fdopen(fd[0], "r");
	expect_target(&shell);

	type(&shell, KEY_SUSPEND);
	type(&shell, KEY_INTERRUPT);
	assert_counted(&shell, "int", 1, shell.job);
	kill(shell.target, SIGSTOP);
	wait_for_state(shell.target, 'T');
	kill(shell.job, SIGTERM);
	kill(shell.target, SIGCONT);
	assert_counted(&shell, "term", 1, shell.job);
	end_job(&shell, 1, 1);
}

START_TEST(a_leader_of_a_session_never_stops)
{
	in_child(lead, 0);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("job");
	TCase *tc = tcase_create("terminal");

	(void)argc;
	leave_valgrind(argv);
	errpipe = built_path("errpipe");
	act_program = built_path("tests/prog_act");
	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, an_interrupt_comes_once, STAY, IGNORE);
	tcase_add_loop_test(tc, a_job_is_suspended_and_goes_on, STAY, SESSION);
	tcase_add_test(tc, a_suspension_may_be_ignored);
	tcase_add_test(tc, a_suspension_leaves_another_session_running);
	tcase_add_loop_test(tc, a_suspension_of_errpipe_in_errpipe, STAY, SESSION + 1);
	tcase_add_loop_test(tc, a_target_that_is_stopped, STAY, SESSION);
	tcase_add_loop_test(tc, a_target_in_the_background_that_another_process_stops, STAY, SESSION + 1);
	tcase_add_test(tc, a_target_of_a_script_that_another_process_stops);
	tcase_add_test(tc, a_target_that_stops_itself);
	tcase_add_test(tc, a_job_that_stops_at_once_again);
	tcase_add_test(tc, a_job_that_reads_in_the_background);
	tcase_add_loop_test(tc, an_interrupt_ends_all_of_it, 0, 3);
	tcase_add_test(tc, a_leader_of_a_session_never_stops);
	return run_suite(suite);
}

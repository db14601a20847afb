/* SPDX-License-Identifier: MIT */
/*
 * errpipe_exec() on both routes: the report of a failure, and everything that the target inherits on success.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *fixture;

/* --- one attempt ------------------------------------------------------------------------------ */

/* Exit codes of a child that does not become the target. Neither the stub nor any target exits with these. */
enum { RETURNED = 42, RETURNED_WRONG, NO_STATE, BAD_STATE };

struct attempt {
	int stub;
	unsigned flags;
	const char *path;
	char *const *argv, *const *envp;
	const char *state;
	enum identity identity;
	int (*prepare)(int report); /* run in the child; returns the descriptor to report to */
	int returns;		    /* the result of errpipe_exec, if it returns */
};

struct outcome {
	int read; /* the result of errpipe_read */
	struct errpipe_report report;
	int status;
};

static int open_stub(void)
{
	char *path = fixture_path("@/bin/dmz");
	int fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int enter(const struct attempt *attempt)
{
	int ret = enter_state(attempt->state, fixture);

	if (ret == 0)
		ret = become(attempt->identity);
	if (ret == -EOPNOTSUPP)
		return NO_STATE;
	if (ret < 0)
		fprintf(stderr, "state %s: %s\n", attempt->state, strerror(-ret));
	return ret < 0 ? BAD_STATE : 0;
}

__attribute__((noreturn)) static void child(const struct attempt *attempt, int report)
{
	int ret = enter(attempt);

	if (ret)
		_exit(ret);
	if (attempt->prepare)
		report = attempt->prepare(report);
	ret = errpipe_exec(attempt->stub, attempt->flags, report, attempt->path, attempt->argv, attempt->envp);
	_exit(ret == attempt->returns ? RETURNED : RETURNED_WRONG);
}

static pid_t begin(const struct attempt *attempt, int *fd)
{
	int pipe[2];
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(pipe), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(attempt, pipe[1]);
	close(pipe[1]);
	*fd = pipe[0];
	return pid;
}

/* Also checks that settling fills in the status and keeps the verdict of a failure. */
static struct outcome finish(pid_t pid, int fd)
{
	struct outcome outcome = { 0 };
	struct errpipe_report settled;
	struct errpipe_child child;

	/* This may be any stub, so its name is unknown. */
	ck_assert_int_eq(errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, fd), 0);
	child.route = ERRPIPE_STUB;
	outcome.read = errpipe_read_child(&child, &outcome.report);
	ck_assert_int_eq(errpipe_settle(&child, &settled), 0);
	ck_assert_int_eq(waitpid(pid, &outcome.status, 0), pid);
	ck_assert_int_eq(settled.status, outcome.status);
	if (outcome.report.verdict != ERRPIPE_STARTED)
		ck_assert_int_eq(settled.verdict, outcome.report.verdict);
	outcome.report = settled;
	close(child.pidfd);
	close(fd);
	return outcome;
}

static struct outcome attempt(const struct attempt *attempt)
{
	int fd;
	pid_t pid = begin(attempt, &fd);

	return finish(pid, fd);
}

static int exited(const struct outcome *outcome)
{
	return WIFEXITED(outcome->status) ? WEXITSTATUS(outcome->status) : -1;
}

static void assert_failed(const struct outcome *outcome, unsigned step, int error)
{
	const struct errpipe_report *report = &outcome->report;

	ck_assert_int_eq(outcome->read, 1);
	ck_assert_int_eq(report->verdict, step == ERRPIPE_STEP_EXEC ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED);
	ck_assert_uint_eq(report->step, step);
	ck_assert_int_eq(report->error, error);
	ck_assert_int_eq(report->raw_error, error);
	ck_assert_uint_eq(report->machine, own_machine());
}

static void assert_started(const struct outcome *outcome, int status)
{
	ck_assert_int_eq(outcome->read, 1);
	ck_assert_int_eq(outcome->report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(exited(outcome), status);
}

static char *no_strings[] = { NULL };

/* Tests that loop over both routes get 0 and 1. */
enum { DIRECT, STUB, ROUTES };

static struct attempt attempt_on(int route, const char *path)
{
	char *name = fixture_path(path);

	return (struct attempt){
		.stub = route == STUB ? open_stub() : ERRPIPE_NO_STUB,
		.path = name,
		.argv = state_argv(NULL, name),
		.envp = no_strings,
	};
}

/* --- the table -------------------------------------------------------------------------------- */

struct run {
	const struct exec_case *c;
	enum identity identity;
	int route;
};

static struct run *runs, *stopped; /* stopped: runs in which the stub cannot be exec'd */
static int run_count, stopped_count;

static void add_run(const struct exec_case *c, enum identity identity)
{
	for (int route = 0; route < ROUTES; route++)
		runs[run_count++] = (struct run){ c, identity, route };
	if (c->surfaces == CASE_LIBRARY)
		stopped[stopped_count++] = (struct run){ c, identity, STUB };
}

/* The user who runs the tests decides which cases exist, so a case for another user is not a skip. */
static void make_runs(void)
{
	runs = keep(calloc(case_count * 2 * ROUTES, sizeof(*runs)));
	stopped = keep(calloc(case_count * 2, sizeof(*stopped)));
	for (size_t i = 0; i < case_count; i++) {
		if (geteuid() != 0 && cases[i].who != CASE_ROOT)
			add_run(&cases[i], AS_SELF);
		if (geteuid() == 0 && cases[i].who != CASE_USER)
			add_run(&cases[i], AS_SELF);
		if (geteuid() == 0)
			add_run(&cases[i], AS_NOBODY);
	}
}

static const char *title(const struct run *run)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s as %s, %s", run->c->name, run->identity == AS_SELF ? "self" : "nobody",
		 run->route == STUB ? "stub" : "direct");
	return text;
}

#define assert_int(run, a, b)                                                                                        \
	ck_assert_msg((int)(a) == (int)(b), "%s: %s is %d, not %d", title(run), #a, (int)(a), (int)(b))

static void assert_line(const struct run *run, const struct errpipe_report *report, const char *path,
			const char *expected)
{
	static char line[PATH_MAX + 256];

	errpipe_message(line, sizeof(line), report, path);
	ck_assert_msg(strcmp(line, expected) == 0, "%s: \"%s\", not \"%s\"", title(run), line, expected);
}

static void assert_exit_codes(const struct run *run, const struct errpipe_report *report, const int *codes)
{
	for (int policy = 0; policy < CASE_POLICIES; policy++)
		assert_int(run, errpipe_exit_code(report, policy), codes[policy]);
}

static struct attempt attempt_of(const struct run *run)
{
	const struct exec_case *c = run->c;
	char *path = fixture_path(c->path);

	return (struct attempt){
		.stub = run->route == STUB ? open_stub() : ERRPIPE_NO_STUB,
		.flags = ERRPIPE_FALLBACK,
		.path = path,
		.argv = state_argv(c->state, path),
		.envp = no_strings,
		.state = c->state,
		.identity = run->identity,
		.returns = c->error ? -c->error : -EPERM,
	};
}

/* If the stub itself cannot be exec'd, the library falls back. Otherwise the stub sets the exit status. */
static int expected_exit(const struct run *run)
{
	if (run->route == DIRECT || run->c->surfaces == CASE_LIBRARY)
		return RETURNED;
	return run->c->error == ENOENT ? 127 : 126;
}

static void assert_report(const struct run *run, const struct errpipe_report *report, const char *path)
{
	char expected[PATH_MAX + 256];

	assert_int(run, report->verdict, ERRPIPE_EXEC_FAILED);
	assert_int(run, report->step, ERRPIPE_STEP_EXEC);
	assert_int(run, report->error, run->c->error);
	assert_int(run, report->raw_error, run->c->error);
	assert_int(run, report->machine, own_machine());
	assert_exit_codes(run, report, run->c->exit_codes);
	snprintf(expected, sizeof(expected), "exec %s: %s", path, run->c->words);
	assert_line(run, report, path, expected);
}

START_TEST(a_case)
{
	const struct run *run = &runs[_i];
	const struct attempt it = attempt_of(run);
	const struct outcome outcome = attempt(&it);

	if (exited(&outcome) == NO_STATE)
		SKIP(state_needs(run->c->state));
	assert_int(run, outcome.read, 1);
	assert_report(run, &outcome.report, it.path);
	assert_int(run, exited(&outcome), expected_exit(run));
}
END_TEST

/* If the target's exec would fail like the stub's, the failure is reported for the target, even without a fallback. */
START_TEST(a_case_without_fallback)
{
	const struct run *run = &stopped[_i];
	struct attempt it = attempt_of(run);
	struct outcome outcome;

	it.flags = 0;
	outcome = attempt(&it);
	assert_int(run, exited(&outcome), RETURNED);
	assert_report(run, &outcome.report, it.path);
}
END_TEST

/*
 * The failing files of the fixture are made from files that work. Each fails only because of the one difference.
 *
 * links/n21 has twenty links instead of forty, because a restarted lookup counts its links again (total_link_count in
 * the kernel's fs/namei.c).
 */
static const char *const working[] = { "@/good",      "@/elf-good", "@/script-good", "@/chain-5",
				       "@/links/n21", "@/busy",	    "@/noexec/good" };

START_TEST(a_file_that_works)
{
	for (int route = 0; route < ROUTES; route++) {
		const struct attempt it = attempt_on(route, working[_i]);
		const struct outcome outcome = attempt(&it);

		ck_assert_msg(outcome.report.verdict == ERRPIPE_STARTED, "%s: %s", working[_i],
			      errpipe_strerror(outcome.report.error));
		assert_started(&outcome, 125);
	}
}
END_TEST

/* --- success: properties that the target inherits --------------------------------------------- */

enum { PLAIN = ROUTES, WAYS };

/* Everything about the caller that could get lost on the way. */
struct scene {
	char **argv, **envp;
	void (*set)(void); /* run in the child */
};

static char *show_program;

static char *environment[] = { "A=1", "A=2", "EMPTY=", "NO_EQUALS_SIGN", "LD_NOTHING=x y\nz", NULL };

static char **some_argv(void)
{
	static char *argv[] = { "another name", "", "--", "-c", "two words", "line\nfeed", "\xff", NULL };

	return argv;
}

static char **empty_argv0(void)
{
	static char *argv[] = { "", "x", NULL };

	return argv;
}

static char **many_arguments(void)
{
	static char *argv[100001];

	for (size_t i = 0; i < COUNT(argv) - 1; i++)
		argv[i] = i % 3 ? "a" : "";
	return argv;
}

/* Callers pass the number of arguments that the library's own copy on the stack holds, one less, and one more. */
static char **arguments(size_t count)
{
	char **argv = keep(calloc(count + 1, sizeof(*argv)));

	for (size_t i = 0; i < count; i++)
		argv[i] = "b";
	return argv;
}

static void block(const int *numbers, size_t count)
{
	unsigned long mask[16 / sizeof(long)] = { 0 };

	/* Use the numbers because libc refuses to block 32 and 33. */
	for (size_t i = 0; i < count; i++)
		mask[(numbers[i] - 1) / (8 * sizeof(long))] |= 1UL << (numbers[i] - 1) % (8 * sizeof(long));
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, _NSIG / 8) < 0)
		_exit(BAD_STATE);
}

static void on_signal(int signal)
{
	(void)signal;
}

static void set_signals(void)
{
	static const int blocked[] = { SIGHUP, SIGPIPE, SIGUSR1, SIGTERM, 32, 33, 40, 64 };

	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGRTMAX - 1, SIG_IGN);
	signal(SIGUSR2, on_signal);
	block(blocked, COUNT(blocked));
	raise(SIGUSR1);
	kill(getpid(), SIGTERM);
}

static void set_no_signals(void)
{
	block(NULL, 0);
}

static void set_process(void)
{
	if (chdir(fixture) < 0 || chdir("bin") < 0)
		_exit(BAD_STATE);
	umask(0137);
}

/* Some stay open and some close on exec. Both kinds lie below, between and above the descriptors of errpipe. */
static void set_descriptors(void)
{
	static const struct {
		int number, flags;
	} wanted[] = { { 3, 0 },  { 4, O_CLOEXEC }, { 30, 0 },	{ 31, O_CLOEXEC },  { 32, O_CLOEXEC },
		       { 33, 0 }, { 34, 0 },	    { 400, 0 }, { 401, O_CLOEXEC }, { 402, O_CLOEXEC } };
	int fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC);

	for (size_t i = 0; i < COUNT(wanted); i++) {
		if (fcntl(wanted[i].number, F_GETFD) < 0 && dup3(fd, wanted[i].number, wanted[i].flags) < 0)
			_exit(BAD_STATE);
	}
	close(STDIN_FILENO);
	close(STDERR_FILENO);
}

static struct scene scene(int number)
{
	struct scene scenes[] = {
		{ some_argv(), environment, NULL },	   { empty_argv0(), environment, NULL },
		{ some_argv(), no_strings, NULL },	   { some_argv(), NULL, NULL },
		{ arguments(1), environment, NULL },	   { arguments(250), environment, NULL },
		{ arguments(251), environment, NULL },	   { arguments(252), environment, NULL },
		{ arguments(253), environment, NULL },	   { many_arguments(), environment, NULL },
		{ some_argv(), environment, set_signals }, { some_argv(), environment, set_no_signals },
		{ some_argv(), environment, set_process }, { some_argv(), environment, set_descriptors },
	};

	return scenes[number];
}

enum { SCENES = 14 };

__attribute__((noreturn)) static void show_child(const struct scene *scene, int way, int stub, int report, int out)
{
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(BAD_STATE);
	if (scene->set)
		scene->set();
	if (way == PLAIN)
		execve(show_program, scene->argv, scene->envp);
	else
		errpipe_exec(way == STUB ? stub : ERRPIPE_NO_STUB, 0, report, show_program, scene->argv, scene->envp);
	_exit(RETURNED_WRONG);
}

static char *read_whole(int fd)
{
	struct stat st;
	char *text;

	ck_assert_int_eq(fstat(fd, &st), 0);
	text = keep(malloc(st.st_size + 1));
	ck_assert_int_eq(pread(fd, text, st.st_size, 0), st.st_size);
	text[st.st_size] = '\0';
	return text;
}

/* Returns the target's output about itself. All ways start with the same open descriptors. */
static char *shown(const struct scene *scene, int way)
{
	int pipe[2], stub = open_stub(), out;
	char *path = fixture_path("@/shown"), *text;
	struct outcome outcome;
	pid_t pid;

	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(out, 0);
	ck_assert_int_eq(errpipe_pipe(pipe), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		show_child(scene, way, stub, pipe[1], out);
	close(pipe[1]);
	outcome = finish(pid, pipe[0]);
	assert_started(&outcome, 0);

	text = read_whole(out);
	close(out);
	close(stub);
	unlink(path);
	return text;
}

/* Long texts usually differ in one line: show that one. */
static void assert_same(const char *text, const char *expected, const char *what)
{
	size_t i = 0, line = 0;

	for (; text[i] && text[i] == expected[i]; i++) {
		if (text[i] == '\n')
			line = i + 1;
	}
	ck_assert_msg(text[i] == expected[i], "%s: \"%.200s\", not \"%.200s\"", what, text + line, expected + line);
}

static void assert_shown_alike(const struct scene *scene)
{
	char *plain = shown(scene, PLAIN), *direct = shown(scene, DIRECT), *stub = shown(scene, STUB);

	ck_assert_ptr_nonnull(strstr(plain, "fd 1 "));
	ck_assert_ptr_nonnull(strstr(plain, "SigBlk:"));
	assert_same(direct, plain, "direct");
	assert_same(stub, plain, "stub");
}

START_TEST(a_target_gets_what_execve_gives)
{
	const struct scene s = scene(_i);

	assert_shown_alike(&s);
}
END_TEST

/* Make sure that the comparison can see the scenes: the target must show the subject of each. */
START_TEST(scenes_are_seen)
{
	static const char *const seen[SCENES] = {
		[0] = "\ncmdline another name\ncmdline \ncmdline --\n",
		[1] = "\nargv \nargv x\n",
		[6] = "\nargc 251\n",
		[9] = "\nargc 100000\n",
		[10] = "\nShdPnd:\t0000000000004000\n",
		[12] = "\nUmask:\t0137\n",
		[13] = "\nfd 400 flags ",
	};

	for (int i = 0; i < SCENES; i++) {
		const struct scene s = scene(i);
		char *text = seen[i] ? shown(&s, STUB) : NULL;

		ck_assert_msg(!text || strstr(text, seen[i]), "scene %d: \"%s\" is missing: %.2000s", i, seen[i],
			      text);
	}
}
END_TEST

/* Linux since 5.18 adds an empty argv[0]. The stub adds it on every kernel. */
START_TEST(no_argv)
{
	static char *one[] = { "", NULL };
	const struct scene none = { no_strings, environment, NULL }, empty = { one, environment, NULL };
	char *plain = shown(&none, PLAIN), *direct = shown(&none, DIRECT), *stub = shown(&none, STUB);
	char *expected = shown(&empty, PLAIN);

	assert_same(direct, plain, "direct");
	assert_same(stub, expected, "stub");
}
END_TEST

/* --- wrong calls ------------------------------------------------------------------------------ */

static int close_report(int report)
{
	close(report);
	return report;
}

static int negative_report(int report)
{
	(void)report;
	return -1;
}

START_TEST(bad_report)
{
	struct attempt it = attempt_on(_i, "@/good");
	struct outcome outcome;

	it.returns = -EBADF;
	it.prepare = close_report;
	outcome = attempt(&it);
	ck_assert_int_eq(exited(&outcome), RETURNED);

	it.prepare = negative_report;
	outcome = attempt(&it);
	ck_assert_int_eq(exited(&outcome), RETURNED);
}
END_TEST

/* Nothing is exec'd, and nothing is reported. */
START_TEST(unknown_flags)
{
	static const unsigned flags[] = { 2, 3, 0x80000000 };

	for (size_t i = 0; i < COUNT(flags); i++) {
		struct attempt it = attempt_on(_i, "@/good");
		struct outcome outcome;

		it.flags = flags[i];
		it.returns = -EINVAL;
		outcome = attempt(&it);
		ck_assert_int_eq(exited(&outcome), RETURNED);
		ck_assert_int_eq(outcome.report.verdict, ERRPIPE_DIED);
	}
}
END_TEST

START_TEST(no_path)
{
	struct attempt it = attempt_on(_i, "@/good");
	struct outcome outcome;

	it.path = NULL;
	it.returns = -EFAULT;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, EFAULT);
	ck_assert_int_eq(exited(&outcome), RETURNED);
}
END_TEST

START_TEST(argv_and_envp_are_null)
{
	struct attempt it = attempt_on(_i, "@/good");
	struct outcome outcome;

	it.argv = NULL;
	it.envp = NULL;
	outcome = attempt(&it);
	assert_started(&outcome, 125);
}
END_TEST

static void assert_falls_back(struct attempt it)
{
	struct outcome outcome;

	it.flags = ERRPIPE_FALLBACK;
	outcome = attempt(&it);
	assert_started(&outcome, 125);

	it.path = "/nowhere/at/all";
	it.returns = -ENOENT;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, ENOENT);
	ck_assert_int_eq(exited(&outcome), RETURNED);
}

/* On the direct route ioctl(2) replaces fcntl(2). The stub has no replacement. */
START_TEST(fcntl_refused)
{
	struct attempt it = attempt_on(_i, "@/good");
	struct outcome outcome;

	it.state = "seccomp-fcntl:EPERM";
	it.returns = -EPERM;
	outcome = attempt(&it);
	if (exited(&outcome) == NO_STATE)
		SKIP("needs seccomp");
	if (_i == STUB)
		assert_failed(&outcome, ERRPIPE_STEP_FCNTL, EPERM);
	else
		assert_started(&outcome, 125);
	assert_falls_back(it);
}
END_TEST

/* Neither route is taken, because the reader would never see end of file. */
START_TEST(close_on_exec_refused)
{
	struct attempt it = attempt_on(_i, "@/good");
	struct outcome outcome;

	it.state = "seccomp-close-on-exec:EPERM";
	it.flags = ERRPIPE_FALLBACK;
	it.returns = -EPERM;
	outcome = attempt(&it);
	if (exited(&outcome) == NO_STATE)
		SKIP("needs seccomp");
	assert_failed(&outcome, ERRPIPE_STEP_FCNTL, EPERM);
	ck_assert_int_eq(exited(&outcome), RETURNED);
}
END_TEST

/* --- the stub --------------------------------------------------------------------------------- */

/* Files that are not stubs. */
static const struct {
	const char *path;
	int error;
} no_stubs[] = {
	{ "@/no-x", EACCES },  { "@/directory", EACCES },	   { "@/fifo", EACCES },
	{ "@/text", ENOEXEC }, { "@/elf-other-machine", ENOEXEC }, { "@/elf-loader-missing", ENOENT },
};

static int open_no_stub(const char *name)
{
	char *path = fixture_path(name);
	int fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void assert_stub_fails(struct attempt it, int error)
{
	struct outcome outcome;

	it.flags = 0;
	it.returns = error ? -error : -EPERM;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_STUB, error);
	ck_assert_int_eq(exited(&outcome), RETURNED);
}

START_TEST(a_file_that_is_no_stub)
{
	struct attempt it = attempt_on(DIRECT, "@/good");

	it.stub = open_no_stub(no_stubs[_i].path);
	assert_stub_fails(it, no_stubs[_i].error);
	assert_falls_back(it);
}
END_TEST

START_TEST(a_closed_stub)
{
	struct attempt it = attempt_on(DIRECT, "@/good");

	it.stub = 999; /* the pipe would take the next free number */
	ck_assert_int_eq(fcntl(it.stub, F_GETFD), -1);
	assert_stub_fails(it, EBADF);
}
END_TEST

/*
 * errpipe_stub() failed, and the caller passes its result on. There is no fallback, because it could be the result of
 * errpipe_setup_stub().
 */
START_TEST(a_stub_that_could_not_be_made)
{
	struct attempt it = attempt_on(DIRECT, "@/good");

	it.stub = -ENFILE;
	assert_stub_fails(it, ENFILE);
	it.flags = ERRPIPE_FALLBACK;
	assert_stub_fails(it, ENFILE);
}
END_TEST

/* The library needs only the descriptor. */
START_TEST(a_deleted_stub)
{
	struct attempt it = attempt_on(STUB, "@/missing");
	char *path = fixture_path("@/bin/dmz"), *other = fixture_path("@/bin/dmz.moved");
	struct outcome outcome;

	ck_assert_int_eq(link(path, other), 0);
	close(it.stub);
	it.stub = open(other, O_PATH | O_CLOEXEC);
	ck_assert_int_eq(unlink(other), 0);
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, ENOENT);
	ck_assert_int_eq(exited(&outcome), 127);
}
END_TEST

/* An errno that does not stand for a missing system call is final. */
START_TEST(a_stub_refused)
{
	struct attempt it = attempt_on(STUB, "@/good");

	it.state = "seccomp-execveat:EACCES";
	assert_stub_fails(it, EACCES);
	assert_falls_back(it);
}
END_TEST

/* These are failures of the process, independent of the program. */
START_TEST(a_process_refused)
{
	static const struct {
		const char *state;
		int error;
	} refused[] = { { "seccomp-execveat:EAGAIN", EAGAIN }, { "seccomp-execveat:ENOMEM", ENOMEM } };
	struct attempt it = attempt_on(STUB, "@/good");
	struct outcome outcome;

	it.state = refused[_i].state;
	it.returns = -refused[_i].error;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, refused[_i].error);
	ck_assert_int_eq(exited(&outcome), RETURNED);
	assert_falls_back(it);
}
END_TEST

/* The stub cannot receive a path that is longer than an argument may be. */
START_TEST(a_path_of_any_length)
{
	static const size_t lengths[] = { PATH_MAX - 1, PATH_MAX, 131071, 131072, 10000000 };
	struct attempt it = attempt_on(STUB, "@/good");
	char *path = keep(malloc(lengths[_i] + 1));
	struct outcome outcome;

	for (size_t i = 0; i < lengths[_i]; i++)
		path[i] = i % 200 ? 'x' : '/';
	path[lengths[_i]] = '\0';
	it.path = path;
	it.returns = -ENAMETOOLONG;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, _i ? ENAMETOOLONG : ENOENT);
	ck_assert_int_eq(exited(&outcome), _i == 0 ? 127 : _i < 3 ? 126 : RETURNED);
}
END_TEST

/* The answers of kernels and seccomp filters without execveat(2). */
static const struct {
	const char *state;
	int error;
} without_execveat[] = {
	{ "seccomp-execveat:ENOSYS", ENOSYS },
	{ "seccomp-execveat:EPERM", EPERM },
	{ "seccomp-execveat:0", 0 },
	{ "seccomp-execveat:9", EBADF },
};

/* Then the stub is exec'd as /proc/self/fd/N. Its exit status proves this. */
START_TEST(no_execveat)
{
	struct attempt it = attempt_on(STUB, "@/missing");
	struct outcome outcome;

	it.state = without_execveat[_i].state;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, ENOENT);
	ck_assert_int_eq(exited(&outcome), 127);

	it = attempt_on(STUB, "@/good");
	it.state = without_execveat[_i].state;
	outcome = attempt(&it);
	assert_started(&outcome, 125);

	it = attempt_on(DIRECT, "@/good");
	it.stub = open_no_stub("@/no-x");
	it.state = without_execveat[_i].state;
	assert_stub_fails(it, EACCES);
	assert_falls_back(it);
}
END_TEST

/* A /proc that an image may bring: its files have the names of descriptors. */
static int have_proc_of_image(int report)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
		_exit(NO_STATE);
	if (mkdir("/proc/self", 0755) < 0 || mkdir("/proc/self/fd", 0755) < 0)
		_exit(BAD_STATE);
	for (int fd = 3; fd < 64; fd++) {
		char name[32];

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		if (symlink(fixture_path("@/good"), name) < 0)
			_exit(BAD_STATE);
	}
	return report;
}

START_TEST(no_execveat_and_no_proc)
{
	struct attempt it = attempt_on(STUB, "@/good");

	NEEDS("mount-namespaces");
	it.state = without_execveat[_i].state;
	it.prepare = have_proc_of_image;
	assert_stub_fails(it, without_execveat[_i].error);
	assert_falls_back(it);
}
END_TEST

/* The stub's own fcntl(2) is refused after the library's has worked. */
START_TEST(fcntl_refused_to_the_stub)
{
	const struct attempt it = { .state = "seccomp-fcntl:ENOSYS" };
	struct outcome outcome;
	char number[16], *argv[] = { "dmz", number, "/bin/true", "true", NULL };
	int pipe[2], stub = open_stub();
	pid_t pid;

	ck_assert_int_eq(errpipe_pipe(pipe), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		snprintf(number, sizeof(number), "%d", pipe[1]);
		fcntl(pipe[1], F_SETFD, 0);
		if (enter(&it))
			_exit(NO_STATE);
		syscall(SYS_execveat, stub, "", argv, no_strings, AT_EMPTY_PATH);
		_exit(BAD_STATE);
	}
	close(pipe[1]);
	outcome = finish(pid, pipe[0]);
	if (exited(&outcome) == NO_STATE)
		SKIP("needs seccomp");
	assert_failed(&outcome, ERRPIPE_STEP_FCNTL, ENOSYS);
	ck_assert_int_eq(exited(&outcome), 125);
}
END_TEST

/* --- the report ------------------------------------------------------------------------------- */

static int high_report(int report)
{
	const struct rlimit eight = { 8, 8 };

	report = dup2(report, 700);
	setrlimit(RLIMIT_NOFILE, &eight);
	return report;
}

START_TEST(a_report_beyond_the_limit)
{
	struct attempt it = attempt_on(_i, "@/missing");
	struct outcome outcome;

	it.prepare = high_report;
	it.returns = -ENOENT;
	outcome = attempt(&it);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, ENOENT);
	ck_assert_int_eq(exited(&outcome), _i == STUB ? 127 : RETURNED);
}
END_TEST

/* The writer's end of something other than the pipe. */
static int other_report;

static int to_other_report(int report)
{
	(void)report;
	return other_report;
}

static void assert_reported(int route, int writer, int reader)
{
	struct attempt it = attempt_on(route, "@/text");
	struct outcome outcome;

	other_report = writer;
	it.prepare = to_other_report;
	it.returns = -ENOEXEC;
	outcome = attempt(&it);
	ck_assert_int_eq(exited(&outcome), route == STUB ? 126 : RETURNED);

	close(writer);
	outcome.read = errpipe_read(reader, &outcome.report);
	assert_failed(&outcome, ERRPIPE_STEP_EXEC, ENOEXEC);
	close(reader);
}

START_TEST(a_report_to_a_fifo)
{
	char *path = fixture_path("@/report.fifo");
	int reader;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_reported(_i, open(path, O_WRONLY), reader);
	unlink(path);
}
END_TEST

START_TEST(a_report_to_a_socket)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	int fd[2];

	for (size_t i = 0; i < COUNT(types); i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, fd), 0);
		assert_reported(_i, fd[0], fd[1]);
	}
}
END_TEST

START_TEST(a_report_to_a_file)
{
	char *path = fixture_path("@/report.file");
	int writer = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_reported(_i, writer, open(path, O_RDONLY | O_CLOEXEC));
	unlink(path);
}
END_TEST

/* Nobody can read the report, but the exit status still shows its writer. */
static struct outcome attempt_in_vain(int route, int (*prepare)(int report))
{
	struct attempt it = attempt_on(route, "@/missing");

	it.prepare = prepare;
	it.returns = -ENOENT;
	return attempt(&it);
}

static int broken_pipe(int report)
{
	int pipe[2];

	(void)report;
	if (errpipe_pipe(pipe) < 0)
		_exit(BAD_STATE);
	close(pipe[0]);
	return pipe[1];
}

START_TEST(a_reader_that_is_gone)
{
	struct outcome outcome = attempt_in_vain(_i, broken_pipe);

	ck_assert_int_eq(exited(&outcome), _i == STUB ? 127 : RETURNED);
}
END_TEST

static int no_file_size(int report)
{
	const struct rlimit none = { 0, 0 };
	char *path = fixture_path("@/report.limited");

	(void)report;
	report = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	unlink(path);
	setrlimit(RLIMIT_FSIZE, &none);
	return report;
}

START_TEST(a_file_that_is_full)
{
	struct outcome outcome = attempt_in_vain(_i, no_file_size);

	ck_assert_int_eq(exited(&outcome), _i == STUB ? 127 : RETURNED);
}
END_TEST

/* Check the effects of errpipe_exec on a process that continues. The check runs in a child, whose status is returned. */
static int in_child(int (*check)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(check());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

#define REQUIRE(condition)                                                                                           \
	do {                                                                                                         \
		if (!(condition)) {                                                                                  \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
			return 1;                                                                                    \
		}                                                                                                    \
	} while (0)

static int is_pending(int signal)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, signal);
}

static int exec_nothing(int report)
{
	return errpipe_exec(ERRPIPE_NO_STUB, 0, report, "/nowhere/at/all", no_strings, no_strings);
}

static int pending_sigpipe_stays(void)
{
	static const int blocked[] = { SIGPIPE };
	int report = broken_pipe(-1);

	block(blocked, COUNT(blocked));
	REQUIRE(exec_nothing(report) == -ENOENT);
	REQUIRE(!is_pending(SIGPIPE));

	raise(SIGPIPE);
	REQUIRE(exec_nothing(report) == -ENOENT);
	REQUIRE(is_pending(SIGPIPE));
	return 0;
}

START_TEST(a_sigpipe_from_before_stays)
{
	ck_assert_int_eq(in_child(pending_sigpipe_stays), 0);
}
END_TEST

static int pending_sigxfsz_stays(void)
{
	static const int blocked[] = { SIGXFSZ };
	int report = no_file_size(-1);

	block(blocked, COUNT(blocked));
	REQUIRE(exec_nothing(report) == -ENOENT);
	REQUIRE(!is_pending(SIGXFSZ));

	raise(SIGXFSZ);
	REQUIRE(exec_nothing(report) == -ENOENT);
	REQUIRE(is_pending(SIGXFSZ));
	return 0;
}

START_TEST(a_sigxfsz_from_before_stays)
{
	ck_assert_int_eq(in_child(pending_sigxfsz_stays), 0);
}
END_TEST

static int mask_is_restored(void)
{
	static const int blocked[] = { SIGUSR1, 33, 64 };
	static const unsigned char none[_NSIG / 8];
	unsigned char before[_NSIG / 8], after[_NSIG / 8];
	int fd[2];

	REQUIRE(errpipe_pipe(fd) == 0);
	block(blocked, COUNT(blocked));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, before, sizeof(before));
	REQUIRE(exec_nothing(fd[1]) == -ENOENT);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, after, sizeof(after));
	REQUIRE(memcmp(before, after, sizeof(before)) == 0);
	REQUIRE(memcmp(before, none, sizeof(before)) != 0);
	return 0;
}

START_TEST(the_mask_is_restored)
{
	ck_assert_int_eq(in_child(mask_is_restored), 0);
}
END_TEST

static int report_is_close_on_exec(void)
{
	char *text = fixture_path("@/text");
	int fd[2], stub;

	REQUIRE(errpipe_pipe(fd) == 0);
	REQUIRE(fcntl(fd[1], F_SETFD, 0) == 0);
	REQUIRE(exec_nothing(fd[1]) == -ENOENT);
	REQUIRE(fcntl(fd[1], F_GETFD) == FD_CLOEXEC);

	stub = open(text, O_PATH | O_CLOEXEC);
	REQUIRE(errpipe_exec(stub, 0, fd[1], text, no_strings, no_strings) == -ENOEXEC);
	REQUIRE(fcntl(fd[1], F_GETFD) == FD_CLOEXEC);
	return 0;
}

START_TEST(the_report_is_close_on_exec)
{
	ck_assert_int_eq(in_child(report_is_close_on_exec), 0);
}
END_TEST

/* --- errpipe_fail ----------------------------------------------------------------------------- */

struct failure {
	unsigned step;
	int error;
};

static const struct failure bad_failures[] = {
	{ 0x8000, 0 },	     { 0x8000, -1 },	 { 0x8000, -EPERM }, { 0x8000, 4096 },	  { 0x8000, INT_MAX },
	{ 0x8000, INT_MIN }, { 0, EPERM },	 { 1, EPERM },	     { 2, EPERM },	  { 0x7fff, EPERM },
	{ 0xffff, EPERM },   { 0x10000, EPERM }, { 0x18000, EPERM }, { UINT_MAX, EPERM },
};

static const struct failure good_failures[] = {
	{ 0x8000, 1 }, { 0x8000, 4095 }, { 0x8001, EPERM }, { 0xabcd, ENOENT }, { 0xfffe, 1 }, { 0xfffe, 4095 },
};

START_TEST(a_bad_failure)
{
	struct errpipe_report report;
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	ck_assert_int_eq(errpipe_fail(fd[1], bad_failures[_i].step, bad_failures[_i].error), -EINVAL);
	close(fd[1]);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
}
END_TEST

START_TEST(a_good_failure)
{
	struct outcome outcome;
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	ck_assert_int_eq(errpipe_fail(fd[1], good_failures[_i].step, good_failures[_i].error), 0);
	outcome.read = errpipe_read(fd[0], &outcome.report);
	assert_failed(&outcome, good_failures[_i].step, good_failures[_i].error);
	ck_assert_int_eq(outcome.report.status, -1);
}
END_TEST

START_TEST(a_failure_to_no_descriptor)
{
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	ck_assert_int_eq(errpipe_fail(-1, 0x8000, EPERM), -EBADF);
	ck_assert_int_eq(errpipe_fail(fd[0], 0x8000, EPERM), -EBADF);
	close(fd[1]);
	ck_assert_int_eq(errpipe_fail(fd[1], 0x8000, EPERM), -EBADF);
}
END_TEST

START_TEST(a_failure_to_nobody)
{
	ck_assert_int_eq(errpipe_fail(broken_pipe(-1), 0x8000, EPERM), -EPIPE);
}
END_TEST

START_TEST(a_failure_to_a_full_pipe)
{
	char block[4096] = { 0 };
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	ck_assert_int_eq(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	while (write(fd[1], block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errpipe_fail(fd[1], 0x8000, EPERM), -EAGAIN);
}
END_TEST

static int half_a_record(void)
{
	const struct rlimit eight = { 8, 8 };
	char *path = fixture_path("@/report.half");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	unlink(path);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &eight) == 0);
	REQUIRE(errpipe_fail(fd, 0x8000, EPERM) == -EIO);
	REQUIRE(errpipe_fail(fd, 0x8000, EPERM) == -EFBIG);
	return 0;
}

START_TEST(a_failure_to_a_file_that_is_full)
{
	ck_assert_int_eq(in_child(half_a_record), 0);
}
END_TEST

/* --- errpipe_pipe ----------------------------------------------------------------------------- */

static int pipe_is_fine(const int fd[2])
{
	char byte = 'x';

	REQUIRE(fd[0] > STDERR_FILENO && fd[1] > STDERR_FILENO);
	REQUIRE(fcntl(fd[0], F_GETFD) == FD_CLOEXEC && fcntl(fd[1], F_GETFD) == FD_CLOEXEC);
	REQUIRE(write(fd[1], &byte, 1) == 1 && read(fd[0], &byte, 1) == 1);
	return 0;
}

/* A bit for each of 0, 1 and 2 that is closed before the pipe is made. */
static int closed_streams;

static int pipe_with_closed_streams(void)
{
	int fd[2];

	for (int i = 0; i < 3; i++) {
		if (closed_streams & 1 << i)
			close(i);
	}
	REQUIRE(errpipe_pipe(fd) == 0);
	for (int i = 0; i < 3; i++) {
		if (closed_streams & 1 << i)
			REQUIRE(fcntl(i, F_GETFD) == -1);
		else
			REQUIRE(fcntl(i, F_GETFD) >= 0);
	}
	return pipe_is_fine(fd);
}

START_TEST(a_pipe_where_streams_are_closed)
{
	closed_streams = _i;
	ck_assert_int_eq(in_child(pipe_with_closed_streams), 0);
}
END_TEST

static int open_descriptors(void)
{
	int count = 0;

	for (int i = 0; i < 1024; i++)
		count += fcntl(i, F_GETFD) >= 0;
	return count;
}

static int first_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

/* With closed streams the pipe fits in 0 to 2, but the copies of its ends find no room above. */
static int pipe_beyond_the_limit(rlim_t limit)
{
	const struct rlimit nofile = { limit, limit };
	int fd[2] = { -7, -8 }, before;

	REQUIRE(setrlimit(RLIMIT_NOFILE, &nofile) == 0);
	before = open_descriptors();
	REQUIRE(errpipe_pipe(fd) == -EMFILE);
	REQUIRE(fd[0] == -7 && fd[1] == -8);
	REQUIRE(open_descriptors() == before);
	return 0;
}

static int pipe_without_room(void)
{
	return pipe_beyond_the_limit(first_free());
}

static int pipe_with_room_for_one(void)
{
	return pipe_beyond_the_limit(first_free() + 1);
}

static void fill_below(int limit)
{
	while (dup(STDERR_FILENO) >= 0 && first_free() < limit)
		;
}

static int pipe_with_room_below_only(void)
{
	fill_below(20);
	close(0);
	close(1);
	return pipe_beyond_the_limit(20);
}

static int pipe_with_room_for_one_copy(void)
{
	fill_below(20);
	close(0);
	close(1);
	return pipe_beyond_the_limit(21);
}

static int pipe_half_below(void)
{
	fill_below(20);
	close(0);
	return pipe_beyond_the_limit(21);
}

static int (*const pipes_that_fail[])(void) = {
	pipe_without_room,	     pipe_with_room_for_one, pipe_with_room_below_only,
	pipe_with_room_for_one_copy, pipe_half_below,
};

START_TEST(a_pipe_beyond_the_limit)
{
	ck_assert_int_eq(in_child(pipes_that_fail[_i]), 0);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	return tc;
}

static void add_table(Suite *suite)
{
	TCase *tc = add_tcase(suite, "table");

	tcase_add_loop_test(tc, a_case, 0, run_count);
	tcase_add_loop_test(tc, a_case_without_fallback, 0, stopped_count);
	tcase_add_loop_test(tc, a_file_that_works, 0, COUNT(working));
}

static void add_success(Suite *suite)
{
	TCase *tc = add_tcase(suite, "success");

	tcase_add_loop_test(tc, a_target_gets_what_execve_gives, 0, SCENES);
	tcase_add_test(tc, scenes_are_seen);
	tcase_add_test(tc, no_argv);
}

static void add_misuse(Suite *suite)
{
	TCase *tc = add_tcase(suite, "misuse");

	tcase_add_loop_test(tc, bad_report, 0, ROUTES);
	tcase_add_loop_test(tc, unknown_flags, 0, ROUTES);
	tcase_add_loop_test(tc, no_path, 0, ROUTES);
	tcase_add_loop_test(tc, argv_and_envp_are_null, 0, ROUTES);
	tcase_add_loop_test(tc, fcntl_refused, 0, ROUTES);
	tcase_add_loop_test(tc, close_on_exec_refused, 0, ROUTES);
}

static void add_stub(Suite *suite)
{
	TCase *tc = add_tcase(suite, "stub");

	tcase_add_loop_test(tc, a_file_that_is_no_stub, 0, COUNT(no_stubs));
	tcase_add_test(tc, a_closed_stub);
	tcase_add_test(tc, a_stub_that_could_not_be_made);
	tcase_add_test(tc, a_deleted_stub);
	tcase_add_test(tc, a_stub_refused);
	tcase_add_loop_test(tc, a_process_refused, 0, 2);
	tcase_add_loop_test(tc, a_path_of_any_length, 0, 5);
	tcase_add_loop_test(tc, no_execveat, 0, COUNT(without_execveat));
	tcase_add_loop_test(tc, no_execveat_and_no_proc, 0, COUNT(without_execveat));
	tcase_add_test(tc, fcntl_refused_to_the_stub);
}

static void add_report(Suite *suite)
{
	TCase *tc = add_tcase(suite, "report");

	tcase_add_loop_test(tc, a_report_beyond_the_limit, 0, ROUTES);
	tcase_add_loop_test(tc, a_report_to_a_fifo, 0, ROUTES);
	tcase_add_loop_test(tc, a_report_to_a_socket, 0, ROUTES);
	tcase_add_loop_test(tc, a_report_to_a_file, 0, ROUTES);
	tcase_add_loop_test(tc, a_reader_that_is_gone, 0, ROUTES);
	tcase_add_loop_test(tc, a_file_that_is_full, 0, ROUTES);
	tcase_add_test(tc, a_sigpipe_from_before_stays);
	tcase_add_test(tc, a_sigxfsz_from_before_stays);
	tcase_add_test(tc, the_mask_is_restored);
	tcase_add_test(tc, the_report_is_close_on_exec);
}

static void add_fail(Suite *suite)
{
	TCase *tc = add_tcase(suite, "fail");

	tcase_add_loop_test(tc, a_bad_failure, 0, COUNT(bad_failures));
	tcase_add_loop_test(tc, a_good_failure, 0, COUNT(good_failures));
	tcase_add_test(tc, a_failure_to_no_descriptor);
	tcase_add_test(tc, a_failure_to_nobody);
	tcase_add_test(tc, a_failure_to_a_full_pipe);
	tcase_add_test(tc, a_failure_to_a_file_that_is_full);
}

static void add_pipe(Suite *suite)
{
	TCase *tc = add_tcase(suite, "pipe");

	tcase_add_loop_test(tc, a_pipe_where_streams_are_closed, 0, 8);
	tcase_add_loop_test(tc, a_pipe_beyond_the_limit, 0, COUNT(pipes_that_fail));
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("exec");

	(void)argc;
	leave_valgrind(argv);
	load_cases();
	fixture = fixture_make();
	show_program = built_path("tests/prog_show");
	make_runs();

	add_table(suite);
	add_success(suite);
	add_misuse(suite);
	add_stub(suite);
	add_report(suite);
	add_fail(suite);
	add_pipe(suite);

	return run_suite(suite);
}

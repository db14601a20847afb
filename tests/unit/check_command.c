/* SPDX-License-Identifier: MIT */
/* The command errpipe, and records of the stub that the command decodes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "errpipe.h"
#include "fixture.h"
#include "rounds.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *fixture;
static char *show_program, *act_program;

/* --- running a program ------------------------------------------------------------------------ */

/* Exit codes of a child that could not become the program. */
enum { NO_STATE = 77, BAD_STATE };

struct start {
	const char *program; /* "@/bin/errpipe" */
	char *const *argv;
	const char *state;
	enum identity identity;
	void (*set)(void); /* run in the child first */
	int in;		   /* its standard input, or 0 for ours */
};

struct result {
	int status;
	char *out, *err;
};

static int create(const char *path)
{
	char *name = fixture_path(path);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror(name);
		exit(EXIT_FAILURE);
	}
	return fd;
}

static char *read_whole(int fd)
{
	struct stat st;
	char *text;

	ck_assert_int_eq(fstat(fd, &st), 0);
	text = keep(malloc(st.st_size + 1));
	ck_assert_int_eq(pread(fd, text, st.st_size, 0), st.st_size);
	text[st.st_size] = '\0';
	close(fd);
	return text;
}

/* Use execveat(2) because a state may refuse execve(2), and only the tested program shall meet that refusal. */
__attribute__((noreturn)) static void become_program(const struct start *start)
{
	char *path = *start->program == '@' ? fixture_path(start->program) : keep(strdup(start->program));
	int fd = open(path, O_PATH | O_CLOEXEC), ret;

	if (start->set)
		start->set();
	ret = enter_state(start->state, fixture);
	if (ret == 0)
		ret = become(start->identity);
	if (ret == 0)
		syscall(SYS_execveat, fd, "", start->argv, environ, AT_EMPTY_PATH);
	if (ret == 0 && errno == ENOSYS)
		execve(path, start->argv, environ);
	_exit(ret == -EOPNOTSUPP ? NO_STATE : BAD_STATE);
}

static pid_t start_with_output(const struct start *start, int out, int err)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (start->in)
			dup2(start->in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		become_program(start);
	}
	return pid;
}

static int exit_code(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct result run(const struct start *start)
{
	int out = create("@/stdout"), err = create("@/stderr");
	struct result result = { .status = exit_code(start_with_output(start, out, err)) };

	result.out = read_whole(out);
	result.err = read_whole(err);
	return result;
}

static struct result run_errpipe(char *const *argv, void (*set)(void))
{
	const struct start start = { .program = "@/bin/errpipe", .argv = argv, .set = set };

	return run(&start);
}

/* The message alone, without the explanation. */
#define ONE_LINE "--explain=no"

#define ERRPIPE(...)		run_errpipe((char *[]){ "errpipe", __VA_ARGS__, NULL }, NULL)
#define ERRPIPE_AFTER(set, ...) run_errpipe((char *[]){ "errpipe", __VA_ARGS__, NULL }, set)

static void assert_result(struct result r, const char *name, int status, const char *out, const char *err)
{
	ck_assert_msg(r.status == status, "%s: exit code %d, not %d; %s", name, r.status, status, r.err);
	ck_assert_msg(strcmp(r.out, out) == 0, "%s: stdout \"%s\", not \"%s\"", name, r.out, out);
	ck_assert_msg(strcmp(r.err, err) == 0, "%s: stderr \"%s\", not \"%s\"", name, r.err, err);
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...)
{
	va_list args;
	char *result;
	int length;

	va_start(args, format);
	length = vasprintf(&result, format, args);
	va_end(args);
	return keep(length < 0 ? NULL : result);
}

/* --- the table -------------------------------------------------------------------------------- */

struct run {
	const struct exec_case *c;
	enum identity identity;
};

static struct run *runs;

static int run_count;

static void add_run(const struct exec_case *c, enum identity identity)
{
	runs[run_count++] = (struct run){ c, identity };
}

/*
 * The user who runs the tests decides which cases exist, so a case for another user is not a skip. On a slow machine each
 * case runs once. The identity changes the kernel's answer, but the command reports every answer the same way.
 */
static void make_runs(void)
{
	runs = keep(calloc(case_count * 2, sizeof(*runs)));
	for (size_t i = 0; i < case_count; i++) {
		if (cases[i].surfaces == CASE_LIBRARY)
			continue;
		if (cases[i].who != (geteuid() == 0 ? CASE_USER : CASE_ROOT) && !(is_slow() && geteuid() == 0))
			add_run(&cases[i], AS_SELF);
		if (geteuid() == 0)
			add_run(&cases[i], AS_NOBODY);
	}
}

static const char *title(const struct run *run)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "%s as %s", run->c->name, run->identity == AS_SELF ? "self" : "nobody");
	return buf;
}

static char *const policies[CASE_POLICIES] = { "posix", "dockerd", "runc", "systemd" };

/* command is run or exec. Each case tries every policy, or a single one on a slow machine. */
static void assert_says_why(const struct run *it, char *command)
{
	char *path = fixture_path(it->c->path), *line = text("exec %s: %s\n", path, it->c->words);
	int first = is_slow() ? (it - runs) % CASE_POLICIES : 0, end = is_slow() ? first + 1 : CASE_POLICIES;

	for (int i = first; i < end; i++) {
		char *argv[] = {
			"errpipe", command, ONE_LINE, "--policy", policies[i], "--", path, "argument", NULL
		};
		const struct start start = { "@/bin/errpipe", argv, it->c->state, it->identity, NULL, 0 };
		struct result r = run(&start);

		if (r.status == NO_STATE)
			SKIP(state_needs(it->c->state));
		assert_result(r, title(it), it->c->exit_codes[i], "", line);
	}
}

START_TEST(run_says_why)
{
	assert_says_why(&runs[_i], "run");
}
END_TEST

START_TEST(exec_says_why)
{
	assert_says_why(&runs[_i], "exec");
}
END_TEST

/* Docker, podman and containerd look for these phrases in errors and then choose other exit codes. */
static const char *const phrases[] = { "not found",	  "no such file",    "permission denied",
				       "is a directory",  "not a directory", "operation not permitted",
				       "open executable", "no such process", "container not running",
				       "invalid process" };

/* The explanation has one line or two: why, and fix. Neither contains any of the phrases. */
static void assert_explained(const char *name, char *lines)
{
	int count = 0;

	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"), count++) {
		const char *label = count == 0 ? "errpipe: why" : "errpipe: fix: ";

		ck_assert_msg(strncmp(line, label, strlen(label)) == 0, "%s: \"%s\"", name, line);
		for (size_t i = 0; i < COUNT(phrases); i++)
			ck_assert_msg(!strcasestr(line, phrases[i]), "%s: \"%s\"", name, line);
	}
	ck_assert_msg(count == 1 || count == 2, "%s: %d lines", name, count);
}

/* An explanation changes neither the message nor the exit code. */
static void assert_says_more(const struct run *it, char *command)
{
	char *path = fixture_path(it->c->path), *line = text("exec %s: %s\n", path, it->c->words);
	char *argv[] = { "errpipe", command, path, "argument", NULL };
	const struct start start = { "@/bin/errpipe", argv, it->c->state, it->identity, NULL, 0 };
	struct result r = run(&start);

	if (r.status == NO_STATE)
		SKIP(state_needs(it->c->state));
	ck_assert_msg(strncmp(r.err, line, strlen(line)) == 0, "%s: \"%s\", not \"%s\"", title(it), r.err, line);
	assert_explained(title(it), r.err + strlen(line));
	assert_result((struct result){ r.status, r.out, "" }, title(it), it->c->exit_codes[0], "", "");
}

START_TEST(run_says_more)
{
	assert_says_more(&runs[_i], "run");
}
END_TEST

START_TEST(exec_says_more)
{
	assert_says_more(&runs[_i], "exec");
}
END_TEST

enum { RECORD_FD = 90 };

static void open_record(void)
{
	if (dup2(create("@/record"), RECORD_FD) < 0)
		_exit(BAD_STATE);
}

START_TEST(decode_says_why)
{
	const struct run *it = &runs[_i];
	char *path = fixture_path(it->c->path), *record = fixture_path("@/record");
	char *argv[] = { "dmz", "90", path, "name", NULL };
	const struct start start = { "@/bin/dmz", argv, it->c->state, it->identity, open_record, 0 };
	struct result r = run(&start);

	if (r.status == NO_STATE)
		SKIP(state_needs(it->c->state));
	assert_result(r, title(it), it->c->error == ENOENT ? 127 : 126, "", "");

	r = ERRPIPE("decode", "--path", path, record);
	assert_result(r, title(it), 0, text("exec %s: %s\n", path, it->c->words), "");
}
END_TEST

/* --- run: the end of the target --------------------------------------------------------------- */

static const int exit_codes[] = { 0, 1, 7, 124, 125, 126, 127, 128, 203, 255 };

START_TEST(run_exits_as_the_target_does)
{
	char *code = text("%d", exit_codes[_i]);

	assert_result(ERRPIPE("run", act_program, "exit", code), code, exit_codes[_i], "", "");
	for (int i = 0; i < CASE_POLICIES; i++)
		assert_result(ERRPIPE("run", "--policy", policies[i], "--", act_program, "exit", code), policies[i],
			      exit_codes[_i], "", "");
}
END_TEST

static const int signals[] = { SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGQUIT, SIGXCPU, 64 };

START_TEST(run_exits_with_128_and_the_signal)
{
	char *number = text("%d", signals[_i]);

	assert_result(ERRPIPE("run", act_program, "kill", number), number, 128 + signals[_i], "", "");
}
END_TEST

static const struct {
	int signal;
	const char *name;
} crashes[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },	{ SIGILL, "SIGILL" }, { SIGFPE, "SIGFPE" },
	{ SIGABRT, "SIGABRT" }, { SIGTRAP, "SIGTRAP" }, { SIGSYS, "SIGSYS" },
};

/* A shell says that its child has crashed, but not that its child exits with 139. */
START_TEST(run_says_that_the_target_crashed)
{
	char *number = text("%d", crashes[_i].signal);
	char *line = text("errpipe: \"%s\" was started, and was then killed by %s\n", act_program, crashes[_i].name);

	assert_result(ERRPIPE("run", act_program, "kill", number), number, 128 + crashes[_i].signal, "", line);
	assert_result(ERRPIPE("run", "--explain=no", act_program, "kill", number), number, 128 + crashes[_i].signal,
		      "", "");
}
END_TEST

START_TEST(run_passes_arguments_on)
{
	assert_result(ERRPIPE("run", act_program, "print", "--policy"), "option", 0, "--policy\n", "");
	assert_result(ERRPIPE("run", act_program, "print", "--"), "dashes", 0, "--\n", "");
	assert_result(ERRPIPE("run", "--policy=runc", act_program, "print", ""), "empty", 0, "\n", "");
}
END_TEST

/* --- run and exec: setup options -------------------------------------------------------------- */

static char *const setup_ways[][3] = { { "run", "--route=stub" }, { "run", "--route=direct" }, { "exec", "--" } };

START_TEST(setup_options)
{
	char *const *way = setup_ways[_i];
	char *argv[] = {
		"errpipe",
		way[0],
		"--umask=027",
		"--limit=nofile=64:65",
		"--limit",
		"core=0",
		"--chdir=/usr",
		"--no-new-privs",
		"--new-session",
		way[1],
		"sh",
		"-c",
		"umask; ulimit -n; ulimit -Hn; ulimit -c; pwd; sed -n 's/^NoNewPrivs:.//p' /proc/self/status",
		NULL
	};

	assert_result(run_errpipe(argv, NULL), way[0], 0, "0027\n64\n65\n0\n/usr\n1\n", "");
}
END_TEST

START_TEST(setup_of_a_user)
{
	char *const *way = setup_ways[_i];
	char *argv[] = { "errpipe",
			 way[0],
			 "--user=65534:7",
			 "--groups=8,9",
			 "--capabilities=kill,CAP_CHOWN",
			 way[1],
			 "sh",
			 "-c",
			 "sed -n 's/^\\(Uid\\|Gid\\|Groups\\|CapEff\\|CapBnd\\):.//p' /proc/self/status",
			 NULL };

	NEEDS("root");
	assert_result(run_errpipe(argv, NULL), way[0], 0,
		      "65534\t65534\t65534\t65534\n7\t7\t7\t7\n8 9 \n0000000000000021\n0000000000000021\n", "");
}
END_TEST

START_TEST(setup_that_fails)
{
	char *const *way = setup_ways[_i];
	char *argv[] = { "errpipe", way[0], "--policy=systemd", "--chdir=/no\nwhere", way[1], "true", NULL };

	assert_result(run_errpipe(argv, NULL), way[0], 200, "",
		      "exec true: cannot change to the working directory \"/no\\nwhere\" (ENOENT)\n"
		      "errpipe: why: the working directory, or the target of its symlink, does not exist\n"
		      "errpipe: fix: create it or correct its path\n");
}
END_TEST

/* The diagnosis is about the user who was to exec it. */
START_TEST(setup_and_a_diagnosis)
{
	char *const *way = setup_ways[_i];
	char *path = fixture_path("@/good.private");
	char *argv[] = { "errpipe", way[0], "--user=65534:65534", way[1], path, NULL };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	NEEDS("root");
	ck_assert_int_ge(fd, 0);
	close(fd);
	assert_result(run_errpipe(argv, NULL), way[0], 126, "",
		      text("exec %s: permission denied\n"
			   "errpipe: why: \"%s\" has no x permission for others (uid 65534)\n"
			   "errpipe: fix: chmod a+x %s%s\n",
			   path, path, path, strcmp(way[0], "exec") == 0 ? ", or a+rx if it is a script" : ""));
	unlink(path);
}
END_TEST

/* --- run: properties that the target inherits ------------------------------------------------- */

static void set_signals(void)
{
	static const int blocked[] = { SIGHUP, SIGTERM, SIGUSR2, SIGCHLD, 32, 33, 40, 64 };
	unsigned long mask[16 / sizeof(long)] = { 0 };

	default_signals();
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGRTMAX - 1, SIG_IGN);
	/* Use the numbers because libc refuses to block 32 and 33. */
	for (size_t i = 0; i < COUNT(blocked); i++)
		mask[(blocked[i] - 1) / (8 * sizeof(long))] |= 1UL << (blocked[i] - 1) % (8 * sizeof(long));
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, _NSIG / 8) < 0)
		_exit(BAD_STATE);
}

/* None of these is close-on-exec, because such descriptors do not even reach the command. */
static void set_descriptors(void)
{
	static const int wanted[] = { 3, 4, 5, 20, 21, 400 };
	int fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC);

	for (size_t i = 0; i < COUNT(wanted); i++) {
		if (fcntl(wanted[i], F_GETFD) < 0 && dup2(fd, wanted[i]) < 0)
			_exit(BAD_STATE);
	}
}

static void set_process(void)
{
	if (chdir(fixture) < 0 || chdir("bin") < 0)
		_exit(BAD_STATE);
	umask(0137);
}

static void set_environment(void)
{
	static char *strings[] = { "A=1", "A=2", "PATH=", "NO_EQUALS_SIGN", "TWO=li\nnes", NULL };

	environ = strings;
}

static void set_no_environment(void)
{
	static char *none[] = { NULL };

	environ = none;
}

static void close_stdin(void)
{
	close(STDIN_FILENO);
}

static void close_stdin_and_stderr(void)
{
	close(STDIN_FILENO);
	close(STDERR_FILENO);
}

static void close_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
}

static void no_change(void)
{
}

static void (*const changes[])(void) = {
	no_change,	 set_signals,	     set_descriptors, set_process,
	set_environment, set_no_environment, close_stdin,     close_stdin_and_stderr,
};

/* Of a long text, show only the differing line. */
static void assert_same(const char *text, const char *expected)
{
	size_t i = 0, line = 0;

	for (; text[i] && text[i] == expected[i]; i++) {
		if (text[i] == '\n')
			line = i + 1;
	}
	ck_assert_msg(text[i] == expected[i], "\"%.200s\", not \"%.200s\"", text + line, expected + line);
}

static char *const commands[] = { "run", "exec" };

START_TEST(the_target_gets_what_execve_gives)
{
	void (*change)(void) = changes[_i / 2];
	char *plain_argv[] = { show_program, "a b", "", "\xff", NULL };
	char *argv[] = { "errpipe", commands[_i % 2], show_program, "a b", "", "\xff", NULL };
	const struct start plain = { .program = show_program, .argv = plain_argv, .set = change };
	struct result expected = run(&plain), r = run_errpipe(argv, change);

	ck_assert_ptr_nonnull(strstr(expected.out, "\nSigBlk:"));
	assert_same(r.out, expected.out);
	ck_assert_str_eq(r.err, "");
	ck_assert_int_eq(r.status, 0);
}
END_TEST

/* Make sure that the comparison can see the changes. */
START_TEST(changes_are_seen)
{
	struct result r = ERRPIPE_AFTER(set_signals, "run", show_program);

	ck_assert_ptr_nonnull(strstr(r.out, "\nSigBlk:\t8000008180014801\nSigIgn:\t4000000000011002\n"));
	r = ERRPIPE_AFTER(set_descriptors, "run", show_program);
	ck_assert_ptr_nonnull(strstr(r.out, "\nfd 400 flags "));
	r = ERRPIPE_AFTER(set_process, "run", show_program);
	ck_assert_ptr_nonnull(strstr(r.out, "\nUmask:\t0137\n"));
	r = ERRPIPE_AFTER(close_stdin, "run", show_program);
	ck_assert_ptr_null(strstr(r.out, "fd 0 "));
}
END_TEST

START_TEST(streams_may_be_closed)
{
	assert_result(ERRPIPE_AFTER(close_streams, "run", act_program, "exit", "0"), "exit 0", 0, "", "");
	assert_result(ERRPIPE_AFTER(close_streams, "run", act_program, "exit", "7"), "exit 7", 7, "", "");
	assert_result(ERRPIPE_AFTER(close_streams, "run", ONE_LINE, "/nowhere/at/all"), "missing", 127, "", "");
	assert_result(ERRPIPE_AFTER(close_stdin, "run", act_program, "print", "x"), "stdin", 0, "x\n", "");
	assert_result(ERRPIPE_AFTER(close_stdin, "run", ONE_LINE, "/nowhere/at/all"), "stdin", 127, "",
		      "exec /nowhere/at/all: no such file or directory\n");
}
END_TEST

static void close_stdin_and_stdout(void)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

START_TEST(stdout_may_be_closed)
{
	assert_result(ERRPIPE_AFTER(close_stdin_and_stdout, "run", act_program, "exit", "0"), "exit 0", 0, "", "");
}
END_TEST

static void ignore_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
}

START_TEST(sigchld_may_be_ignored)
{
	assert_result(ERRPIPE_AFTER(ignore_sigchld, "run", act_program, "exit", "7"), "exit 7", 7, "", "");
	assert_result(ERRPIPE_AFTER(ignore_sigchld, "run", act_program, "kill", "9"), "kill", 137, "", "");
	assert_result(ERRPIPE_AFTER(ignore_sigchld, "run", ONE_LINE, "/nowhere/at/all"), "missing", 127, "",
		      "exec /nowhere/at/all: no such file or directory\n");
}
END_TEST

/* --- run: forwarding of signals --------------------------------------------------------------- */

static void assert_line(FILE *from, const char *expected)
{
	char line[256];

	ck_assert_ptr_nonnull(fgets(line, sizeof(line), from));
	ck_assert_str_eq(line, expected);
}

static char *counted(const char *kind, int count, pid_t sender)
{
	return text("%s %d from %d\n", kind, count, (int)sender);
}

/* SIGTERM is sent only once: the kernel merges several, because it queues only real-time signals. */
START_TEST(a_signal_is_passed_on_once)
{
	char *argv[] = { "errpipe", "run", act_program, "count", NULL };
	const struct start start = { .program = "@/bin/errpipe", .argv = argv };
	int fd[2];
	FILE *from;
	pid_t pid;

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	pid = start_with_output(&start, fd[1], STDERR_FILENO);
	close(fd[1]);
	from = fdopen(fd[0], "r");

	assert_line(from, "ready\n");
	kill(pid, SIGTERM);
	assert_line(from, counted("term", 1, pid));
	for (int i = 1; i <= 3; i++)
		kill(pid, SIGRTMIN + 1);
	for (int i = 1; i <= 3; i++)
		assert_line(from, counted("real", i, pid));
	kill(pid, SIGUSR1);
	assert_line(from, "1 and 3\n");
	ck_assert_int_eq(exit_code(pid), 0);
	fclose(from);
}
END_TEST

/* Use the system call because libc reserves some signals. Programs started by make inherit those as ignored. */
static void set_to_default(int signal)
{
	const char none[64] = { 0 }; /* the kernel's struct sigaction with SIG_DFL */

	ck_assert_int_eq(syscall(SYS_rt_sigaction, signal, none, NULL, 8), 0);
}

/* Even the signals that libc reserves: 32 to 34. */
START_TEST(every_signal_is_passed_on)
{
	char *argv[] = { "errpipe", "run", act_program, "count", NULL };
	const struct start start = { .program = "@/bin/errpipe", .argv = argv };
	int fd[2];
	FILE *from;
	pid_t pid;

	set_to_default(_i);
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	pid = start_with_output(&start, fd[1], STDERR_FILENO);
	close(fd[1]);
	from = fdopen(fd[0], "r");
	assert_line(from, "ready\n");
	kill(pid, _i);
	ck_assert_int_eq(exit_code(pid), 128 + _i);
	fclose(from);
}
END_TEST

static void set_alarm(void)
{
	alarm(3); /* errpipe starts sooner, even under qemu-user */
}

/* An alarm(2) survives an exec. The kernel sends its signal to errpipe alone. */
START_TEST(an_alarm_is_passed_on)
{
	assert_result(ERRPIPE_AFTER(set_alarm, "run", "sleep", "20"), "alarm", 128 + SIGALRM, "", "");
}
END_TEST

/* --- run: job control --------------------------------------------------------------------- */

enum { READY_FD = 9 };

/* The terminal hangs up when the target has written to READY_FD. */
static void lead_a_session(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), ready[2];
	char byte;

	signal(SIGHUP, SIG_DFL); /* nohup(1) ignores it */
	/* The exec of errpipe closes the master. The child, which keeps a copy, closes the last one. */
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || setsid() < 0 ||
	    open(ptsname(master), O_RDWR | O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		_exit(BAD_STATE);
	if (fork() == 0) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) != 1);
	}
	if (dup2(ready[1], READY_FD) < 0)
		_exit(BAD_STATE);
}

/* The kernel sends SIGHUP only to the leader of the session. */
START_TEST(a_terminal_that_is_gone)
{
	assert_result(ERRPIPE_AFTER(lead_a_session, "run", "sh", "-c", "echo >&9; exec sleep 20"), "hangup",
		      128 + SIGHUP, "", "");
}
END_TEST

/* The state of a process's only child, as in /proc/PID/stat, or 0 if it has no child. */
static char state_of_child(pid_t pid)
{
	FILE *file = fopen(text("/proc/%d/task/%d/children", (int)pid, (int)pid), "re");
	char state = 0;
	int child;

	ck_assert_ptr_nonnull(file);
	if (fscanf(file, "%d", &child) != 1)
		child = 0;
	fclose(file);
	file = fopen(text("/proc/%d/stat", child), "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (file)
		fclose(file);
	return state;
}

/* Lead a process group whose parent is in another group. SIGTSTP does not stop an orphaned group (setpgid(2)). */
static void be_a_job(void)
{
	if (setpgid(0, 0) < 0)
		_exit(BAD_STATE);
}

/* SIGTSTP and SIGCONT also reach the target when they are sent to errpipe alone. */
START_TEST(a_stop_is_passed_on)
{
	char *argv[] = { "errpipe", "run", act_program, "count", NULL };
	const struct start start = { .program = "@/bin/errpipe", .argv = argv, .set = be_a_job };
	int fd[2];
	FILE *from;
	pid_t pid;

	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	pid = start_with_output(&start, fd[1], STDERR_FILENO);
	close(fd[1]);
	from = fdopen(fd[0], "r");
	assert_line(from, "ready\n");
	kill(pid, SIGTSTP);
	while (state_of_child(pid) != 'T')
		sched_yield();
	kill(pid, SIGTERM);
	kill(pid, SIGCONT);
	assert_line(from, counted("term", 1, pid));
	kill(pid, SIGUSR1);
	assert_line(from, "1 and 0\n");
	ck_assert_int_eq(exit_code(pid), 0);
	fclose(from);
}
END_TEST

/* --- options of run and exec ------------------------------------------------------------------ */

START_TEST(argv0_is_what_the_target_sees)
{
	for (int i = 0; i < 2; i++) {
		struct result r =
			ERRPIPE(commands[i], "--argv0", "-name", "--", "/bin/sh", "-c", "echo $0 $1", "zero", "one");

		assert_result(r, commands[i], 0, "zero one\n", "");
		r = ERRPIPE(commands[i], "--argv0=-name", "/bin/cat", "/proc/self/cmdline");
		ck_assert_str_eq(r.out, "-name");
	}
}
END_TEST

/* The target has the pid of the process that was errpipe. */
START_TEST(exec_keeps_the_process)
{
	char *argv[] = { "errpipe", "exec", "--", "sh", "-c", "echo $$", NULL };
	const struct start start = { .program = "@/bin/errpipe", .argv = argv };
	int out = create("@/stdout");
	pid_t pid = start_with_output(&start, out, STDERR_FILENO);

	ck_assert_int_eq(exit_code(pid), 0);
	ck_assert_str_eq(read_whole(out), text("%d\n", (int)pid));
}
END_TEST

START_TEST(exec_exits_as_the_target_does)
{
	char *code = text("%d", exit_codes[_i]);

	assert_result(ERRPIPE("exec", "--policy", "runc", act_program, "exit", code), code, exit_codes[_i], "", "");
}
END_TEST

/* --- run: the search in PATH ------------------------------------------------------------------ */

#define TEN(text) text text text text text text text text text text
#define LONG_NAME TEN("twenty-six letters of many")
#define LONG_PATH TEN(TEN("forty-two letters that are a directory's/"))

static const struct search {
	const char *path, *cwd;
	int status;
	const char *where, *words; /* in the line on standard error; NULL if the tool runs */
} searches[] = {
	{ "good", "empty", 0, NULL, NULL },
	{ "empty:good", "empty", 0, NULL, NULL },
	{ "missing:good", "empty", 0, NULL, NULL },
	{ "file:good", "empty", 0, NULL, NULL },
	{ "refused:good", "empty", 0, NULL, NULL },
	{ "directory:good", "empty", 0, NULL, NULL },
	{ "dangling:good", "empty", 0, NULL, NULL },
	{ "good:script", "empty", 0, NULL, NULL },
	{ "refused", "empty", 126, "refused/tool", "permission denied" },
	{ "refused:empty", "empty", 126, "refused/tool", "permission denied" },
	{ "refused:directory", "empty", 126, "refused/tool", "permission denied" },
	{ "refused:loop", "empty", 126, "refused/tool", "permission denied" },
	{ "loop:refused", "empty", 126, "refused/tool", "permission denied" },
	{ "file:refused", "empty", 126, "refused/tool", "permission denied" },
	{ "directory:refused", "empty", 126, "refused/tool", "permission denied" },
	{ "empty:refused:empty", "empty", 126, "refused/tool", "permission denied" },
	{ "script:good", "empty", 127, "script/tool", "no such file or directory" },
	{ "refused:script", "empty", 127, "script/tool", "no such file or directory" },
	{ "loop:script", "empty", 127, "script/tool", "no such file or directory" },
	{ "text:good", "empty", 126, "text/tool", "exec format error" },
	{ "refused:text", "empty", 126, "text/tool", "exec format error" },
	{ "loop:good", "empty", 0, NULL, NULL },
	{ "link:good", "empty", 0, NULL, NULL },
	{ LONG_NAME ":good", "empty", 0, NULL, NULL },
	{ LONG_PATH ":good", "empty", 0, NULL, NULL },
	{ "good:file", "empty", 0, NULL, NULL },
	{ "good:loop", "empty", 0, NULL, NULL },
	{ "directory", "empty", 127, "tool", "no such file or directory" },
	{ "directory:empty", "empty", 127, "tool", "no such file or directory" },
	{ "empty:directory", "empty", 127, "tool", "no such file or directory" },
	{ "file", "empty", 127, "tool", "no such file or directory" },
	{ "empty:file", "empty", 127, "tool", "no such file or directory" },
	{ "file:empty", "empty", 127, "tool", "no such file or directory" },
	{ "loop", "empty", 127, "tool", "no such file or directory" },
	{ "empty:loop", "empty", 127, "tool", "no such file or directory" },
	{ "loop:empty", "empty", 127, "tool", "no such file or directory" },
	{ "link", "empty", 127, "tool", "no such file or directory" },
	{ LONG_NAME, "empty", 127, "tool", "no such file or directory" },
	{ LONG_PATH, "empty", 127, "tool", "no such file or directory" },
	{ "empty", "good", 127, "tool", "no such file or directory" },
	{ "missing:file:dangling", "good", 127, "tool", "no such file or directory" },
	{ "", "empty", 127, "tool", "no such file or directory" },
	{ "", "refused", 126, "tool", "permission denied" },
	{ "", "good", 0, NULL, NULL },
	{ ":empty", "good", 0, NULL, NULL },
	{ "empty:", "good", 0, NULL, NULL },
	{ "empty::missing", "good", 0, NULL, NULL },
	{ "refused:", "good", 0, NULL, NULL },
};

/*
 * If bash finds nothing better than a directory, it ends with the error of that directory. After a missing interpreter,
 * dash continues the search and bash stops. Both run a text file themselves.
 */
static const char *const unlike_shells[] = { "directory:refused", "script:good", "text:good", "refused:text" };

static void make_file(const char *path, const char *content, mode_t mode)
{
	int fd = create(path);

	if (write(fd, content, strlen(content)) < 0 || fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

/* Make the directories of the table above, each with or without a "tool". */
static void make_search_directories(void)
{
	static const char *const directories[] = { "",		"/good",      "/empty",
						   "/refused",	"/directory", "/directory/tool",
						   "/dangling", "/script",    "/text",
						   "/loop" };

	for (size_t i = 0; i < COUNT(directories); i++) {
		char *path = text("%s/search%s", fixture, directories[i]);

		if (mkdir(path, 0755) < 0)
			abort();
	}
	make_file("@/search/file", "", 0644);
	make_file("@/search/refused/tool", "#!/bin/sh\n", 0644);
	make_file("@/search/script/tool", "#!/nowhere/at/all\n", 0755);
	make_file("@/search/text/tool", "echo a shell has run this\n", 0755);
	if (symlink(act_program, fixture_path("@/search/good/tool")) < 0 ||
	    symlink("nothing", fixture_path("@/search/dangling/tool")) < 0 ||
	    symlink("tool", fixture_path("@/search/loop/tool")) < 0 ||
	    symlink("link", fixture_path("@/search/link")) < 0)
		abort();
}

static const struct search *search;

static char *in_search(const char *name)
{
	return text("%s/search/%s", fixture, name);
}

static void set_search(void)
{
	char *rest = keep(strdup(search->path)), *path = "", *entry;

	for (int i = 0; (entry = strsep(&rest, ":")); i++)
		path = text("%s%s%s", path, i ? ":" : "", *entry ? in_search(entry) : "");
	setenv("PATH", path, 1);
	if (chdir(in_search(search->cwd)) < 0)
		_exit(BAD_STATE);
}

START_TEST(a_search)
{
	const char *where;
	struct result r;

	search = &searches[_i];
	r = ERRPIPE_AFTER(set_search, "run", ONE_LINE, "tool", "print", "found");
	if (!search->where) {
		assert_result(r, search->path, 0, "found\n", "");
		return;
	}
	where = strchr(search->where, '/') ? in_search(search->where) : search->where;
	assert_result(r, search->path, search->status, "", text("exec %s: %s\n", where, search->words));
}
END_TEST

static struct result search_with(const char *shell)
{
	char *argv[] = { "sh", "-c", "tool print found", NULL };
	const struct start start = { .program = shell, .argv = argv, .set = set_search };

	return run(&start);
}

/* Dash exits with 127 for a file that may not be executed. */
START_TEST(a_search_ends_as_in_a_shell)
{
	struct result bash, dash;

	search = &searches[_i];
	for (size_t i = 0; i < COUNT(unlike_shells); i++) {
		if (strcmp(search->path, unlike_shells[i]) == 0)
			return;
	}
	bash = search_with("/bin/bash");
	dash = search_with("/bin/dash");
	ck_assert_msg(bash.status == search->status, "%s: bash exits with %d", search->path, bash.status);
	ck_assert_msg(dash.status == (search->status == 126 ? 127 : search->status), "%s: dash exits with %d",
		      search->path, dash.status);
}
END_TEST

/* For each file that it can explain, explain finds the same file as run. */
START_TEST(a_search_is_explained)
{
	struct result r;
	char *line;

	search = &searches[_i];
	r = ERRPIPE_AFTER(set_search, "explain", "tool", "print", "found");
	ck_assert_msg(r.status == !!search->where, "%s: exit code %d", search->path, r.status);
	if (!search->where)
		line = "it would start\n";
	else if (strchr(search->where, '/'))
		line = text("%s   ", in_search(search->where));
	else if (strstr(search->path, "dangling"))
		line = text("%s   ", in_search("dangling/tool"));
	else if (search->status == 126)
		line = "tool   ";
	else
		line = "why: \"tool\" is not in PATH";
	ck_assert_msg(strstr(r.out, line) != NULL, "%s: \"%s\" lacks \"%s\"", search->path, r.out, line);
}
END_TEST

/* Dockerd's policy also distinguishes a refused tool from a missing one. */
START_TEST(a_search_has_the_code_of_its_policy)
{
	static const struct search refused = { "refused:empty", "empty", 0, NULL, NULL };
	static const struct search text_file = { "refused:text", "empty", 0, NULL, NULL };

	search = &refused;
	ck_assert_int_eq(ERRPIPE_AFTER(set_search, "run", "--policy", "dockerd", "tool").status, 126);
	search = &text_file;
	ck_assert_int_eq(ERRPIPE_AFTER(set_search, "run", "--policy", "dockerd", "tool").status, 128);
}
END_TEST

START_TEST(a_name_with_a_slash_is_not_searched)
{
	static const struct search in_good = { "good", "empty", 0, NULL, NULL };

	search = &in_good;
	assert_result(ERRPIPE_AFTER(set_search, "run", ONE_LINE, "./tool", "print", "found"), "./tool", 127, "",
		      "exec ./tool: no such file or directory\n");
	assert_result(ERRPIPE_AFTER(set_search, "run", "../good/tool", "print", "found"), "../good/tool", 0,
		      "found\n", "");
}
END_TEST

START_TEST(the_target_sees_the_name_as_typed)
{
	static const struct search in_good = { "good", "empty", 0, NULL, NULL };
	char *link = fixture_path("@/search/good/shown");
	struct result r;

	ck_assert_int_eq(symlink(show_program, link), 0);
	search = &in_good;
	r = ERRPIPE_AFTER(set_search, "run", "shown");
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_ptr_nonnull(strstr(r.out, "\nargv shown\ncmdline shown\n"));
}
END_TEST

static void unset_path(void)
{
	unsetenv("PATH");
}

START_TEST(path_may_be_unset)
{
	assert_result(ERRPIPE_AFTER(unset_path, "run", "sh", "-c", "exit 3"), "sh", 3, "", "");
	assert_result(ERRPIPE_AFTER(unset_path, "run", ONE_LINE, "no-such-tool"), "no-such-tool", 127, "",
		      "exec no-such-tool: no such file or directory\n");
}
END_TEST

/* --- bad usage, help -------------------------------------------------------------------------- */

static const struct {
	char *args[5];
	const char *named; /* in the line that names the mistake */
} mistakes[] = {
	{ { NULL }, "no command" },
	{ { "frobnicate" }, "frobnicate" },
	{ { "" }, "unknown command" },
	{ { "--frobnicate" }, "frobnicate" },
	{ { "-x", "run" }, "-x" },
	{ { "help", "frobnicate" }, "frobnicate" },
	{ { "help", "--help" }, "--help" },
	{ { "help", "run", "exec" }, "\"exec\"" },
	{ { "run" }, "no program" },
	{ { "run", "--" }, "no program" },
	{ { "run", "--policy", "runc" }, "no program" },
	{ { "run", "--frobnicate", "true" }, "frobnicate" },
	{ { "run", "-x", "true" }, "x" },
	{ { "run", "--policy" }, "policy" },
	{ { "run", "--policy", "moon", "true" }, "moon" },
	{ { "run", "--policy=", "true" }, "policy" },
	{ { "run", "--route", "moon", "true" }, "moon" },
	{ { "run", "--report-fd", "x3", "true" }, "x3" },
	{ { "run", "--report-fd", "-1", "true" }, "-1" },
	{ { "run", "--report-fd", "99999999999", "true" }, "99999999999" },
	{ { "run", "--report=x", "--report-fd=1", "true" }, "--report-fd" },
	{ { "run", "--explain", "moon", "true" }, "moon" },
	{ { "exec", "--explain=", "true" }, "yes or no" },
	{ { "run", "--user", "no-such-user", "true" }, "\"no-such-user\"" },
	{ { "run", "--user", "4294967295:0", "true" }, "\"4294967295\"" },
	{ { "run", "--user", "4711", "true" }, "give a group" },
	{ { "run", "--user=0:no-such-group", "true" }, "\"no-such-group\"" },
	{ { "run", "--groups=0,nowhere", "true" }, "\"nowhere\"" },
	{ { "run", "--limit", "nofile", "true" }, "\"nofile\"" },
	{ { "run", "--limit=moon=1", "true" }, "\"moon=1\"" },
	{ { "run", "--limit=nofile=2:1", "true" }, "\"nofile=2:1\"" },
	{ { "run", "--limit=nofile=-1", "true" }, "\"nofile=-1\"" },
	{ { "run", "--umask=8", "true" }, "\"8\"" },
	{ { "exec", "--umask=1000", "true" }, "\"1000\"" },
	{ { "exec", "--capabilities=kill,moon", "true" }, "\"moon\"" },
	{ { "exec", "--seccomp=/nowhere", "true" }, "\"/nowhere\"" },
	{ { "exec", "--seccomp=/dev/null", "true" }, "\"/dev/null\"" },
	{ { "exec" }, "no program" },
	{ { "exec", "--policy", "moon", "true" }, "moon" },
	{ { "exec", "--report", "x", "true" }, "report" },
	{ { "decode", "--frobnicate" }, "frobnicate" },
	{ { "decode", "--path" }, "path" },
	{ { "decode", "one", "two" }, "two" },
	{ { "stub", "./app" }, "takes no program; unexpected \"./app\"" },
	{ { "stub", "--user=nobody-there" }, "unknown user \"nobody-there\"" },
	{ { "stub" }, "must be an empty memfd" },
	{ { "exec", "--seccomp=/dev/null", "--seccomp=x", "true" }, "\"/dev/null\"" },
	{ { "explain" }, "no program" },
	{ { "explain", "--root=/nowhere/at/all", "/x" }, "\"/nowhere/at/all\" (ENOENT)" },
	{ { "explain", "--root=/dev/null", "/x" }, "\"/dev/null\" (ENOTDIR)" },
	{ { "explain", "--as", "nobody", "true" }, "nobody" },
	{ { "explain", "--as", "1:", "true" }, "1:" },
	{ { "explain", "--as", "4294967295", "true" }, "4294967295" },
	{ { "explain", "--as", "1:2:3", "true" }, "1:2:3" },
	{ { "explain", "--errno", "EMOON", "true" }, "EMOON" },
	{ { "explain", "--errno", "4096", "true" }, "4096" },
	{ { "explain", "--errno=", "true" }, "errno" },
};

/* The commands with a help text of their own. NULL stands for errpipe itself. */
static char *const helpful[] = { NULL, "run", "exec", "decode", "explain", "stub" };

/* A mistake in the arguments gets a hint. A mistake in a file that they name does not. */
static char *hint(const char *command, const char *named)
{
	if (strstr(named, "(E"))
		return "";
	for (size_t i = 1; i < COUNT(helpful); i++) {
		if (command && strcmp(command, helpful[i]) == 0)
			return text("Try 'errpipe %s --help'.\n", command);
	}
	return "Try 'errpipe --help'.\n";
}

START_TEST(a_mistake)
{
	char *argv[COUNT(mistakes[0].args) + 2] = { "errpipe" }, *end;
	const char *named = mistakes[_i].named;
	struct result r;

	memcpy(argv + 1, mistakes[_i].args, sizeof(mistakes[_i].args));
	r = run_errpipe(argv, NULL);
	ck_assert_int_eq(r.status, 125);
	ck_assert_str_eq(r.out, "");
	ck_assert_msg(strncmp(r.err, "errpipe", strlen("errpipe")) == 0, "\"%s\"", r.err);
	end = strchr(r.err, '\n');
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end + 1, hint(argv[1], named));
	*end = '\0';
	ck_assert_msg(strstr(r.err, named) != NULL, "\"%s\" does not name \"%s\"", r.err, named);
}
END_TEST

static char *const help_options[] = { "--help", "-h" };
static char *const version_options[] = { "--version", "-V" };

START_TEST(help_and_version)
{
	struct result r = ERRPIPE(help_options[_i]);

	ck_assert_int_eq(r.status, 0);
	ck_assert_str_eq(r.err, "");
	ck_assert_ptr_nonnull(strstr(r.out, "\n  run "));
	ck_assert_ptr_nonnull(strstr(r.out, "\n  decode "));
	assert_result(ERRPIPE(version_options[_i]), "version", 0, "errpipe " ERRPIPE_VERSION "\n", "");
}
END_TEST

/* Each help text fits on one screen without a line that wraps. */
START_TEST(help_fits_a_screen)
{
	struct result r = helpful[_i] ? ERRPIPE(helpful[_i], "--help") : ERRPIPE("--help");
	int lines = 0;

	ck_assert_int_eq(r.status, 0);
	ck_assert_str_eq(r.err, "");
	ck_assert_ptr_eq(strstr(r.out, text("Usage: errpipe %s", helpful[_i] ? helpful[_i] : "COMMAND")), r.out);
	assert_result(helpful[_i] ? ERRPIPE("help", helpful[_i]) : ERRPIPE("help"), "help", 0, r.out, "");
	for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
		ck_assert_msg(strlen(line) <= 80, "\"%s\"", line);
		lines++;
	}
	ck_assert_int_le(lines, 22); /* not counting two empty lines */
}
END_TEST

static void fill_stdout(void)
{
	dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
}

static void close_stdout(void)
{
	close(STDOUT_FILENO);
}

static const unsigned char record[16] = { 'd', 'm', 'z', 1, 62, 0, 0, 0, 8 };

static void write_record(const void *bytes, size_t size)
{
	int fd = create("@/record");

	ck_assert_int_eq(write(fd, bytes, size), size);
	close(fd);
}

/* musl writes at the end of each line. The command checks too late to see the errno of that. */
#ifdef __GLIBC__
#define CANNOT_WRITE "errpipe: cannot write to standard output (ENOSPC)\n"
#else
#define CANNOT_WRITE "errpipe: cannot write to standard output\n"
#endif

START_TEST(a_full_disk_is_told)
{
	struct result r = ERRPIPE_AFTER(fill_stdout, "--help");

	ck_assert_int_eq(r.status, 125);
	ck_assert_str_eq(r.err, CANNOT_WRITE);

	write_record(record, sizeof(record));
	r = ERRPIPE_AFTER(fill_stdout, "decode", fixture_path("@/record"));
	ck_assert_int_eq(r.status, 125);
	ck_assert_str_eq(r.err, CANNOT_WRITE);

	ck_assert_int_eq(ERRPIPE_AFTER(close_stdout, "--version").status, 125);

	/* Here the output belongs to the target, not to errpipe. */
	assert_result(ERRPIPE_AFTER(fill_stdout, "run", act_program, "exit", "0"), "run", 0, "", "");
}
END_TEST

/* --- decode ----------------------------------------------------------------------------------- */

/* Each changes one byte of a record. */
static const struct {
	int offset;
	unsigned char value;
} corruptions[] = {
	{ 0, 'D' },  { 1, 0 },	  { 2, 'Z' }, { 3, 0 },	    { 3, 2 },  { 4, 0 },  { 6, 2 },
	{ 7, 0x3f }, { 9, 0x10 }, { 10, 1 },  { 11, 0x80 }, { 12, 1 }, { 15, 1 },
};

static void assert_no_record(const void *bytes, size_t size)
{
	char *path = fixture_path("@/record");
	struct result r;

	write_record(bytes, size);
	r = ERRPIPE("decode", path);
	ck_assert_int_eq(r.status, 1);
	ck_assert_str_eq(r.out, "");
	ck_assert_ptr_nonnull(strstr(r.err, path));
	ck_assert_ptr_eq(strchr(r.err, '\n'), r.err + strlen(r.err) - 1);
}

START_TEST(a_corrupted_record)
{
	unsigned char bytes[sizeof(record)];

	memcpy(bytes, record, sizeof(bytes));
	bytes[corruptions[_i].offset] = corruptions[_i].value;
	assert_no_record(bytes, sizeof(bytes));
}
END_TEST

START_TEST(a_record_of_another_size)
{
	static const size_t sizes[] = { 0, 1, 4, 15, 17, 32, 48, 64, 100 };
	unsigned char bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = record[i % sizeof(record)];
	for (size_t i = 0; i < COUNT(sizes); i++)
		assert_no_record(bytes, sizes[i]);
}
END_TEST

START_TEST(a_record_of_each_step)
{
	static const unsigned steps[] = {
#define STEP(id, number, systemd, words, document) number,
#define STEPS(id, first, last, document)	   first + 1, last,
#include "dmz/steps.def"
	};
	unsigned char bytes[sizeof(record)];

	memcpy(bytes, record, sizeof(bytes));
	for (size_t i = 0; i < COUNT(steps); i++) {
		bytes[6] = steps[i];
		bytes[7] = steps[i] >> 8;
		write_record(bytes, sizeof(bytes));
		ck_assert_int_eq(ERRPIPE("decode", "--path", "x", fixture_path("@/record")).status, 0);
	}
}
END_TEST

START_TEST(a_record)
{
	static const unsigned char setup[16] = { 'd', 'm', 'z', 1, 62, 0, 0xff, 0xff, 13 };
	static const unsigned char directory[16] = { 'd', 'm', 'z', 1, 62, 0, 0x05, 0x40, 2 };
	char *path = fixture_path("@/record");

	write_record(record, sizeof(record));
	assert_result(ERRPIPE("decode", path), "no path", 0, "exec: exec format error\n", "");
	assert_result(ERRPIPE("decode", "--path=", path), "empty path", 0, "exec : exec format error\n", "");
	assert_result(ERRPIPE("decode", path, "--path", "a\nb"), "line feed", 0, "exec a\\nb: exec format error\n",
		      "");

	write_record(setup, sizeof(setup));
	assert_result(ERRPIPE("decode", "--path", "x", path), "stub", 0, "exec x: cannot start the stub (EACCES)\n",
		      "");

	/* run and exec put the name of the directory into this line; a record does not have it. */
	write_record(directory, sizeof(directory));
	assert_result(ERRPIPE("decode", "--path", "x", path), "directory", 0,
		      "exec x: cannot change to the working directory (ENOENT)\n", "");
}
END_TEST

static struct result decode_stdin(char *argument)
{
	char *path = fixture_path("@/record"), *argv[] = { "errpipe", "decode", argument, NULL };
	const struct start start = { .program = "@/bin/errpipe",
				     .argv = argv,
				     .in = open(path, O_RDONLY | O_CLOEXEC) };
	struct result r = run(&start);

	close(start.in);
	return r;
}

START_TEST(a_record_on_stdin)
{
	static char *const arguments[] = { NULL, "-" };

	for (size_t i = 0; i < COUNT(arguments); i++) {
		struct result r;

		write_record(record, sizeof(record));
		assert_result(decode_stdin(arguments[i]), "good", 0, "exec: exec format error\n", "");
		write_record(record, 15);
		r = decode_stdin(arguments[i]);
		ck_assert_int_eq(r.status, 1);
		ck_assert_str_eq(r.out, "");
		ck_assert_ptr_nonnull(strstr(r.err, "standard input"));
	}
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
	char *missing = fixture_path("@/missing"), *directory = fixture_path("@/directory");
	struct result r = ERRPIPE("decode", missing);

	ck_assert_int_eq(r.status, 125);
	ck_assert_str_eq(r.out, "");
	ck_assert_ptr_nonnull(strstr(r.err, missing));
	ck_assert_ptr_nonnull(strstr(r.err, "ENOENT"));

	r = ERRPIPE("decode", directory);
	ck_assert_int_eq(r.status, 125);
	ck_assert_ptr_nonnull(strstr(r.err, directory));
	ck_assert_ptr_nonnull(strstr(r.err, "EISDIR"));
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

	tcase_add_loop_test(tc, run_says_why, 0, run_count);
	tcase_add_loop_test(tc, exec_says_more, 0, run_count);
	/* The other two pairs have no code of their own. */
	if (!is_slow()) {
		tcase_add_loop_test(tc, exec_says_why, 0, run_count);
		tcase_add_loop_test(tc, run_says_more, 0, run_count);
	}
	tcase_add_loop_test(tc, decode_says_why, 0, run_count);
}

static void add_run_tests(Suite *suite)
{
	TCase *tc = add_tcase(suite, "run");

	tcase_add_loop_test(tc, run_exits_as_the_target_does, 0, COUNT(exit_codes));
	tcase_add_loop_test(tc, run_exits_with_128_and_the_signal, 0, COUNT(signals));
	tcase_add_loop_test(tc, run_says_that_the_target_crashed, 0, COUNT(crashes));
	tcase_add_loop_test(tc, setup_options, 0, COUNT(setup_ways));
	tcase_add_loop_test(tc, setup_of_a_user, 0, COUNT(setup_ways));
	tcase_add_loop_test(tc, setup_that_fails, 0, COUNT(setup_ways));
	tcase_add_loop_test(tc, setup_and_a_diagnosis, 0, COUNT(setup_ways));
	tcase_add_test(tc, run_passes_arguments_on);
	tcase_add_loop_test(tc, the_target_gets_what_execve_gives, 0, COUNT(changes) * 2);
	tcase_add_test(tc, changes_are_seen);
	tcase_add_test(tc, streams_may_be_closed);
	tcase_add_test(tc, stdout_may_be_closed);
	tcase_add_test(tc, sigchld_may_be_ignored);
	tcase_add_test(tc, a_signal_is_passed_on_once);
	tcase_add_loop_test(tc, every_signal_is_passed_on, 32, 35);
	tcase_add_test(tc, an_alarm_is_passed_on);
	tcase_add_test(tc, a_terminal_that_is_gone);
	tcase_add_test(tc, a_stop_is_passed_on);
	tcase_add_test(tc, argv0_is_what_the_target_sees);
	tcase_add_test(tc, exec_keeps_the_process);
	tcase_add_loop_test(tc, exec_exits_as_the_target_does, 0, COUNT(exit_codes));
}

static void add_search_tests(Suite *suite)
{
	TCase *tc = add_tcase(suite, "search");

	tcase_add_loop_test(tc, a_search, 0, COUNT(searches));
	tcase_add_loop_test(tc, a_search_ends_as_in_a_shell, 0, COUNT(searches));
	tcase_add_loop_test(tc, a_search_is_explained, 0, COUNT(searches));
	tcase_add_test(tc, a_search_has_the_code_of_its_policy);
	tcase_add_test(tc, a_name_with_a_slash_is_not_searched);
	tcase_add_test(tc, the_target_sees_the_name_as_typed);
	tcase_add_test(tc, path_may_be_unset);
}

static void add_usage_tests(Suite *suite)
{
	TCase *tc = add_tcase(suite, "usage");

	tcase_add_loop_test(tc, a_mistake, 0, COUNT(mistakes));
	tcase_add_loop_test(tc, help_and_version, 0, COUNT(help_options));
	tcase_add_loop_test(tc, help_fits_a_screen, 0, COUNT(helpful));
	tcase_add_test(tc, a_full_disk_is_told);
}

static void add_decode_tests(Suite *suite)
{
	TCase *tc = add_tcase(suite, "decode");

	tcase_add_loop_test(tc, a_corrupted_record, 0, COUNT(corruptions));
	tcase_add_test(tc, a_record_of_another_size);
	tcase_add_test(tc, a_record);
	tcase_add_test(tc, a_record_of_each_step);
	tcase_add_test(tc, a_record_on_stdin);
	tcase_add_test(tc, a_file_that_cannot_be_read);
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("command");

	(void)argc;
	leave_valgrind(argv);
	load_cases();
	fixture = fixture_make();
	show_program = built_path("tests/prog_show");
	act_program = built_path("tests/prog_act");
	make_search_directories();
	make_runs();

	add_table(suite);
	add_run_tests(suite);
	add_search_tests(suite);
	add_usage_tests(suite);
	add_decode_tests(suite);

	return run_suite(suite);
}

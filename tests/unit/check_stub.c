/* SPDX-License-Identifier: MIT */
/*
 * The stub from outside: its operands, its records, its exit codes, and what it passes to the target. The tests cover
 * every kind of descriptor, signals and seccomp.
 *
 * ERRPIPE_DMZ may name another stub after its emulator, such as "qemu-mips-static /tmp/mips/dmz". ERRPIPE_DMZ_MACHINE
 * is then its e_machine. native_tests() has the tests that do not work under an emulator, and they are left out then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errpipe.h"
#include "skip.h"
#include "state.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LIST(...)    ((char *[]){ __VA_ARGS__, NULL })

#define REPORT	"3" /* the descriptor of the report in each test */
#define MISSING "/no such file"
#define REFUSED "/" /* a directory: EACCES */

/* Common operands, and a run that sets some members of struct setup. */
#define STARTS	 LIST(REPORT, prog_args, "name")
#define FAILS	 LIST(REPORT, REFUSED, "name")
#define RUN(...) run((struct setup){ __VA_ARGS__ })

/* Exit codes of our own child. The stub does not use them. */
enum { CANNOT_RUN = 77, PREPARE_FAILED = 99 };

static char prog_args[PATH_MAX], prog_refuse[PATH_MAX], dmz[PATH_MAX];
static char *stub[8];
static unsigned machine;
static bool foreign;

/* --- one run of the stub ------------------------------------------------------------------------------------ */

enum channel { PIPE, STREAM, SEQPACKET, DATAGRAM, REGULAR };

struct setup {
	char **before; /* put before the stub, such as prog_refuse and its operands */
	char **operands;
	char **env;	       /* NULL: the test's own */
	void (*prepare)(void); /* called last in the child */
	enum channel channel;  /* becomes descriptor 3 ... */
	int other;	       /* ... unless this is not 0 */
};

struct outcome {
	int status;   /* as from waitpid */
	ssize_t size; /* how many bytes the reader got; 0 with .other */
	int reads;    /* ... and in how many reads */
	unsigned char record[64];
};

struct run {
	pid_t pid;
	int reader, output;
};

static char output[4 << 20]; /* the output of the target */

/* Move a descriptor away from the low numbers that a child uses. */
static int high(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	ck_assert_int_ge(copy, 0);
	close(fd);
	return copy;
}

static int new_file(void)
{
	return high(memfd_create("check_stub", 0));
}

static void open_channel(enum channel channel, int fd[2])
{
	static const int type[] = {
		[STREAM] = SOCK_STREAM,
		[SEQPACKET] = SOCK_SEQPACKET,
		[DATAGRAM] = SOCK_DGRAM,
	};
	char path[64];

	if (channel == PIPE) {
		ck_assert_int_eq(pipe(fd), 0);
	} else if (channel == REGULAR) {
		fd[1] = new_file();
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[1]);
		fd[0] = open(path, O_RDONLY);
	} else {
		ck_assert_int_eq(socketpair(AF_UNIX, type[channel], 0, fd), 0);
	}
	fd[0] = high(fd[0]);
	fd[1] = high(fd[1]);
	/* A datagram socket has no end of file. */
	ck_assert_int_eq(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
}

static void must(bool ok)
{
	if (!ok)
		_exit(PREPARE_FAILED);
}

static char **append(char **end, char **list)
{
	while (list && *list)
		*end++ = *list++;
	*end = NULL;
	return end;
}

static void plain_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	must(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

static void become_stub(const struct setup *setup, int report, int out)
{
	static char *argv[16384];

	append(append(append(argv, setup->before), stub), setup->operands);
	plain_signals();
	must(dup2(open("/dev/null", O_RDWR), 0) == 0 && dup2(out, 1) == 1 && dup2(report, 3) == 3);
	for (int fd = 4; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (setup->prepare)
		setup->prepare();
	execvpe(argv[0], argv, setup->env ? setup->env : environ);
	_exit(PREPARE_FAILED);
}

static struct run start(struct setup setup)
{
	struct run run;
	int fd[2] = { -1, setup.other };

	if (!setup.other)
		open_channel(setup.channel, fd);
	run.reader = fd[0];
	run.output = new_file();
	run.pid = fork();
	ck_assert_int_ge(run.pid, 0);
	if (run.pid == 0)
		become_stub(&setup, fd[1], run.output);
	close(fd[1]);
	return run;
}

/* A stopped stub would never end by itself, so kill it. */
static int end_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFSTOPPED(status)) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return status;
}

static struct outcome finish(struct run run)
{
	struct outcome outcome = { .status = end_of(run.pid) };
	ssize_t size;

	/* The stub has ended, so all its output is there. */
	if (run.reader >= 0) {
		while ((size = read(run.reader, outcome.record + outcome.size,
				    sizeof(outcome.record) - outcome.size)) > 0) {
			outcome.size += size;
			outcome.reads++;
		}
		close(run.reader);
	}
	size = pread(run.output, output, sizeof(output) - 1, 0);
	ck_assert_int_ge(size, 0);
	output[size] = '\0';
	close(run.output);
	return outcome;
}

static struct outcome run(struct setup setup)
{
	return finish(start(setup));
}

static bool exited(const struct outcome *outcome, int code)
{
	return WIFEXITED(outcome->status) && WEXITSTATUS(outcome->status) == code;
}

#define expect_exit(outcome, code) ck_assert_msg(exited(outcome, code), "status %#x", (outcome)->status)

/* The stub exited with this code, started no target and wrote no record. */
static void expect_silence(const struct outcome *outcome, int code)
{
	expect_exit(outcome, code);
	ck_assert_int_eq(outcome->size, 0);
	ck_assert_str_eq(output, "");
}

/* Compare a foreign errno after decoding, and the bytes around it unchanged. */
static void expect_foreign_error(const struct outcome *outcome, int error, unsigned char *expected)
{
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_decode(outcome->record, outcome->size, &report), 0);
	ck_assert_int_eq(report.error, error);
	memcpy(expected + 8, outcome->record + 8, 4);
}

static void expect_record(const struct outcome *outcome, unsigned char step, int error, int code)
{
	unsigned char expected[16] = {
		'd', 'm', 'z', 1, machine & 0xff, machine >> 8, step, 0, error & 0xff, error >> 8, 0, 0, 0, 0, 0, 0,
	};

	expect_exit(outcome, code);
	ck_assert_int_eq(outcome->size, 16);
	ck_assert_int_eq(outcome->reads, 1);
	if (foreign)
		expect_foreign_error(outcome, error, expected);
	ck_assert_mem_eq(outcome->record, expected, 16);
	ck_assert_str_eq(output, "");
}

/* The lines of the target that begin with a word, in order. */
static const char *lines(const char *word)
{
	static char found[sizeof(output)];
	char *end = found;

	for (const char *line = output; *line; line = strchr(line, '\n') + 1) {
		size_t size = strcspn(line, "\n") + 1;

		if (strncmp(line, word, strlen(word)) == 0)
			end = mempcpy(end, line, size);
	}
	*end = '\0';
	return found;
}

static void expect_started(const struct outcome *outcome)
{
	expect_exit(outcome, 0);
	ck_assert_int_eq(outcome->size, 0);
	ck_assert_str_eq(lines("fd 3\n"), "");
	ck_assert(*output);
}

/* --- the operand FD ----------------------------------------------------------------------------------------- */

static char *wrong_fds[] = {
	"2147483647", /* fits into an int, but is not open */
	"2147483648",
	"4294967299",
	"18446744073709551619",
	"99999999999999999999",
	"",
	"x",
	"3x",
	"x3",
	"-1",
	"-3",
	"+3",
	" 3",
	"3 ",
	"3\n",
	"0x3",
	"3.0",
	"1)",
	"\263", /* "3" to arithmetic that does not check for digits: it has the high bit set */
	"4",
	"700",
};

START_TEST(wrong_fd)
{
	struct outcome outcome = RUN(.operands = LIST(wrong_fds[_i], prog_args, "name"));

	expect_silence(&outcome, 125);
}
END_TEST

static void close_report(void)
{
	must(close(3) == 0);
}

START_TEST(closed_fd)
{
	struct outcome outcome = RUN(.operands = STARTS, .prepare = close_report);

	expect_silence(&outcome, 125);
}
END_TEST

static void move_report_to_stdin(void)
{
	must(dup2(3, 0) == 0 && close(3) == 0);
}

START_TEST(fd_zero)
{
	struct outcome outcome = RUN(.operands = LIST("0", MISSING, "name"), .prepare = move_report_to_stdin);

	expect_record(&outcome, 0, ENOENT, 127);
}
END_TEST

START_TEST(fd_with_leading_zeros)
{
	struct outcome outcome = RUN(.operands = LIST("00000000000000003", MISSING, "name"));

	expect_record(&outcome, 0, ENOENT, 127);
}
END_TEST

/* The descriptor is open and therefore valid, although the process could not open that number any more. */
static void move_report_over_limit(void)
{
	struct rlimit few = { 8, 8 };

	must(dup2(3, 700) == 700 && close(3) == 0 && setrlimit(RLIMIT_NOFILE, &few) == 0);
}

START_TEST(fd_over_the_limit)
{
	struct outcome outcome = RUN(.operands = LIST("700", MISSING, "name"), .prepare = move_report_over_limit);

	expect_record(&outcome, 0, ENOENT, 127);
}
END_TEST

START_TEST(fd_over_the_limit_started)
{
	struct outcome outcome = RUN(.operands = LIST("700", prog_args, "name"), .prepare = move_report_over_limit);

	expect_started(&outcome);
	ck_assert_str_eq(lines("fd 700"), "");
}
END_TEST

static char *few_operands[][4] = { { NULL }, { REPORT }, { REPORT, prog_args } };

START_TEST(too_few_operands)
{
	struct outcome outcome = RUN(.operands = few_operands[_i]);

	expect_silence(&outcome, 125);
}
END_TEST

/* Since Linux 5.18 the kernel passes one empty string. Before, argc was 0. */
static void exec_without_arguments(void)
{
	execve(stub[0], (char *[]){ NULL }, environ);
}

START_TEST(no_arguments_at_all)
{
	struct outcome outcome = RUN(.prepare = exec_without_arguments);

	expect_silence(&outcome, 125);
}
END_TEST

/* --- failures of execve ------------------------------------------------------------------------------------- */

static char directory[PATH_MAX + 32];
static int busy;

static void make_file(const char *path, int mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Use the build directory, because programs can be executed there. */
static void make_files(void)
{
	snprintf(directory, sizeof(directory), "%s/tests/stub.XXXXXX", getenv("ERRPIPE_BUILD"));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	make_file("empty", 0755, "");
	make_file("script", 0755, "#!/no such interpreter\n");
	make_file("good", 0755, "#!/bin/true\n");
	make_file("plain", 0644, "#!/bin/sh\n");
	make_file("busy", 0755, "#!/bin/sh\n");
	busy = high(open("busy", O_WRONLY));
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("nothing", "dangling"), 0);
}

static void remove_files(void)
{
	static const char *const files[] = {
		"empty", "script", "good", "plain", "busy", "loop", "dangling",
	};

	close(busy);
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(files[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void allow_little(void)
{
	must(setrlimit(RLIMIT_STACK, &(struct rlimit){ 512 << 10, 512 << 10 }) == 0);
}

#define X16  "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16

static const struct {
	char *path;
	int error, code;
} failures[] = {
	{ "nothing", ENOENT, 127 },  { "", ENOENT, 127 },	  { "dangling", ENOENT, 127 },
	{ "script", ENOENT, 127 },   { ".", EACCES, 126 },	  { "plain", EACCES, 126 },
	{ "empty", ENOEXEC, 126 },   { "empty/x", ENOTDIR, 126 }, { "loop", ELOOP, 126 },
	{ X256, ENAMETOOLONG, 126 }, { "busy", ETXTBSY, 126 },
};

START_TEST(failed_exec)
{
	struct outcome outcome;

	make_files();
	outcome = RUN(.operands = LIST(REPORT, failures[_i].path, "name", "argument"));
	remove_files();
	expect_record(&outcome, 0, failures[_i].error, failures[_i].code);
}
END_TEST

/*
 * The stub must be exec'd with these arguments, and the target must fail. A script does that: the kernel adds the
 * name of its interpreter and its own path. The path alone exceeds the rest of 128 KiB, the minimum that a small
 * stack allows.
 */
START_TEST(too_many_arguments)
{
	enum { LIMIT = 128 << 10, LEFT = 2000, PATH_LENGTH = 4000, FILLER = (LIMIT - LEFT - PATH_LENGTH) / 2 };
	static char path[PATH_LENGTH + 1], filler[FILLER + 1];
	struct outcome outcome;

	memset(filler, 'x', FILLER);
	for (size_t i = 0; i < PATH_LENGTH; i++)
		path[i] = i % 2 ? '/' : '.';
	memcpy(path + PATH_LENGTH - strlen("good"), "good", strlen("good"));
	make_files();
	outcome = RUN(.operands = LIST(REPORT, path, "", filler, filler), .env = (char *[]){ NULL },
		      .prepare = allow_little);
	remove_files();
	expect_record(&outcome, 0, E2BIG, 126);
}
END_TEST

/* A name without a slash is not searched in PATH. */
START_TEST(no_search)
{
	struct outcome outcome = RUN(.operands = LIST(REPORT, "true", "true"));

	expect_record(&outcome, 0, ENOENT, 127);
}
END_TEST

/* --- kinds of descriptors ----------------------------------------------------------------------------------- */

static const enum channel channels[] = { PIPE, STREAM, SEQPACKET, DATAGRAM, REGULAR };

START_TEST(record_arrives)
{
	struct outcome outcome = RUN(.channel = channels[_i], .operands = FAILS);

	expect_record(&outcome, 0, EACCES, 126);
}
END_TEST

static int pipe_without_reader(void)
{
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	close(fd[0]);
	return high(fd[1]);
}

static int socket_without_reader(void)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	close(fd[0]);
	return high(fd[1]);
}

static int full_pipe(void)
{
	static const char bytes[4096];
	static int fd[2];

	ck_assert_int_eq(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	while (write(fd[1], bytes, sizeof(bytes)) > 0)
		;
	return high(fd[1]);
}

/*
 * An eventfd takes eight bytes. Before Linux 6.10 it took the first eight of a longer write; now it refuses a longer
 * one.
 */
static int event(void)
{
	return high(eventfd(0, EFD_NONBLOCK));
}

static int full_device(void)
{
	return high(open("/dev/full", O_WRONLY));
}

static int read_only(void)
{
	return high(open("/dev/null", O_RDONLY));
}

static int path_only(void)
{
	return high(open("/dev/null", O_PATH));
}

static int directory_only(void)
{
	return high(open("/", O_RDONLY | O_DIRECTORY));
}

static int (*const deaf[])(void) = {
	pipe_without_reader, socket_without_reader, full_pipe, event, full_device, read_only,
	path_only,	     directory_only,
};

START_TEST(deaf_descriptor)
{
	struct outcome outcome;

	outcome = RUN(.other = deaf[_i](), .operands = LIST(REPORT, MISSING, "name"));
	expect_silence(&outcome, 127);
	outcome = RUN(.other = deaf[_i](), .operands = FAILS);
	expect_silence(&outcome, 126);
	outcome = RUN(.other = deaf[_i](), .operands = STARTS);
	expect_started(&outcome);
}
END_TEST

static void forbid_writing_files(void)
{
	must(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0, 0 }) == 0);
}

START_TEST(file_that_may_not_grow)
{
	struct outcome outcome = RUN(.channel = REGULAR, .operands = FAILS, .prepare = forbid_writing_files);

	expect_silence(&outcome, 126);
}
END_TEST

/* --- the arguments, environment, descriptors and signals of the target -------------------------------------- */

START_TEST(path_and_name_differ)
{
	struct outcome outcome = RUN(.operands = LIST(REPORT, prog_args, "-sh", "", "a b", "3"));

	expect_started(&outcome);
	ck_assert_str_eq(lines("arg "), "arg -sh\narg \narg a b\narg 3\n");
}
END_TEST

START_TEST(empty_name)
{
	struct outcome outcome = RUN(.operands = LIST(REPORT, prog_args, ""));

	expect_started(&outcome);
	ck_assert_str_eq(lines("arg "), "arg \n");
}
END_TEST

enum { LARGE = 20, LARGE_SIZE = 100000, SMALL = 5000 };

static char large[LARGE][LARGE_SIZE + 1], small[SMALL][16];
static char *many[3 + LARGE + SMALL + 1] = { REPORT, prog_args, "name" };

/* Two megabytes of different strings. Returns the expected output of the target. */
static const char *make_many(void)
{
	static char expected[sizeof(large) + sizeof(small) + (LARGE + SMALL + 1) * 8];
	char *end = stpcpy(expected, "arg name\n");

	for (int i = 0; i < LARGE + SMALL; i++) {
		char *arg = i < LARGE ? large[i] : small[i - LARGE];

		if (i < LARGE)
			memset(arg, 'A' + i, LARGE_SIZE);
		else
			sprintf(arg, "%d", i);
		many[3 + i] = arg;
		end += sprintf(end, "arg %s\n", arg);
	}
	return expected;
}

static void allow_two_megabytes(void)
{
	struct rlimit stack;

	must(getrlimit(RLIMIT_STACK, &stack) == 0);
	if (stack.rlim_max < 64 << 20)
		_exit(CANNOT_RUN);
	stack.rlim_cur = 64 << 20;
	must(setrlimit(RLIMIT_STACK, &stack) == 0);
}

START_TEST(two_megabytes_of_arguments)
{
	const char *expected = make_many();
	struct outcome outcome = RUN(.prepare = allow_two_megabytes, .operands = many);

	if (exited(&outcome, CANNOT_RUN))
		SKIP("the hard limit of the stack is below 64 MB");
	expect_started(&outcome);
	ck_assert_msg(strcmp(lines("arg "), expected) == 0, "an argument changed");
}
END_TEST

START_TEST(empty_environment)
{
	struct outcome outcome = RUN(.operands = STARTS, .env = (char *[]){ NULL });

	expect_started(&outcome);
	ck_assert_str_eq(lines("env "), "");
}
END_TEST

/* This environment would not pass through getenv and setenv unchanged. */
START_TEST(odd_environment)
{
	struct outcome outcome = RUN(.operands = STARTS, .env = LIST("B=2", "A=1", "A=3", "", "=", "word"));

	expect_started(&outcome);
	ck_assert_str_eq(lines("env "), "env B=2\nenv A=1\nenv A=3\nenv \nenv =\nenv word\n");
}
END_TEST

START_TEST(large_environment)
{
	enum { VARIABLES = 1000 };
	static char text[VARIABLES][32], expected[VARIABLES * 40];
	static char *env[VARIABLES + 1];
	struct outcome outcome;
	char *end = expected;

	for (int i = 0; i < VARIABLES; i++) {
		sprintf(text[i], "VARIABLE_%d=%d", i, i * i);
		env[i] = text[i];
		end += sprintf(end, "env %s\n", text[i]);
	}
	outcome = RUN(.operands = STARTS, .env = env);
	expect_started(&outcome);
	ck_assert_msg(strcmp(lines("env "), expected) == 0, "a variable changed");
}
END_TEST

static void open_some_descriptors(void)
{
	must(dup2(0, 4) == 4 && dup2(0, 5) == 5 && dup2(0, 9) == 9 && dup2(0, 700) == 700);
}

START_TEST(other_descriptors_stay)
{
	struct outcome outcome = RUN(.operands = STARTS, .prepare = open_some_descriptors);

	expect_started(&outcome);
	ck_assert_str_eq(lines("fd "), "fd 0\nfd 1\nfd 2\nfd 4\nfd 5\nfd 9\nfd 700\n");
}
END_TEST

static const int blocked[] = { SIGHUP, SIGTERM, 33, 40, 64 };
static const int ignored[] = { SIGINT, SIGPIPE, SIGCHLD, 41 };

static uint64_t bits(const int *signals, size_t count)
{
	uint64_t set = 0;

	for (size_t i = 0; i < count; i++)
		set |= UINT64_C(1) << (signals[i] - 1);
	return set;
}

/* Use the raw call, because the C library's hides 32 and 33. */
static void block(uint64_t set)
{
	must(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof(set)) == 0);
}

static void set_signals(void)
{
	default_signals();
	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	block(bits(blocked, COUNT(blocked)));
	must(kill(getpid(), SIGTERM) == 0);
}

static const char *signal_line(const char *name, uint64_t set)
{
	static char line[64];

	snprintf(line, sizeof(line), "%s:\t%016llx\n", name, (unsigned long long)set);
	return line;
}

START_TEST(signals_stay)
{
	struct outcome outcome = RUN(.operands = STARTS, .prepare = set_signals);

	expect_started(&outcome);
	ck_assert_str_eq(lines("SigBlk"), signal_line("SigBlk", bits(blocked, COUNT(blocked))));
	ck_assert_str_eq(lines("SigIgn"), signal_line("SigIgn", bits(ignored, COUNT(ignored))));
	ck_assert_str_eq(lines("ShdPnd"), signal_line("ShdPnd", bits((int[]){ SIGTERM }, 1)));
}
END_TEST

START_TEST(no_signals_blocked_or_ignored)
{
	struct outcome outcome = RUN(.operands = STARTS, .prepare = default_signals);

	expect_started(&outcome);
	ck_assert_str_eq(lines("SigBlk"), signal_line("SigBlk", 0));
	ck_assert_str_eq(lines("SigIgn"), signal_line("SigIgn", 0));
}
END_TEST

/* --- a signal between the failed execve and the write ------------------------------------------------------- */

static void be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(CANNOT_RUN);
	raise(SIGSTOP);
}

static void resume(pid_t pid, int how)
{
	int status;

	ck_assert_int_eq(ptrace(how, pid, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSTOPPED(status), "status %#x", status);
}

/* Stop where the process enters (PTRACE_SYSCALL_INFO_ENTRY) or leaves (.._EXIT) this call. */
static void resume_until(pid_t pid, uint64_t call, int op)
{
	struct __ptrace_syscall_info info = { 0 };
	uint64_t entered = -1;

	do {
		resume(pid, PTRACE_SYSCALL);
		ck_assert_int_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info), 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			entered = info.entry.nr;
	} while (info.op != op || entered != call);
}

/* Returns false if ptrace is not available. */
static bool signal_at(pid_t pid, uint64_t call, int op, int sig)
{
	long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int status;

	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_RUN)
		return false;
	ck_assert_msg(WIFSTOPPED(status), "status %#x", status);
	ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL, options), 0);
	resume(pid, PTRACE_CONT); /* until it execs the stub */
	resume_until(pid, call, op);
	ck_assert_int_eq(kill(pid, sig), 0);
	ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
	return true;
}

static const struct {
	uint64_t call;
	int op;
} moments[] = {
	{ SYS_rt_sigprocmask, PTRACE_SYSCALL_INFO_EXIT },
	{ SYS_write, PTRACE_SYSCALL_INFO_ENTRY },
};

enum { SIGNALS = 62 };

/* All signals except the two that cannot be blocked. */
static int nth_signal(int n)
{
	int sig = n + 1;

	sig += sig >= SIGKILL;
	return sig + (sig >= SIGSTOP);
}

START_TEST(signal_before_the_record)
{
	int sig = nth_signal(_i % SIGNALS), moment = _i / SIGNALS;
	struct outcome outcome;
	struct run run;

	run = start((struct setup){ .operands = FAILS, .prepare = be_traced });
	if (!signal_at(run.pid, moments[moment].call, moments[moment].op, sig)) {
		close(run.reader);
		close(run.output);
		SKIP("needs tracing");
	}
	outcome = finish(run);
	expect_record(&outcome, 0, EACCES, 126);
}
END_TEST

/* --- calls that seccomp refuses ----------------------------------------------------------------------------- */

#define REFUSE(call, answer) LIST(prog_refuse, number(call), (answer))

static char *number(int n)
{
	static char digits[16];

	snprintf(digits, sizeof(digits), "%d", n);
	return digits;
}

static const struct {
	int call, answer; /* the errno of the refused call */
	char *path;
	int code, step, error; /* error -1: no record */
} refusals[] = {
	{ SYS_execve, 0, MISSING, 126, 0, 0 },
	{ SYS_execve, 0, prog_args, 126, 0, 0 },
	{ SYS_execve, EPERM, prog_args, 126, 0, EPERM },
	{ SYS_execve, ENOENT, prog_args, 127, 0, ENOENT },
	{ SYS_execve, 4095, prog_args, 126, 0, 4095 },
	{ SYS_fcntl, EPERM, prog_args, 125, 1, EPERM },
	{ SYS_fcntl, ENOENT, prog_args, 125, 1, ENOENT },
	{ SYS_fcntl, EBADF, prog_args, 125, 0, -1 },
	{ SYS_rt_sigprocmask, EPERM, MISSING, 127, 0, ENOENT },
	{ SYS_rt_sigprocmask, 0, REFUSED, 126, 0, EACCES },
	{ SYS_rt_sigprocmask, EPERM, "/bin/true", 0, 0, -1 },
	{ SYS_write, EPERM, MISSING, 127, 0, -1 },
	{ SYS_write, 0, REFUSED, 126, 0, -1 },
};

START_TEST(refused_call)
{
	char *answer = strdup(number(refusals[_i].answer));
	struct outcome outcome =
		RUN(.before = REFUSE(refusals[_i].call, answer), .operands = LIST(REPORT, refusals[_i].path, "name"));

	free(answer);
	if (exited(&outcome, CANNOT_RUN))
		SKIP("needs seccomp");
	if (refusals[_i].error >= 0)
		expect_record(&outcome, refusals[_i].step, refusals[_i].error, refusals[_i].code);
	else
		expect_silence(&outcome, refusals[_i].code);
}
END_TEST

static void no_core(void)
{
	must(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) == 0);
}

/* The stub must not run forever, especially with every signal blocked. */
START_TEST(refused_exit)
{
	struct outcome outcome = RUN(.before = REFUSE(SYS_exit_group, "1"), .operands = FAILS, .prepare = no_core);

	if (exited(&outcome, CANNOT_RUN))
		SKIP("needs seccomp");
	ck_assert_msg(WIFSIGNALED(outcome.status), "status %#x", outcome.status);
	ck_assert_int_eq(outcome.size, 16);
}
END_TEST

static int ask_fd;

static void connect_to_us(void)
{
	must(dup2(ask_fd, 4) == 4);
}

/* Receive the filter from prog_refuse. Returns -1 if prog_refuse could not make one. */
static int receive_filter(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* Answer one call with a value and without an error. The filter hangs up once all processes under it are gone. */
static void answer(int filter, long value)
{
	/* The kernel requires zeros. Later kernels may have larger structures. */
	union {
		struct seccomp_notif_resp response;
		struct seccomp_notif notice;
		char room[512];
	} message = { .room = { 0 } };
	struct pollfd readable = { .fd = filter, .events = POLLIN };
	uint64_t id;

	ck_assert_int_eq(poll(&readable, 1, -1), 1);
	ck_assert(readable.revents & POLLIN);
	ck_assert_int_eq(ioctl(filter, SECCOMP_IOCTL_NOTIF_RECV, &message), 0);
	id = message.notice.id;
	memset(&message, 0, sizeof(message));
	message.response.id = id;
	message.response.val = value;
	ck_assert_int_eq(ioctl(filter, SECCOMP_IOCTL_NOTIF_SEND, &message), 0);
}

static const long values[] = { 0, 1, 2, 5, 4096, LONG_MAX };

START_TEST(execve_that_returns_a_value)
{
	struct outcome outcome;
	struct run run;
	int fd[2], filter;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	ask_fd = fd[1] = high(fd[1]);
	run = start(
		(struct setup){ .before = REFUSE(SYS_execve, "ask"), .prepare = connect_to_us, .operands = STARTS });
	close(fd[1]);
	filter = receive_filter(fd[0]);
	if (filter >= 0) {
		answer(filter, values[_i]);
		close(filter);
	}
	close(fd[0]);
	outcome = finish(run);
	if (exited(&outcome, CANNOT_RUN))
		SKIP("needs seccomp");
	expect_record(&outcome, 0, 0, 126);
}
END_TEST

/* --- the suite ---------------------------------------------------------------------------------------------- */

static void tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, wrong_fd, 0, COUNT(wrong_fds));
	tcase_add_test(tcase, closed_fd);
	tcase_add_test(tcase, fd_zero);
	tcase_add_test(tcase, fd_with_leading_zeros);
	tcase_add_loop_test(tcase, too_few_operands, 0, COUNT(few_operands));
	tcase_add_loop_test(tcase, failed_exec, 0, COUNT(failures));
	tcase_add_test(tcase, too_many_arguments);
	tcase_add_test(tcase, no_search);
	tcase_add_loop_test(tcase, record_arrives, 0, COUNT(channels));
	tcase_add_loop_test(tcase, deaf_descriptor, 0, COUNT(deaf));
	tcase_add_test(tcase, path_and_name_differ);
	tcase_add_test(tcase, empty_name);
	tcase_add_test(tcase, empty_environment);
	tcase_add_test(tcase, file_that_may_not_grow);
	tcase_add_test(tcase, fd_over_the_limit);
	tcase_add_test(tcase, fd_over_the_limit_started);
	tcase_add_test(tcase, two_megabytes_of_arguments);
	tcase_add_test(tcase, other_descriptors_stay);
	tcase_add_test(tcase, no_signals_blocked_or_ignored);
}

/* qemu-user sorts the environment, keeps signals for itself, and makes system calls of its own. */
static void native_tests(TCase *tcase)
{
	tcase_add_test(tcase, odd_environment);
	tcase_add_test(tcase, large_environment);
	tcase_add_test(tcase, signals_stay);
	tcase_add_test(tcase, no_arguments_at_all);
	tcase_add_loop_test(tcase, signal_before_the_record, 0, COUNT(moments) * SIGNALS);
	tcase_add_loop_test(tcase, refused_call, 0, COUNT(refusals));
	tcase_add_test(tcase, refused_exit);
	tcase_add_loop_test(tcase, execve_that_returns_a_value, 0, COUNT(values));
}

/* Read our own ELF header. */
static unsigned host_machine(void)
{
	uint16_t header[10] = { 0 };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, header, sizeof(header)) != sizeof(header))
		abort();
	close(fd);
	return header[9];
}

static void split(char *command)
{
	size_t n = 0;

	for (char *word = strtok(command, " "); word; word = strtok(NULL, " "))
		if (n < COUNT(stub) - 1)
			stub[n++] = word;
}

static void find_programs(void)
{
	const char *build = getenv("ERRPIPE_BUILD"), *number = getenv("ERRPIPE_DMZ_MACHINE");
	char *command = getenv("ERRPIPE_DMZ");

	if (!build || (command && !number)) {
		fputs("set ERRPIPE_BUILD, and with ERRPIPE_DMZ also ERRPIPE_DMZ_MACHINE\n", stderr);
		exit(2);
	}
	snprintf(prog_args, sizeof(prog_args), "%s/tests/prog_args", build);
	snprintf(prog_refuse, sizeof(prog_refuse), "%s/tests/prog_refuse", build);
	snprintf(dmz, sizeof(dmz), "%s/dmz", build);
	stub[0] = dmz;
	foreign = command;
	machine = foreign ? atoi(number) : (int)host_machine();
	if (foreign)
		split(command);
}

int main(int argc __attribute__((unused)), char **argv)
{
	Suite *suite = suite_create("stub");
	TCase *tcase = tcase_create("stub");

	leave_valgrind(argv);
	find_programs();
	tests(tcase);
	if (!foreign)
		native_tests(tcase);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}

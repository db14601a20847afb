/* SPDX-License-Identifier: MIT */
/* Reading and settling a report: the bytes from the pipe, and the state of the process at end of file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "skip.h"
#include "suite.h"

static const unsigned char enoexec[16] = { 'd', 'm', 'z', 1, 62, 0, 0, 0, 8 };

static void assert_enoexec(const struct errpipe_report *report)
{
	ck_assert_int_eq(report->verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report->error, ENOEXEC);
}

/* --- bytes ------------------------------------------------------------------------------------------------ */

START_TEST(a_record)
{
	struct errpipe_report report;
	int fd[2];

	make_pipe(fd);
	ck_assert_int_eq(write(fd[1], enoexec, sizeof(enoexec)), sizeof(enoexec));
	/* The write end is still open, so the reader must not wait for more. */
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	assert_enoexec(&report);
}
END_TEST

START_TEST(every_length_in_the_pipe)
{
	unsigned char bytes[64];
	struct errpipe_report report, before;
	int fd[2];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = enoexec[i % sizeof(enoexec)];
	memset(&report, 0x5a, sizeof(report));
	before = report;

	make_pipe(fd);
	ck_assert_int_eq(write(fd[1], bytes, _i), _i);
	close(fd[1]);
	if (_i == sizeof(enoexec)) {
		ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
		assert_enoexec(&report);
	} else {
		ck_assert_int_eq(errpipe_read(fd[0], &report), -EPROTO);
		ck_assert_mem_eq(&report, &before, sizeof(report));
	}
}
END_TEST

START_TEST(end_of_file)
{
	struct errpipe_report report;
	int fd[2];

	make_pipe(fd);
	close(fd[1]);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report.status, -1);
	ck_assert_int_eq(report.error, 0);
	ck_assert_int_eq(report.raw_error, 0);
}
END_TEST

START_TEST(a_non_blocking_reader)
{
	struct errpipe_report report;
	int fd[2];

	make_pipe(fd);
	ck_assert_int_eq(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 0);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 0);
	ck_assert_int_eq(write(fd[1], enoexec, sizeof(enoexec)), sizeof(enoexec));
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	assert_enoexec(&report);
}
END_TEST

START_TEST(descriptors_that_cannot_be_read)
{
	struct errpipe_report report;
	int fd[2], directory = open("/", O_RDONLY);

	make_pipe(fd);
	ck_assert_int_eq(errpipe_read(fd[1], &report), -EBADF);
	ck_assert_int_eq(errpipe_read(-1, &report), -EBADF);
	ck_assert_int_eq(errpipe_read(directory, &report), -EISDIR);
	close(fd[0]);
	ck_assert_int_eq(errpipe_read(fd[0], &report), -EBADF);
}
END_TEST

START_TEST(sockets)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	struct errpipe_report report;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, types[_i], 0, fd), 0);
	ck_assert_int_eq(write(fd[1], enoexec, sizeof(enoexec)), sizeof(enoexec));
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	assert_enoexec(&report);
	close(fd[1]);
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
}
END_TEST

/* --- signals ---------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interruptions;

static void interrupt(int signal)
{
	(void)signal;
	interruptions++;
}

START_TEST(a_storm_of_signals)
{
	const struct sigaction action = { .sa_handler = interrupt }; /* no SA_RESTART */
	enum { STORM = 200 };
	struct errpipe_report report;
	pid_t reader = getpid(), child;
	int fd[2];

	make_pipe(fd);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	child = checked_fork();
	if (child == 0) {
		for (int i = 0; i < STORM; i++) {
			while (!sleeps(reader))
				sched_yield();
			kill(reader, SIGUSR1);
		}
		_exit(write(fd[1], enoexec, sizeof(enoexec)) != sizeof(enoexec));
	}
	ck_assert_int_eq(errpipe_read(fd[0], &report), 1);
	assert_enoexec(&report);
	ck_assert_int_gt(interruptions, STORM / 4);
	ck_assert_int_eq(wait_for(child), 0);
}
END_TEST

/* --- readers that are not the parent ---------------------------------------------------------------------- */

/*
 * Start a target, which execs or fails to, and a sibling that reads its report. Returns the wait status of the
 * reader.
 */
static int read_as_sibling(const char *path, int (*read_it)(int fd, pid_t pid))
{
	char *argv[] = { (char *)path, NULL };
	pid_t target, reader;
	int fd[2], go[2], status;
	char byte = 0;

	make_pipe(fd);
	make_pipe(go);
	target = checked_fork();
	if (target == 0) {
		/* Wait until the reader is ready. */
		if (read(go[0], &byte, 1) == 1)
			errpipe_exec(ERRPIPE_NO_STUB, 0, fd[1], path, argv, argv + 1);
		_exit(126);
	}
	close(fd[1]);
	reader = checked_fork();
	if (reader == 0) {
		if (write(go[1], &byte, 1) != 1)
			_exit(1);
		_exit(read_it(fd[0], target));
	}
	close(fd[0]);
	status = wait_for(reader);
	wait_for(target);
	return status;
}

/* Adopt the process as if it were our own child. */
static int read_and_look(int fd, pid_t pid, struct errpipe_report *report)
{
	struct errpipe_child child;

	return errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, fd) == 0 && errpipe_look(&child, report) == 0;
}

static int sees_enoexec(int fd, pid_t pid)
{
	struct errpipe_report report;

	return !(read_and_look(fd, pid, &report) && report.verdict == ERRPIPE_EXEC_FAILED && report.error == EACCES);
}

static int sees_closed(int fd, pid_t pid)
{
	struct errpipe_report report;

	return !(read_and_look(fd, pid, &report) && report.verdict == ERRPIPE_CLOSED && report.status == -1);
}

static int sees_started(int fd, pid_t pid)
{
	struct errpipe_report report;

	(void)pid;
	return !(errpipe_read(fd, &report) == 1 && report.verdict == ERRPIPE_STARTED);
}

START_TEST(a_sibling_reads_a_failure)
{
	ck_assert_int_eq(read_as_sibling("/", sees_enoexec), 0);
}
END_TEST

START_TEST(a_sibling_asks_for_certainty)
{
	ck_assert_int_eq(read_as_sibling("/bin/true", sees_closed), 0);
}
END_TEST

START_TEST(a_sibling_does_not_ask)
{
	ck_assert_int_eq(read_as_sibling("/bin/true", sees_started), 0);
}
END_TEST

START_TEST(a_fifo)
{
	char directory[] = "/tmp/errpipe-fifo.XXXXXX", path[64];
	char *argv[] = { (char *)"/", NULL };
	struct errpipe_report report;
	pid_t writer;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	writer = checked_fork();
	if (writer == 0) {
		int report_fd = open(path, O_WRONLY | O_CLOEXEC);

		errpipe_exec(ERRPIPE_NO_STUB, 0, report_fd, argv[0], argv, argv + 1);
		_exit(0);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(errpipe_read(fd, &report), 1);
	ck_assert_int_eq(report.error, EACCES);
	wait_for(writer);
	unlink(path);
	rmdir(directory);
}
END_TEST

/* --- the state of the process at end of file ---------------------------------------------------------------- */

enum stage { BEFORE_EXEC, IN_STUB, IN_TARGET };

static int open_stub(void)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/dmz", getenv("ERRPIPE_BUILD"));
	fd = open(path, O_PATH | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

/* A traced child, stopped at one stage of its life. */
static struct errpipe_child stop_at(enum stage stage, int stub)
{
	char *argv[] = { (char *)"/bin/true", NULL };
	int fd[2], status, execs = stage == BEFORE_EXEC ? 0 : stage == IN_TARGET && stub != ERRPIPE_NO_STUB ? 2 : 1;
	struct errpipe_child child;
	pid_t pid;

	make_pipe(fd);
	pid = checked_fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		errpipe_exec(stub, 0, fd[1], argv[0], argv, argv + 1);
		_exit(1);
	}
	close(fd[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	/* A traced process stops with SIGTRAP after each exec. */
	while (execs--) {
		ck_assert_int_eq(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	}
	errpipe_adopt(&child, pid, stub, fd[0]);
	return child;
}

static int no_stub(void)
{
	return ERRPIPE_NO_STUB;
}

/*
 * A stub that is a file gives the process a name that others may also have. Its death in the stub is therefore
 * CLOSED.
 */
static const struct {
	enum stage stage;
	int (*stub)(void);
	enum errpipe_verdict verdict;
} killed[] = {
	{ BEFORE_EXEC, no_stub, ERRPIPE_DIED },	   { IN_TARGET, no_stub, ERRPIPE_STARTED },
	{ BEFORE_EXEC, open_stub, ERRPIPE_DIED },  { IN_STUB, open_stub, ERRPIPE_CLOSED },
	{ IN_TARGET, open_stub, ERRPIPE_STARTED }, { BEFORE_EXEC, errpipe_stub, ERRPIPE_DIED },
	{ IN_STUB, errpipe_stub, ERRPIPE_DIED },   { IN_TARGET, errpipe_stub, ERRPIPE_STARTED },
};
enum { KILLED = sizeof(killed) / sizeof(*killed), MEMFDS = 3 /* the last three of the table */ };

START_TEST(killed_then_settled)
{
	struct errpipe_child child = stop_at(killed[_i].stage, killed[_i].stub());
	struct errpipe_report report;

	kill(child.pid, SIGKILL);
	ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
	ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	ck_assert_int_eq(report.verdict, killed[_i].verdict);
	ck_assert_int_eq(report.status, SIGKILL);
	/* The child can still be reaped. */
	ck_assert_int_eq(wait_for(child.pid), SIGKILL);
}
END_TEST

START_TEST(killed_and_looked_at)
{
	struct errpipe_child child = stop_at(killed[_i].stage, killed[_i].stub());
	struct errpipe_report report;

	kill(child.pid, SIGKILL);
	ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
	ck_assert_int_eq(errpipe_look(&child, &report), 0);
	ck_assert_int_eq(report.verdict, killed[_i].verdict);
	ck_assert(report.status == SIGKILL || report.status == -1);
	wait_for(child.pid);
}
END_TEST

/* A reader without the name of the stub recognises a stub, but cannot tell whether the child started that one. */
START_TEST(killed_in_an_unknown_stub)
{
	struct errpipe_child child = stop_at(IN_STUB, _i ? errpipe_stub() : open_stub());
	struct errpipe_report report;

	*child.stub = '\0';
	kill(child.pid, SIGKILL);
	ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	wait_for(child.pid);
}
END_TEST

/* A child that exits with a status, after an exec or without one. */
static struct errpipe_child exit_with(int status, bool after_exec)
{
	char script[32];
	char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	make_pipe(fd);
	pid = checked_fork();
	if (pid == 0) {
		snprintf(script, sizeof(script), "exit %d", status);
		if (after_exec)
			errpipe_exec(ERRPIPE_NO_STUB, 0, fd[1], "/bin/sh", argv, argv + 3);
		_exit(status);
	}
	close(fd[1]);
	errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, fd[0]);
	return child;
}

START_TEST(exited_by_itself)
{
	static const int statuses[] = { 0, 7, 124, 125, 126, 127, 128, 255 };
	int status = statuses[_i / 2];
	bool after_exec = _i % 2;
	struct errpipe_child child = exit_with(status, after_exec);
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	ck_assert_int_eq(report.verdict, after_exec ? ERRPIPE_STARTED : ERRPIPE_DIED);
	ck_assert_int_eq(report.status, status << 8);
	ck_assert_int_eq(wait_for(child.pid), status << 8);
}
END_TEST

START_TEST(lives_and_has_closed_its_report)
{
	struct errpipe_report report;
	int fd[2], hold[2];
	char byte;
	pid_t pid;

	make_pipe(fd);
	make_pipe(hold);
	pid = checked_fork();
	if (pid == 0) {
		close(fd[1]);
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0);
	}
	close(fd[1]);
	ck_assert(read_and_look(fd[0], pid, &report));
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(report.status, -1);
	close(hold[1]);
	wait_for(pid);
}
END_TEST

START_TEST(what_cannot_be_waited_for)
{
	int (*const functions[])(struct errpipe_child *, struct errpipe_report *) = { errpipe_settle, errpipe_look };
	struct errpipe_report report;
	struct errpipe_child child = exit_with(0, true);
	int pidfd = child.pidfd;

	wait_for(child.pid);
	ck_assert_int_eq(functions[_i](&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(report.status, -1);

	child.pidfd = -1;
	ck_assert_int_eq(functions[_i](&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);

	child.pid = getppid();
	ck_assert_int_eq(functions[_i](&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);

	/* Reuse the pidfd: the process number now belongs to another child, which never exec'd. */
	child = exit_with(126, false);
	child.pidfd = pidfd;
	ck_assert_int_eq(functions[_i](&child, &report), 0);
	ck_assert_int_eq(report.verdict, pidfd < 0 && under_valgrind() ? ERRPIPE_DIED : ERRPIPE_CLOSED);
	wait_for(child.pid);

	child.pid = 0;
	ck_assert_int_eq(functions[_i](&child, &report), -ECHILD);
	child.pid = -1;
	ck_assert_int_eq(functions[_i](&child, &report), -ECHILD);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
}
END_TEST

/* A child that writes bytes to the pipe and exits with 126. */
static struct errpipe_child leave(const void *bytes, size_t size)
{
	struct errpipe_child child;
	int fd[2];
	pid_t pid;

	make_pipe(fd);
	pid = checked_fork();
	if (pid == 0)
		_exit(write(fd[1], bytes, size) == (ssize_t)size ? 126 : 1);
	close(fd[1]);
	errpipe_adopt(&child, pid, ERRPIPE_NO_STUB, fd[0]);
	return child;
}

START_TEST(settle_keeps_other_verdicts)
{
	struct errpipe_child child = leave(enoexec, sizeof(enoexec));
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	assert_enoexec(&report);
	ck_assert_int_eq(report.status, 126 << 8);
	wait_for(child.pid);
}
END_TEST

/* In any order of calls, and even after the process is gone. */
START_TEST(a_child_remembers_its_report)
{
	int (*const functions[])(struct errpipe_child *, struct errpipe_report *) = { errpipe_read_child,
										      errpipe_look, errpipe_settle };
	struct errpipe_child child = leave(enoexec, sizeof(enoexec));
	struct errpipe_report report;

	for (int i = 0; i < 6; i++) {
		memset(&report, 0x5a, sizeof(report));
		ck_assert_int_eq(functions[i % 3](&child, &report), i % 3 == 0);
		assert_enoexec(&report);
	}
	wait_for(child.pid);
	memset(&report, 0x5a, sizeof(report));
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	assert_enoexec(&report);
	ck_assert_int_eq(report.status, 126 << 8);
}
END_TEST

START_TEST(a_child_remembers_how_it_ended)
{
	struct errpipe_child child = exit_with(126, false);
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	wait_for(child.pid);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_DIED);
	ck_assert_int_eq(report.status, 126 << 8);
}
END_TEST

/* The first read takes the bytes, and the next one sees end of file. */
START_TEST(a_child_remembers_that_it_cannot_be_read)
{
	int (*const functions[])(struct errpipe_child *, struct errpipe_report *) = { errpipe_read_child,
										      errpipe_look, errpipe_settle,
										      errpipe_wait };
	struct errpipe_child child = leave(enoexec, sizeof(enoexec) - 1);
	struct errpipe_report report;

	for (int i = 0; i < 4; i++) {
		memset(&report, 0x5a, sizeof(report));
		ck_assert_int_eq(functions[i](&child, &report), -EPROTO);
		ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	}
	ck_assert_int_ne(report.status, -1);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), -1);
}
END_TEST

/* The library cannot know that there was a record. Even so, the verdict is never STARTED. */
START_TEST(a_record_that_somebody_else_has_read)
{
	static const char *const paths[] = { "/nowhere/at/all", "/etc/passwd" };
	char *argv[] = { (char *)paths[_i % 2], NULL };
	const struct errpipe_spawn spawn = { .stub = _i / 2 ? errpipe_stub() : ERRPIPE_NO_STUB };
	struct errpipe_report report;
	struct errpipe_child child;

	ck_assert_int_eq(errpipe_spawn(&child, &spawn, argv[0], argv, argv + 1), 0);
	ck_assert_int_eq(errpipe_read(child.poll_fd, &report), 1);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert(report.verdict == ERRPIPE_DIED || report.verdict == ERRPIPE_CLOSED);
}
END_TEST

/* Only the status of the child is known then. */
START_TEST(a_report_that_another_process_reads)
{
	struct errpipe_child child = exit_with(7, _i);
	struct errpipe_report report;

	close(child.poll_fd);
	close(child.pidfd);
	errpipe_adopt(&child, child.pid, ERRPIPE_NO_STUB, -1);
	ck_assert_int_eq(errpipe_read_child(&child, &report), -EBADF);
	ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(errpipe_settle(&child, &report), 0);
	ck_assert_int_eq(report.verdict, _i ? ERRPIPE_STARTED : ERRPIPE_DIED);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	ck_assert_int_eq(report.verdict, _i ? ERRPIPE_STARTED : ERRPIPE_DIED);
	ck_assert_int_eq(report.status, 7 << 8);
}
END_TEST

/* An ordinary user needs a user namespace to create other namespaces. */
static int with_user(int namespaces)
{
	return namespaces | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
}

/* Use a new mount namespace, so that the machine keeps its /proc. */
static bool hide_proc(void)
{
	return unshare(with_user(CLONE_NEWNS)) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/proc", "tmpfs", 0, NULL) == 0;
}

/*
 * The leak sanitizer needs /proc when a test ends. Run the part without /proc in a child, which exits with 0 on
 * success.
 */
static void assert_in_child(bool (*holds)(void))
{
	pid_t pid = checked_fork();

	if (pid == 0)
		_exit(!holds());
	ck_assert_int_eq(wait_for(pid), 0);
}

static bool settled_as(struct errpipe_child child, enum errpipe_verdict verdict, int status)
{
	struct errpipe_report report;

	return errpipe_read_child(&child, &report) == 1 && errpipe_settle(&child, &report) == 0 &&
	       report.verdict == verdict && report.status == status && wait_for(child.pid) == status;
}

/* The target ends like a stub, or like the code before it. Without /proc nothing can tell them apart. */
static bool doubtful_end_is_closed(void)
{
	return settled_as(exit_with(126, true), ERRPIPE_CLOSED, 126 << 8) &&
	       settled_as(exit_with(7, true), ERRPIPE_CLOSED, 7 << 8);
}

static bool look_is_closed(void)
{
	struct errpipe_child child = exit_with(126, true);
	struct errpipe_report report;

	return errpipe_read_child(&child, &report) == 1 && errpipe_look(&child, &report) == 0 &&
	       report.verdict == ERRPIPE_CLOSED && wait_for(child.pid) == 126 << 8;
}

/* Neither a stub ends like this, nor a child of errpipe_spawn() that failed to exec. */
static bool other_end_is_started(void)
{
	struct errpipe_child child = exit_with(7, true);

	child.exec_begun = 1;
	return settled_as(child, ERRPIPE_STARTED, 7 << 8);
}

static bool without_proc(void)
{
	return hide_proc() && doubtful_end_is_closed() && look_is_closed() && other_end_is_started();
}

START_TEST(a_reader_without_proc)
{
	if (lacks(needs_namespaces()))
		SKIP(needs_namespaces());
	assert_in_child(without_proc);
}
END_TEST

/* The child of a new pid namespace that still has the outer /proc. /proc/PID is another process there. */
static bool with_the_proc_of_others(void)
{
	pid_t pid;

	if (unshare(with_user(CLONE_NEWPID)) != 0)
		return false;
	pid = checked_fork();
	if (pid == 0)
		_exit(!doubtful_end_is_closed());
	return wait_for(pid) == 0;
}

START_TEST(a_reader_with_the_proc_of_others)
{
	if (lacks(needs_namespaces()))
		SKIP(needs_namespaces());
	assert_in_child(with_the_proc_of_others);
}
END_TEST

static Suite *read_suite(void)
{
	Suite *suite = suite_create("read");
	TCase *tcase = tcase_create("read");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_record);
	tcase_add_loop_test(tcase, every_length_in_the_pipe, 1, 65);
	tcase_add_test(tcase, end_of_file);
	tcase_add_test(tcase, a_non_blocking_reader);
	tcase_add_test(tcase, descriptors_that_cannot_be_read);
	tcase_add_loop_test(tcase, sockets, 0, 2);
	tcase_add_test(tcase, a_storm_of_signals);
	tcase_add_test(tcase, a_sibling_reads_a_failure);
	tcase_add_test(tcase, a_sibling_asks_for_certainty);
	tcase_add_test(tcase, a_sibling_does_not_ask);
	tcase_add_test(tcase, a_fifo);
	tcase_add_loop_test(tcase, killed_then_settled, 0, under_valgrind() ? KILLED - MEMFDS : KILLED);
	tcase_add_loop_test(tcase, killed_and_looked_at, 0, under_valgrind() ? KILLED - MEMFDS : KILLED);
	tcase_add_loop_test(tcase, exited_by_itself, 0, 16);
	tcase_add_test(tcase, lives_and_has_closed_its_report);
	tcase_add_loop_test(tcase, killed_in_an_unknown_stub, 0, under_valgrind() ? 1 : 2);
	tcase_add_loop_test(tcase, what_cannot_be_waited_for, 0, 2);
	tcase_add_test(tcase, settle_keeps_other_verdicts);
	tcase_add_test(tcase, a_child_remembers_its_report);
	tcase_add_test(tcase, a_child_remembers_how_it_ended);
	tcase_add_test(tcase, a_child_remembers_that_it_cannot_be_read);
	tcase_add_loop_test(tcase, a_record_that_somebody_else_has_read, 0, under_valgrind() ? 2 : 4);
	tcase_add_loop_test(tcase, a_report_that_another_process_reads, 0, 2);
	tcase_add_test(tcase, a_reader_without_proc);
	tcase_add_test(tcase, a_reader_with_the_proc_of_others);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(read_suite());
}

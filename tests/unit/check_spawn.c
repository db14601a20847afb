/* SPDX-License-Identifier: MIT */
/*
 * errpipe_spawn() and errpipe_wait(): what the child inherits, what the parent keeps, and the effects of threads,
 * signals, limits and filters on both. check_verdict.c tests the verdict on children that end too early.
 *
 * rounds.h decides how many rounds random tests run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "fixture.h"
#include "skip.h"
#include "spawned.h"
#include "state.h"
#include "suite.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The ways to start a child. Most tests loop over them. */
enum { DIRECT, STUB, STUB_ONLY, WAYS };

static int stub = -1;
static char directory[] = "/tmp/errpipe-spawn.XXXXXX";
static char starter[64], text_file[64], plain_file[64], missing[64];
static char *act, *expect;

/* --- one child ---------------------------------------------------------------------------------------------- */

static struct errpipe_spawn options(int way)
{
	return (struct errpipe_spawn){
		.stub = way == DIRECT ? ERRPIPE_NO_STUB : stub,
		.flags = way == STUB_ONLY ? ERRPIPE_STUB_ONLY : 0,
	};
}

static struct errpipe_report run_act(const struct errpipe_spawn *spawn, const char *verb, int number)
{
	char decimal[16];
	char *argv[] = { act, (char *)verb, decimal, NULL };

	snprintf(decimal, sizeof(decimal), "%d", number);
	return run(spawn, act, argv);
}

static void assert_started(const struct errpipe_report *report, int status)
{
	ck_assert_int_eq(report->verdict, ERRPIPE_STARTED);
	ck_assert_int_eq(report->status, status);
	ck_assert_int_eq(report->error, 0);
	ck_assert_int_eq(report->raw_error, 0);
	ck_assert_uint_eq(report->step, 0);
	ck_assert_uint_eq(report->machine, 0);
}

/* A child whose exec failed may be killed before it exits by itself. */
static void assert_failed(const struct errpipe_report *report, unsigned step, int error, int exit_code)
{
	ck_assert_int_eq(report->verdict, step == ERRPIPE_STEP_EXEC ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED);
	ck_assert_uint_eq(report->step, step);
	ck_assert_int_eq(report->error, error);
	ck_assert_int_eq(report->raw_error, error);
	ck_assert_uint_eq(report->machine, own_machine());
	if (report->status != SIGKILL)
		ck_assert_int_eq(report->status, exit_code << 8);
}

static void assert_died(const struct errpipe_report *report, int status)
{
	ck_assert_int_eq(report->verdict, ERRPIPE_DIED);
	ck_assert_int_eq(report->status, status);
}

static void assert_unknown(const struct errpipe_report *report)
{
	ck_assert_int_eq(report->verdict, ERRPIPE_CLOSED);
	ck_assert_int_eq(report->status, -1);
}

static int first_free(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	close(fd);
	return fd;
}

static void close_on_exec_above_stderr(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0)
			fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
	}
}

/* Refuse a system call with an errno. If bits is not 0, refuse it only if its first argument has one of them. */
static void refuse(long call, int error, unsigned bits)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(filter), filter };

	if (!bits)
		filter[2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
}

/* --- outcomes ----------------------------------------------------------------------------------------------- */

static const int exit_codes[] = { 0, 1, 7, 124, 125, 126, 127, 128, 255 };
static const int signals[] = { SIGHUP, SIGABRT, SIGKILL, SIGSEGV, SIGPIPE, SIGTERM, 64 };

START_TEST(an_exit_code)
{
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		const struct errpipe_report report = run_act(&spawn, "exit", exit_codes[_i]);

		assert_started(&report, exit_codes[_i] << 8);
	}
}
END_TEST

START_TEST(a_signal)
{
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		const struct errpipe_report report = run_act(&spawn, "kill", signals[_i]);

		assert_started(&report, signals[_i]);
	}
}
END_TEST

static const struct {
	const char *path;
	int error;
} failures[] = {
	{ missing, ENOENT }, { "", ENOENT }, { text_file, ENOEXEC }, { plain_file, EACCES }, { "/", EACCES },
};

START_TEST(a_failure)
{
	const int error = failures[_i].error;

	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		const struct errpipe_report report = run_plain(&spawn, failures[_i].path);

		assert_failed(&report, ERRPIPE_STEP_EXEC, error, error == ENOENT ? 127 : 126);
	}
}
END_TEST

/* Nothing kills the child here before it exits by itself. */
START_TEST(the_exit_code_of_a_failure)
{
	char *argv[] = { (char *)failures[_i].path, NULL };

	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		struct errpipe_child child = start(&spawn, argv[0], argv);

		ck_assert_int_eq(wait_for(child.pid), (failures[_i].error == ENOENT ? 127 : 126) << 8);
	}
}
END_TEST

START_TEST(without_options)
{
	struct errpipe_report report = run_act(NULL, "exit", 7);

	assert_started(&report, 7 << 8);
	report = run_plain(NULL, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
}
END_TEST

START_TEST(without_environment)
{
	char *argv[] = { act, (char *)"exit", (char *)"7", NULL };
	const struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	struct errpipe_child child;

	ck_assert_int_eq(errpipe_spawn(&child, &spawn, act, argv, NULL), 0);
	report = finish(&child);
	assert_started(&report, 7 << 8);
}
END_TEST

/* The target still gets an argv[0]. */
START_TEST(without_arguments)
{
	char *argv[] = { NULL };
	const struct errpipe_spawn spawn = options(_i);
	const struct errpipe_report report = run(&spawn, act, argv);

	assert_started(&report, 1 << 8);
}
END_TEST

/* 100,002 arguments do not fit on the stack, and 300 are more than the library keeps there. */
static char *many_arguments[100003];

static void fill_arguments(char *count, size_t size, int argc)
{
	snprintf(count, size, "%d", argc);
	for (int i = 0; i < argc; i++)
		many_arguments[i] = (char *)"a";
	many_arguments[1] = (char *)"args";
	many_arguments[2] = count;
	many_arguments[argc] = NULL;
}

START_TEST(many_arguments_arrive)
{
	static const int counts[] = { 3, 251, 252, 253, 254, 300, 100002 };
	char count[16];

	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		struct errpipe_report report;

		fill_arguments(count, sizeof(count), counts[_i]);
		report = run(&spawn, expect, many_arguments);
		assert_started(&report, 0);
	}
}
END_TEST

/* --- the route ---------------------------------------------------------------------------------------------- */

static enum errpipe_route route_of(const char *path)
{
	struct errpipe_identity identity;

	ck_assert_int_eq(errpipe_identity(&identity), 0);
	return errpipe_route(&identity, path);
}

START_TEST(the_route_is_told)
{
	const enum errpipe_route routes[] = { ERRPIPE_DIRECT_ASKED, route_of("/bin/true"), ERRPIPE_STUB };

	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		char *argv[] = { (char *)"true", NULL };
		struct errpipe_child child = start(&spawn, "/bin/true", argv);

		ck_assert_int_eq(child.route, routes[way]);
		finish(&child);
	}
}
END_TEST

/* The path names a descriptor, which closes when the stub is exec'd. */
START_TEST(a_path_for_the_direct_route)
{
	struct errpipe_spawn spawn = options(STUB);
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_report report;
	struct errpipe_child child;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("/bin/true", O_PATH | O_CLOEXEC));
	child = start(&spawn, path, argv);
	ck_assert_int_ne(child.route, ERRPIPE_STUB);
	report = finish(&child);
	assert_started(&report, 0);

	spawn = options(STUB_ONLY);
	report = run(&spawn, path, argv);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
}
END_TEST

static int no_stubs(int i)
{
	return i == 0 ? open(plain_file, O_PATH | O_CLOEXEC) : open(directory, O_PATH | O_CLOEXEC);
}

START_TEST(a_stub_that_cannot_be_executed)
{
	const struct errpipe_spawn spawn = { .stub = no_stubs(_i) };
	const struct errpipe_spawn only = { .stub = spawn.stub, .flags = ERRPIPE_STUB_ONLY };
	struct errpipe_report report = run_act(&spawn, "exit", 7);

	assert_started(&report, 7 << 8);
	report = run_act(&only, "exit", 7);
	assert_failed(&report, ERRPIPE_STEP_STUB, EACCES, 126);
	report = run_plain(&spawn, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);

	/* The descriptor of the report was inheritable for a moment. */
	close_on_exec_above_stderr();
	report = run(&spawn, expect, (char *[]){ expect, (char *)"fds", (char *)"012", NULL });
	assert_started(&report, 0);
}
END_TEST

/* The caller may pass on the error that errpipe_stub() returned. */
START_TEST(a_stub_that_there_is_not)
{
	struct errpipe_spawn spawn = { .stub = -ENOSYS };
	struct errpipe_child child = start(&spawn, "/bin/true", (char *[]){ (char *)"true", NULL });
	struct errpipe_report report;

	ck_assert_int_eq(child.route, ERRPIPE_DIRECT_NO_STUB);
	report = finish(&child);
	assert_started(&report, 0);

	spawn.flags = ERRPIPE_STUB_ONLY;
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", many_arguments, environ), -ENOSYS);
	ck_assert_int_eq(child.pid, -1);
	spawn.stub = ERRPIPE_NO_STUB;
	ck_assert_int_eq(errpipe_spawn(&child, &spawn, "/bin/true", many_arguments, environ), -EINVAL);
	ck_assert_int_eq(child.pid, -1);
}
END_TEST

/* --- misuse ------------------------------------------------------------------------------------------------- */

static void assert_refused(const struct errpipe_spawn *spawn, const char *path, char *const argv[], int error)
{
	struct errpipe_child child = { .pid = getpid() };
	struct errpipe_report report;
	int before = open_descriptors();

	ck_assert_int_eq(errpipe_spawn(&child, spawn, path, argv, environ), error);
	ck_assert_int_eq(child.pid, -1);
	ck_assert_int_eq(child.pidfd, -1);
	ck_assert_int_eq(child.poll_fd, -1);
	ck_assert_int_eq(errpipe_wait(&child, &report), -ECHILD);
	assert_unknown(&report);
	ck_assert_int_eq(open_descriptors(), before);
}

START_TEST(unknown_flags)
{
	char *argv[] = { (char *)"true", NULL };

	for (int way = 0; way < WAYS; way++) {
		struct errpipe_spawn spawn = options(way);

		spawn.flags |= 1u << _i;
		if (spawn.flags != ERRPIPE_STUB_ONLY && spawn.flags != ERRPIPE_DIRECT_ONLY)
			assert_refused(&spawn, "/bin/true", argv, -EINVAL);
	}
}
END_TEST

START_TEST(no_path_or_no_argv)
{
	char *argv[] = { (char *)"true", NULL };
	const struct errpipe_spawn spawn = options(_i);

	assert_refused(&spawn, NULL, argv, -EFAULT);
	assert_refused(&spawn, "/bin/true", NULL, -EFAULT);
	assert_refused(&spawn, NULL, NULL, -EFAULT);
}
END_TEST

/* --- the struct, and waiting -------------------------------------------------------------------------------- */

START_TEST(a_child)
{
	char *argv[] = { (char *)"true", NULL };
	const struct errpipe_spawn spawn = options(_i);
	int before = open_descriptors();
	struct errpipe_child child = start(&spawn, "/bin/true", argv);
	const struct errpipe_child copy = child;
	struct errpipe_report report;

	ck_assert_int_gt(child.pid, 0);
	ck_assert_int_gt(child.pidfd, STDERR_FILENO);
	ck_assert_int_gt(child.poll_fd, STDERR_FILENO);
	ck_assert_int_eq(fcntl(child.pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(child.poll_fd, F_GETFD), FD_CLOEXEC);

	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	assert_started(&report, 0);
	ck_assert_int_eq(open_descriptors(), before);
	ck_assert_int_eq(waitpid(copy.pid, NULL, WNOHANG), -1);

	ck_assert_int_eq(errpipe_wait(&child, &report), -ECHILD);
	assert_unknown(&report);
}
END_TEST

/* Fork a child that calls a function before its exec. */
enum { RETURNED = 42 };

static struct errpipe_child fork_and_exec(int stub, const char *path, void (*first)(void))
{
	char *argv[] = { (char *)path, NULL };
	struct errpipe_child child;
	pid_t pid;
	int fd[2];

	ck_assert_int_eq(errpipe_pipe(fd), 0);
	pid = checked_fork();
	if (pid == 0) {
		first();
		errpipe_exec(stub, 0, fd[1], path, argv, environ);
		_exit(RETURNED);
	}
	close(fd[1]);
	errpipe_adopt(&child, pid, stub, fd[0]);
	return child;
}

static void do_nothing(void)
{
}

static void leave(void)
{
	_exit(0);
}

/* Usually the parent is already waiting then. */
static void sleep_a_little(void)
{
	usleep(20000);
}

START_TEST(a_child_that_was_adopted)
{
	int way_stub = options(_i).stub, before = open_descriptors();
	struct errpipe_child child = fork_and_exec(way_stub, "/bin/true", do_nothing);
	struct errpipe_report report;

	ck_assert_int_gt(child.pidfd, STDERR_FILENO);
	ck_assert_int_eq(fcntl(child.pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(child.route, _i == DIRECT ? ERRPIPE_DIRECT_ASKED : ERRPIPE_STUB);
	report = finish(&child);
	assert_started(&report, 0);

	child = fork_and_exec(way_stub, missing, do_nothing);
	report = finish(&child);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, _i == DIRECT ? RETURNED : 127);

	child = fork_and_exec(way_stub, "/bin/true", leave);
	report = finish(&child);
	assert_died(&report, 0);
	ck_assert_int_eq(open_descriptors(), before);

	errpipe_adopt(&child, getpid(), -EACCES, 7);
	ck_assert_int_eq(child.route, ERRPIPE_DIRECT_NO_STUB);
	ck_assert_int_eq(child.pid, getpid());
	ck_assert_int_eq(child.poll_fd, 7);
	close(child.pidfd);
}
END_TEST

/* By its name it could be the stub, but a stub never exits with this status. */
START_TEST(a_child_that_is_called_like_a_stub)
{
	char name[64];
	struct errpipe_report report;
	struct errpipe_child child;

	snprintf(name, sizeof(name), "%s/7", directory);
	ck_assert_int_eq(symlink("/bin/false", name), 0);
	child = fork_and_exec(stub, name, do_nothing);
	report = finish(&child);
	unlink(name);
	assert_started(&report, 1 << 8);
}
END_TEST

static void adopt_without_pidfds(int way)
{
	struct errpipe_report report;
	struct errpipe_child child;

	refuse(SYS_pidfd_open, ENOSYS, 0);
	child = fork_and_exec(options(way).stub, missing, sleep_a_little);
	ck_assert_int_eq(child.pidfd, -1);
	report = finish(&child);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, way == DIRECT ? RETURNED : 127);
}

START_TEST(a_child_that_was_adopted_without_a_pidfd)
{
	in_child(adopt_without_pidfds, _i);
}
END_TEST

START_TEST(a_report_that_was_read_before)
{
	static const char *const paths[] = { "/bin/true", missing };
	char *argv[] = { (char *)"x", NULL };

	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct errpipe_spawn spawn = options(_i);
		struct errpipe_child child = start(&spawn, paths[i], argv);
		struct errpipe_report report;

		ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
		ck_assert_int_eq(report.status, -1);
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		if (i == 0)
			assert_started(&report, 0);
		else
			assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
	}
}
END_TEST

/* A caller with an event loop, which reads and waits only where that does not block. */
struct loop {
	int epoll, started, failed;
	struct errpipe_child children[12];
	struct errpipe_report reports[12];
};

enum { PIDFD = 1000 };

static void add_to_loop(struct loop *loop, int i)
{
	const struct errpipe_spawn spawn = options(i % WAYS);
	char *argv[] = { (char *)"x", NULL };
	struct errpipe_child *child = &loop->children[i];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

	*child = start(&spawn, i / WAYS % 2 ? missing : "/bin/true", argv);
	ck_assert_int_eq(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, child->poll_fd, &event), 0);
	event.data.u32 += PIDFD;
	ck_assert_int_eq(epoll_ctl(loop->epoll, EPOLL_CTL_ADD, child->pidfd, &event), 0);
}

static void end_in_loop(struct loop *loop, int i)
{
	struct errpipe_report *report = &loop->reports[i];

	/* Closing it would not be enough, because a child that is about to exec has a copy. */
	ck_assert_int_eq(epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->children[i].pidfd, NULL), 0);
	ck_assert_int_eq(errpipe_wait(&loop->children[i], report), 0);
	if (i / WAYS % 2) {
		assert_failed(report, ERRPIPE_STEP_EXEC, ENOENT, 127);
		loop->failed++;
	} else {
		assert_started(report, 0);
		loop->started++;
	}
}

START_TEST(an_event_loop)
{
	struct loop loop = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	struct epoll_event event;

	for (int i = 0; i < (int)COUNT(loop.children); i++)
		add_to_loop(&loop, i);
	while (loop.started + loop.failed < (int)COUNT(loop.children)) {
		int i;

		ck_assert_int_eq(epoll_wait(loop.epoll, &event, 1, -1), 1);
		i = event.data.u32 % PIDFD;
		if (event.data.u32 >= PIDFD) {
			end_in_loop(&loop, i);
			continue;
		}
		if (loop.children[i].pid < 0)
			continue;
		ck_assert_int_eq(errpipe_read_child(&loop.children[i], &loop.reports[i]), 1);
		ck_assert_int_eq(epoll_ctl(loop.epoll, EPOLL_CTL_DEL, loop.children[i].poll_fd, NULL), 0);
	}
	ck_assert_int_eq(loop.started, loop.failed);
}
END_TEST

/* --- set-up ------------------------------------------------------------------------------------------------- */

static struct errpipe_child start_held(int way, struct leash *leash)
{
	struct errpipe_spawn spawn = options(way);
	char *argv[] = { (char *)"cat", NULL };

	make_pipe(leash->fd);
	spawn.prepare = hold_by_stdin;
	spawn.data = leash;
	return start(&spawn, "/bin/cat", argv);
}

static int take_place(void *data, unsigned *step)
{
	(void)step;
	if (chdir(data) < 0 || setsid() < 0 || dup2(STDERR_FILENO, 9) < 0)
		return -errno;
	umask(0137);
	return 0;
}

START_TEST(set_up_concerns_the_target_only)
{
	char *argv[] = { expect, (char *)"place", directory, NULL }, before[PATH_MAX], after[PATH_MAX];
	struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	pid_t session = getsid(0);

	ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
	close(9);
	umask(022);
	spawn.prepare = take_place;
	spawn.data = directory;
	report = run(&spawn, expect, argv);
	assert_started(&report, 0);

	ck_assert_ptr_nonnull(getcwd(after, sizeof(after)));
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(umask(022), 022);
	ck_assert_int_eq(getsid(0), session);
	ck_assert_int_eq(fcntl(9, F_GETFD), -1);
}
END_TEST

struct failing {
	int ret;
	unsigned step; /* 0x10000: leave *step alone */
	unsigned reported_step;
	int error;
};

static const struct failing failing[] = {
	{ -EPERM, 0x10000, 0x8000, EPERM }, { -EPERM, 0x8000, 0x8000, EPERM },	 { -ENOENT, 0x8005, 0x8005, ENOENT },
	{ -1, 0xfffe, 0xfffe, 1 },	    { -4095, 0x8001, 0x8001, 4095 },	 { -4096, 0x8001, 0x8000, EINVAL },
	{ 1, 0x8001, 0x8000, EINVAL },	    { INT_MAX, 0x8001, 0x8000, EINVAL }, { INT_MIN, 0x8001, 0x8000, EINVAL },
	{ -EPERM, 0, 0x8000, EINVAL },	    { -EPERM, 1, 0x8000, EINVAL },	 { -EPERM, 0x7fff, 0x8000, EINVAL },
	{ -EPERM, 0xffff, 0x8000, EINVAL }, { -EPERM, 0x18000, 0x8000, EINVAL }, { -EPERM, UINT_MAX, 0x8000, EINVAL },
};

static int fail_as_told(void *data, unsigned *step)
{
	const struct failing *how = data;

	if (how->step != 0x10000)
		*step = how->step;
	return how->ret;
}

START_TEST(set_up_fails)
{
	char *argv[] = { act, (char *)"exit", (char *)"7", NULL };

	for (int way = 0; way < WAYS; way++) {
		struct errpipe_spawn spawn = options(way);
		struct errpipe_report report;
		struct errpipe_child child;

		spawn.prepare = fail_as_told;
		spawn.data = (void *)&failing[_i];
		report = run(&spawn, act, argv);
		ck_assert_int_eq(report.verdict, ERRPIPE_SETUP_FAILED);
		ck_assert_uint_eq(report.step, failing[_i].reported_step);
		ck_assert_int_eq(report.raw_error, failing[_i].error);

		/* This child is not killed before it exits. */
		child = start(&spawn, act, argv);
		ck_assert_int_eq(wait_for(child.pid), 125 << 8);
	}
}
END_TEST

static int read_mask(void *data, unsigned *step)
{
	(void)step;
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, data, _NSIG / 8) < 0 ? -errno : 0;
}

START_TEST(set_up_has_all_signals_blocked)
{
	struct errpipe_spawn spawn = options(_i);
	unsigned char *mask = shared_memory(_NSIG / 8);
	struct errpipe_report report;

	spawn.prepare = read_mask;
	spawn.data = mask;
	report = run_act(&spawn, "exit", 0);
	assert_started(&report, 0);
	for (int i = 1; i < _NSIG; i++) {
		if (i != SIGKILL && i != SIGSTOP)
			ck_assert_msg(mask[(i - 1) / 8] & 1 << (i - 1) % 8, "signal %d", i);
	}
}
END_TEST

/* --- copies of the write end -------------------------------------------------------------------------------- */

struct copying {
	struct leash leash;
	bool die;
};

/* Let another process inherit the write end and keep it. Use the raw call, because fork(3) may run handlers. */
static int leave_a_copy(void *data, unsigned *step)
{
	const struct copying *copying = data;
	char byte;
#ifdef __s390__
	long pid = syscall(SYS_clone, 0, SIGCHLD, 0, 0, 0); /* s390 takes the stack first */
#else
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif

	(void)step;
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(copying->leash.fd[1]);
		syscall(SYS_exit_group, read(copying->leash.fd[0], &byte, 1));
	}
	if (copying->die)
		kill(getpid(), SIGKILL);
	return 0;
}

static struct errpipe_child start_with_a_copy(int way, struct copying *copying, const char *path)
{
	char *argv[] = { act, (char *)"exit", (char *)"7", NULL };
	struct errpipe_spawn spawn = options(way);

	make_pipe(copying->leash.fd);
	spawn.prepare = leave_a_copy;
	spawn.data = copying;
	return start(&spawn, path, argv);
}

static void wait_for_the_end(const struct errpipe_child *child)
{
	struct pollfd fd = { child->pidfd, POLLIN, 0 };

	ck_assert_int_eq(poll(&fd, 1, -1), 1);
}

START_TEST(a_copy_of_the_write_end)
{
	struct copying copying = { .die = false };
	struct errpipe_child child = start_with_a_copy(_i, &copying, act);
	struct errpipe_report report;

	wait_for_the_end(&child);
	ck_assert_int_eq(fcntl(child.poll_fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(errpipe_read(child.poll_fd, &report), 0);
	ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
	assert_started(&report, -1);
	report = finish(&child);
	assert_started(&report, 7 << 8);
}
END_TEST

/* Without a pidfd, as before Linux 5.2, there is nothing to poll for the end of the child. */
START_TEST(a_copy_of_the_write_end_and_no_pidfd)
{
	struct copying copying = { .die = _i % 2 };
	struct errpipe_child child = start_with_a_copy(_i / 2, &copying, act);
	struct errpipe_report report;

	close(child.pidfd);
	child.pidfd = -1;
	report = finish(&child);
	if (copying.die)
		assert_died(&report, SIGKILL);
	else
		assert_started(&report, 7 << 8);
}
END_TEST

/* The traced child ends, but cannot be waited for until the tracer has waited for it or has exited. */
static pid_t trace_for_a_second(pid_t pid)
{
	int fd[2];
	char byte;
	pid_t tracer;

	make_pipe(fd);
	tracer = fork();
	ck_assert_int_ge(tracer, 0);
	if (tracer == 0) {
		long ret = ptrace(PTRACE_SEIZE, pid, NULL, NULL);

		if (ret == 0 && write(fd[1], "", 1) == 1)
			sleep(1);
		_exit(0);
	}
	close(fd[1]);
	if (read(fd[0], &byte, 1) != 1)
		tracer = -1;
	close(fd[0]);
	return tracer;
}

static int polls;

/* Replace libc's function to count the calls of the library. */
int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
	struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

	__atomic_fetch_add(&polls, 1, __ATOMIC_RELAXED);
	return ppoll(fds, count, milliseconds < 0 ? NULL : &timeout, NULL);
}

START_TEST(a_copy_of_the_write_end_and_a_tracer)
{
	char *argv[] = { (char *)"sleep", (char *)"0.2", NULL };
	struct copying copying = { .die = false };
	struct errpipe_spawn spawn = options(_i);
	struct errpipe_child child;
	struct errpipe_report report;
	pid_t tracer;

	make_pipe(copying.leash.fd);
	spawn.prepare = leave_a_copy;
	spawn.data = &copying;
	child = start(&spawn, "/bin/sleep", argv);
	tracer = trace_for_a_second(child.pid);
	polls = 0;
	report = finish(&child);
	if (tracer < 0)
		SKIP("needs tracing");
	assert_started(&report, 0);
	ck_assert_int_lt(polls, 1000);
	ck_assert_int_eq(waitpid(tracer, NULL, 0), tracer);
}
END_TEST

START_TEST(a_copy_of_the_write_end_and_a_failure)
{
	struct copying copying = { .die = false };
	struct errpipe_child child = start_with_a_copy(_i, &copying, missing);
	struct errpipe_report report;

	wait_for_the_end(&child);
	report = finish(&child);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
}
END_TEST

START_TEST(a_copy_of_the_write_end_and_a_death)
{
	struct copying copying = { .die = true };
	struct errpipe_child child = start_with_a_copy(_i, &copying, act);
	struct errpipe_report report = finish(&child);

	assert_died(&report, SIGKILL);
}
END_TEST

/* The child and another thread of its parent take turns: the child asks, the thread does something and answers. */
struct turns {
	int ask[2], answer[2];
};

static int ask(void *data, unsigned *step)
{
	const struct turns *turns = data;
	char byte = 0;

	(void)step;
	if (write(turns->ask[1], &byte, 1) < 0 || read(turns->answer[0], &byte, 1) < 0)
		return -errno;
	return 0;
}

static void make_turns(struct turns *turns)
{
	make_pipe(turns->ask);
	make_pipe(turns->answer);
}

struct forking {
	struct turns turns;
	struct leash leash;
	pid_t pid;
};

static void *fork_when_asked(void *data)
{
	struct forking *forking = data;
	char byte;

	if (read(forking->turns.ask[0], &byte, 1) < 0)
		return NULL;
	forking->pid = fork();
	if (forking->pid == 0) {
		close(forking->leash.fd[1]);
		_exit(read(forking->leash.fd[0], &byte, 1));
	}
	return write(forking->turns.answer[1], &byte, 1) < 0 ? NULL : data;
}

START_TEST(a_fork_by_another_thread)
{
	char *argv[] = { act, (char *)"exit", (char *)"7", NULL };
	struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	struct forking forking;
	pthread_t thread;
	void *result;

	make_turns(&forking.turns);
	make_pipe(forking.leash.fd);
	spawn.prepare = ask;
	spawn.data = &forking.turns;
	ck_assert_int_eq(pthread_create(&thread, NULL, fork_when_asked, &forking), 0);
	report = run(&spawn, act, argv);
	assert_started(&report, 7 << 8);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_nonnull(result);

	/* It held the write end all the time. */
	ck_assert_int_eq(waitpid(forking.pid, NULL, WNOHANG), 0);
	close(forking.leash.fd[1]);
	ck_assert_int_eq(wait_for(forking.pid), 0);
}
END_TEST

/* --- descriptors -------------------------------------------------------------------------------------------- */

/* Take all free descriptors up to a limit that leaves room for count more. */
static void leave_room_for(int count)
{
	struct rlimit limit;
	int top = first_free();

	while (top < 100)
		top = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	limit.rlim_cur = limit.rlim_max = top + 1 + count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The target needs no descriptors. It exits with 125, which makes errpipe_wait() take a close look. */
static bool starts_with_few_descriptors(int way)
{
	char *argv[] = { starter, NULL };
	const struct errpipe_spawn spawn = options(way);
	int before = open_descriptors(), ret;
	struct errpipe_report report;
	struct errpipe_child child;

	ret = errpipe_spawn(&child, &spawn, starter, argv, environ);
	if (ret < 0) {
		ck_assert_int_eq(ret, -EMFILE);
		ck_assert_int_eq(child.pid, -1);
		ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	} else {
		report = finish(&child);
		assert_started(&report, 125 << 8);
	}
	ck_assert_int_eq(open_descriptors(), before);
	return ret == 0;
}

/* The pipe and the pidfd need three. */
static void few_descriptors(int room)
{
	leave_room_for(room);
	for (int way = 0; way < WAYS; way++)
		ck_assert_int_eq(starts_with_few_descriptors(way), room >= 3);
}

START_TEST(room_for_few_descriptors)
{
	in_child(few_descriptors, _i);
}
END_TEST

/* The number of pages that the process has mapped. */
static long mapped(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld", &pages), 1);
	fclose(file);
	return pages;
}

/* The library maps memory for a long argv and must unmap it. */
START_TEST(memory_is_given_back)
{
	const struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	char count[16];
	long before = 0;

	fill_arguments(count, sizeof(count), 100002);
	for (int i = 0; i < 5; i++) {
		report = run(&spawn, expect, many_arguments);
		assert_started(&report, 0);
		if (i == 0)
			before = mapped();
	}
	ck_assert_int_eq(mapped(), before);
}
END_TEST

/* The target does not inherit our descriptors, and closed streams stay closed in it. */
static void closed_streams(int streams)
{
	char open_ones[4] = "", *end = open_ones;
	char *argv[] = { expect, (char *)"fds", open_ones, NULL };

	close_on_exec_above_stderr();
	for (int fd = 0; fd < 3; fd++) {
		if (streams & 1 << fd)
			close(fd);
		else
			*end++ = '0' + fd;
	}
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		struct errpipe_child child = start(&spawn, expect, argv);
		struct errpipe_report report;

		ck_assert_int_gt(child.poll_fd, STDERR_FILENO);
		ck_assert_int_gt(child.pidfd, STDERR_FILENO);
		report = finish(&child);
		assert_started(&report, 0);
	}
}

START_TEST(streams_that_are_closed)
{
	in_child(closed_streams, _i);
}
END_TEST

/* The pidfd gets the number 0 and cannot be moved above the streams. The library then goes on without a pidfd. */
static void no_room_for_the_pidfd(int way)
{
	char *argv[] = { starter, NULL };
	const struct errpipe_spawn spawn = options(way);
	struct errpipe_report report;
	struct errpipe_child child;

	leave_room_for(2);
	close(STDIN_FILENO);
	child = start(&spawn, starter, argv);
	ck_assert_int_eq(child.pidfd, -1);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
	report = finish(&child);
	assert_started(&report, 125 << 8);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
}

START_TEST(a_pidfd_that_has_no_room)
{
	in_child(no_room_for_the_pidfd, _i);
}
END_TEST

/* --- signals ------------------------------------------------------------------------------------------------ */

/* The kernel's struct on x86-64. libc does not let programs touch 32 and 33. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

enum { RESTORER = 0x04000000, SIGNALS = 64 };

static int act_on(int number, void (*handler)(int))
{
	const struct action action = { handler, RESTORER, abort, 0 };

	return syscall(SYS_rt_sigaction, number, &action, NULL, 8);
}

static void handle(int number)
{
	(void)number;
	_exit(99);
}

struct signal_state {
	unsigned long mask;
	struct action actions[SIGNALS + 1];
};

static struct signal_state signal_state(void)
{
	struct signal_state state = { 0 };

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &state.mask, 8);
	for (int i = 1; i <= SIGNALS; i++)
		syscall(SYS_rt_sigaction, i, NULL, &state.actions[i], 8);
	return state;
}

static unsigned long bit(int number)
{
	return 1UL << (number - 1);
}

/* Masks: every second signal, all, none, and one for the target that differs from the caller's. */
static const unsigned long masks[] = { 0x5555555555555555, -1UL, 0, 0xaaaaaaaaaaaaaaaa };
enum { MASKS = COUNT(masks), OTHER_MASK = MASKS - 1 };

/* Handle a third of the signals and ignore another third. Returns the ignored ones. */
static unsigned long set_actions(void)
{
	unsigned long ignored = 0;

	for (int i = 1; i <= SIGNALS; i++) {
		if (i == SIGKILL || i == SIGSTOP)
			continue;
		ck_assert_int_eq(act_on(i, i % 3 == 0 ? handle : i % 3 == 1 ? SIG_IGN : SIG_DFL), 0);
		if (i % 3 == 1)
			ignored |= bit(i);
	}
	return ignored;
}

static int write_to(void *data, unsigned *step)
{
	(void)step;
	return dup2(*(int *)data, STDOUT_FILENO) < 0 ? -errno : 0;
}

static unsigned long status_line(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	ck_assert_ptr_nonnull(line);
	return strtoul(line + strlen(name), NULL, 16);
}

static void assert_target_has(const struct errpipe_spawn *options, unsigned long blocked, unsigned long ignored)
{
	char *argv[] = { (char *)"cat", (char *)"/proc/self/status", NULL }, text[8192];
	struct errpipe_spawn spawn = *options;
	struct errpipe_report report;
	int fd = memfd_create("status", MFD_CLOEXEC);
	ssize_t size;

	spawn.prepare = write_to;
	spawn.data = &fd;
	report = run(&spawn, "/bin/cat", argv);
	assert_started(&report, 0);
	size = pread(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(size, 0);
	text[size] = '\0';
	close(fd);

	ck_assert_uint_eq(status_line(text, "\nSigBlk:"), blocked & ~(bit(SIGKILL) | bit(SIGSTOP)));
	ck_assert_uint_eq(status_line(text, "\nSigIgn:"), ignored);
	ck_assert_uint_eq(status_line(text, "\nSigCgt:"), 0);
}

static void all_signals(int i)
{
	unsigned long ignored = set_actions(), mask = i == OTHER_MASK ? 0 : masks[i];
	struct signal_state before, after;
	sigset_t set;

	memset(&set, 0, sizeof(set));
	memcpy(&set, &masks[i], sizeof(masks[i]));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	before = signal_state();
	for (int way = 0; way < WAYS; way++) {
		struct errpipe_spawn spawn = options(way);

		if (i == OTHER_MASK)
			spawn.mask = &set;
		assert_target_has(&spawn, masks[i], ignored);
	}
	after = signal_state();
	ck_assert_mem_eq(&before, &after, sizeof(before));
}

static void all_signals_without_clone3(int i)
{
	refuse(SYS_clone3, ENOSYS, 0);
	all_signals(i);
}

#ifdef __x86_64__
#define SKIP_IF_ACTIONS_DIFFER
#else
#define SKIP_IF_ACTIONS_DIFFER SKIP("knows only the signal system calls of x86-64")
#endif

START_TEST(every_signal)
{
	SKIP_IF_ACTIONS_DIFFER;
	in_child(all_signals, _i);
}
END_TEST

START_TEST(every_signal_without_clone3)
{
	SKIP_IF_ACTIONS_DIFFER;
	in_child(all_signals_without_clone3, _i);
}
END_TEST

/* A signal during set-up takes effect after it, and never runs a handler of the parent. */
static int signal_myself(void *data, unsigned *step)
{
	(void)step;
	return kill(getpid(), *(int *)data) < 0 ? -errno : 0;
}

static bool stops(int number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static bool is_ignored_by_default(int number)
{
	return number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH;
}

static void signal_child(int number, int way)
{
	struct errpipe_spawn spawn = options(way);
	struct errpipe_report report;

	spawn.prepare = signal_myself;
	spawn.data = &number;
	report = run_plain(&spawn, starter);
	if (is_ignored_by_default(number))
		assert_started(&report, 125 << 8);
	else
		assert_died(&report, number);
}

static void let_be(int number)
{
	(void)number;
}

static void every_signal_handled(int way)
{
	for (int i = 1; i <= SIGNALS; i++) {
		if (i == SIGCHLD)
			signal(i, let_be); /* the parent gets it when the child ends */
		else if (i != SIGKILL && i != SIGSTOP)
			ck_assert_int_eq(act_on(i, handle), 0);
	}
	for (int i = 1; i <= SIGNALS; i++) {
		if (!stops(i))
			signal_child(i, way);
	}
}

static void every_signal_handled_without_clone3(int way)
{
	refuse(SYS_clone3, ENOSYS, 0);
	every_signal_handled(way);
}

START_TEST(no_handler_runs_in_the_child)
{
	SKIP_IF_ACTIONS_DIFFER;
	in_child(every_signal_handled, _i);
}
END_TEST

START_TEST(no_handler_runs_in_the_child_without_clone3)
{
	SKIP_IF_ACTIONS_DIFFER;
	in_child(every_signal_handled_without_clone3, _i);
}
END_TEST

/* --- parents ------------------------------------------------------------------------------------------------ */

/* Another waitpid(2) reaped the child first. */
START_TEST(reaped_by_somebody_else)
{
	char *argv[] = { (char *)"x", NULL };

	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		int before = open_descriptors();
		struct errpipe_child child = start(&spawn, "/bin/true", argv);
		struct errpipe_report report;

		wait_for(child.pid);
		report = finish(&child);
		ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
		ck_assert_int_eq(report.status, -1);

		child = start(&spawn, missing, argv);
		wait_for(child.pid);
		report = finish(&child);
		ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
		ck_assert_int_eq(report.error, ENOENT);
		ck_assert_int_eq(report.status, -1);
		ck_assert_int_eq(open_descriptors(), before);
	}
}
END_TEST

static volatile sig_atomic_t reaped;

static void reap_all(int number)
{
	int saved = errno;

	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped++;
	errno = saved;
}

static void handle_sigchld(void)
{
	signal(SIGCHLD, reap_all);
}

static void ignore_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
}

static void want_no_zombies(void)
{
	struct sigaction action = { .sa_handler = let_be, .sa_flags = SA_NOCLDWAIT };

	sigaction(SIGCHLD, &action, NULL);
}

static void (*const without_zombies[])(void) = { handle_sigchld, ignore_sigchld, want_no_zombies };

/* The handler may be slower than errpipe_wait(), which then finds the child. STARTED is also correct in that case. */
static void no_zombies(int i)
{
	without_zombies[i]();
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		int before = open_descriptors();
		struct errpipe_report report = run_act(&spawn, "exit", 7);

		if (report.verdict == ERRPIPE_STARTED && without_zombies[i] == handle_sigchld)
			ck_assert_int_eq(report.status, 7 << 8);
		else
			ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
		report = run_plain(&spawn, missing);
		ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
		ck_assert_int_eq(report.error, ENOENT);
		ck_assert_int_eq(open_descriptors(), before);
	}
}

START_TEST(a_parent_without_zombies)
{
	in_child(no_zombies, _i);
}
END_TEST

/* The parent also adopts an orphan, and must not take it for the child. */
static void adopt(int way)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)": & exit 7", NULL };
	const struct errpipe_spawn spawn = options(way);
	struct errpipe_report report;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	report = run(&spawn, "/bin/sh", argv);
	assert_started(&report, 7 << 8);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}

START_TEST(a_parent_that_adopts)
{
	in_child(adopt, _i);
}
END_TEST

/* --- threads ------------------------------------------------------------------------------------------------ */

static int kill_myself(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	return kill(getpid(), SIGKILL) < 0 ? -errno : 0;
}

static char *fds_argv[] = { NULL, (char *)"fds", (char *)"012", NULL };
static char *x_argv[] = { (char *)"x", NULL };

static const struct kind {
	int way;
	const char *path; /* NULL: prog_expect, which counts its descriptors */
	int (*setup)(void *data, unsigned *step);
	enum errpipe_verdict verdict;
	int error;
} kinds[] = {
	{ DIRECT, NULL, NULL, ERRPIPE_STARTED, 0 },
	{ STUB, missing, NULL, ERRPIPE_EXEC_FAILED, ENOENT },
	{ STUB_ONLY, NULL, NULL, ERRPIPE_STARTED, 0 },
	{ DIRECT, text_file, NULL, ERRPIPE_EXEC_FAILED, ENOEXEC },
	{ STUB, starter, fail_as_told, ERRPIPE_SETUP_FAILED, EDOM },
	{ STUB, plain_file, NULL, ERRPIPE_EXEC_FAILED, EACCES },
	{ DIRECT, starter, kill_myself, ERRPIPE_DIED, 0 },
	{ DIRECT, missing, NULL, ERRPIPE_EXEC_FAILED, ENOENT },
};

struct job {
	int rounds, first;
	int bad; /* the number of wrong results, and one of them as an example */
	char example[128];
};

/* Check's assertions work in one thread only, so do not use them here. */
static void compare(struct job *job, const struct kind *kind, int ret, const struct errpipe_report *report)
{
	bool status = kind->verdict != ERRPIPE_STARTED || report->status == 0;

	if (ret == 0 && report->verdict == kind->verdict && report->error == kind->error && status)
		return;
	job->bad++;
	snprintf(job->example, sizeof(job->example), "kind %d: returned %d, verdict %d, error %d, status %#x",
		 (int)(kind - kinds), ret, report->verdict, report->error, report->status);
}

static void spawn_a_kind(struct job *job, const struct kind *kind)
{
	static const struct failing how = { -EDOM, 0x8001, 0x8001, EDOM };
	const char *path = kind->path ? kind->path : expect;
	struct errpipe_spawn spawn = options(kind->way);
	struct errpipe_report report;
	struct errpipe_child child;
	int ret;

	spawn.prepare = kind->setup;
	spawn.data = (void *)&how;
	ret = errpipe_spawn(&child, &spawn, path, kind->path ? x_argv : fds_argv, environ);
	if (ret == 0)
		ret = errpipe_wait(&child, &report);
	compare(job, kind, ret, &report);
}

static void *work(void *data)
{
	struct job *job = data;

	for (int i = 0; i < job->rounds; i++)
		spawn_a_kind(job, &kinds[(job->first + i) % COUNT(kinds)]);
	return NULL;
}

static void run_jobs(int count, int rounds_each)
{
	pthread_t threads[64];
	struct job jobs[64] = { 0 };
	int before;

	fds_argv[0] = expect;
	close_on_exec_above_stderr();
	before = open_descriptors();
	for (int i = 0; i < count; i++) {
		jobs[i] = (struct job){ .rounds = rounds_each, .first = i };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
	}
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < count; i++)
		ck_assert_msg(jobs[i].bad == 0, "%d wrong results, for example %s", jobs[i].bad, jobs[i].example);
	ck_assert_int_eq(open_descriptors(), before);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

START_TEST(eight_threads)
{
	run_jobs(8, rounds(10000) / 8);
}
END_TEST

START_TEST(sixty_four_threads)
{
	run_jobs(64, COUNT(kinds));
}
END_TEST

static void *spawn_on_a_small_stack(void *data)
{
	struct job *job = data;
	const struct kind kind = { job->first, NULL, NULL, ERRPIPE_STARTED, 0 };
	struct errpipe_spawn spawn = options(kind.way);
	struct errpipe_report report;
	struct errpipe_child child;
	int ret = errpipe_spawn(&child, &spawn, expect, many_arguments, environ);

	if (ret == 0)
		ret = errpipe_wait(&child, &report);
	compare(job, kinds, ret, &report);
	return NULL;
}

START_TEST(many_arguments_and_a_small_stack)
{
	struct job job = { .first = _i };
	pthread_attr_t attr;
	pthread_t thread;
	char count[16];

	fill_arguments(count, sizeof(count), 100002);
	pthread_attr_init(&attr);
	ck_assert_int_eq(pthread_attr_setstacksize(&attr, 128 * 1024), 0);
	ck_assert_int_eq(pthread_create(&thread, &attr, spawn_on_a_small_stack, &job), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(job.bad == 0, "%s", job.example);
}
END_TEST

/* --- cancellation ------------------------------------------------------------------------------------------- */

struct cancelled {
	int way;
	struct errpipe_child child;
	struct errpipe_report report;
	struct turns turns;
	sem_t ready, go;
	pid_t tid;
	bool returned;
	int ret;
};

static pthread_t begin(struct cancelled *it, void *(*function)(void *data))
{
	pthread_t thread;

	sem_init(&it->ready, 0, 0);
	sem_init(&it->go, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, function, it), 0);
	return thread;
}

static void assert_cancelled(pthread_t thread)
{
	void *result;

	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
}

/* open and close are cancellation points. libc takes the child for the thread that is to be cancelled. */
static int open_and_close(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	return close(open("/", O_RDONLY)) < 0 ? -errno : 0;
}

static void *spawn_while_cancelled(void *data)
{
	struct cancelled *it = data;
	struct errpipe_spawn spawn = options(it->way);

	spawn.prepare = open_and_close;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	sem_post(&it->ready);
	sem_wait(&it->go);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);

	it->ret = errpipe_spawn(&it->child, &spawn, "/bin/true", x_argv, environ);
	it->returned = true;
	pthread_testcancel();
	return NULL;
}

/* errpipe_spawn() is not a cancellation point. Otherwise its descriptors would leak. */
START_TEST(a_cancelled_thread_spawns)
{
	struct cancelled it = { .way = _i };
	int before = open_descriptors();
	struct errpipe_report report;
	pthread_t thread = begin(&it, spawn_while_cancelled);

	sem_wait(&it.ready);
	pthread_cancel(thread);
	sem_post(&it.go);
	assert_cancelled(thread);
	ck_assert(it.returned);
	ck_assert_int_eq(it.ret, 0);
	report = finish(&it.child);
	assert_started(&report, 0);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static void *wait_to_be_cancelled(void *data)
{
	struct cancelled *it = data;

	it->tid = syscall(SYS_gettid);
	sem_post(&it->ready);
	it->ret = errpipe_wait(&it->child, &it->report);
	it->returned = true;
	return NULL;
}

START_TEST(a_thread_is_cancelled_as_it_waits)
{
	struct cancelled it = { .way = _i };
	int before = open_descriptors();
	struct leash leash;
	pthread_t thread;

	it.child = start_held(_i, &leash);
	thread = begin(&it, wait_to_be_cancelled);
	sem_wait(&it.ready);
	while (!sleeps(it.tid))
		sched_yield();
	pthread_cancel(thread);
	assert_cancelled(thread);
	ck_assert(!it.returned);

	ck_assert_int_eq(kill(it.child.pid, 0), 0);
	close(leash.fd[1]);
	ck_assert_int_eq(errpipe_wait(&it.child, &it.report), 0);
	assert_started(&it.report, 0);
	close(leash.fd[0]);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

enum { LONGEST_SPIN = 600000 };

/* The target exits with 125, which makes errpipe_wait() take a close look. */
static void cancel_a_wait(int way, int spin)
{
	struct cancelled it = { .way = way };
	const struct errpipe_spawn spawn = options(way);
	pthread_t thread;

	it.child = start(&spawn, starter, x_argv);
	thread = begin(&it, wait_to_be_cancelled);
	for (volatile int i = 0; i < spin; i++)
		;
	pthread_cancel(thread);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	if (!it.returned)
		it.ret = errpipe_wait(&it.child, &it.report);
	ck_assert_int_eq(it.ret, 0);
	assert_started(&it.report, 125 << 8);
}

START_TEST(a_thread_is_cancelled_at_any_moment)
{
	int before = open_descriptors(), count = rounds(3000);

	for (int i = 0; i < count; i++)
		cancel_a_wait(_i, i * (LONGEST_SPIN / count));
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static void *spawn_and_be_cancelled(void *data)
{
	char *argv[] = { act, (char *)"exit", (char *)"7", NULL };
	struct cancelled *it = data;
	struct errpipe_spawn spawn = options(it->way);

	spawn.prepare = ask;
	spawn.data = &it->turns;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	errpipe_spawn(&it->child, &spawn, act, argv, environ);
	pthread_testcancel();
	it->returned = true;
	return NULL;
}

/*
 * Cancellation may come at any instruction while the child uses the memory. It ends the thread and harms neither
 * child nor parent.
 */
START_TEST(a_thread_is_cancelled_as_it_spawns)
{
	struct cancelled it = { .way = _i };
	struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	char byte = 0;
	pthread_t thread;
	int status;

	make_turns(&it.turns);
	thread = begin(&it, spawn_and_be_cancelled);
	ck_assert_int_eq(read(it.turns.ask[0], &byte, 1), 1);
	pthread_cancel(thread);
	ck_assert_int_eq(write(it.turns.answer[1], &byte, 1), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!it.returned);
	ck_assert_int_gt(waitpid(-1, &status, 0), 0);
	ck_assert_int_eq(status, 7 << 8);

	report = run_act(&spawn, "exit", 8);
	assert_started(&report, 8 << 8);
}
END_TEST

/* --- refusals ----------------------------------------------------------------------------------------------- */

static int fail_with_edom(void *data, unsigned *step)
{
	(void)data;
	*step = 0x8001;
	return -EDOM;
}

/* Start one child of each kind. */
static void assert_all_works(int way)
{
	struct errpipe_spawn spawn = options(way);
	int before = open_descriptors();
	struct errpipe_report report = run_act(&spawn, "exit", 7);

	assert_started(&report, 7 << 8);
	report = run_plain(&spawn, starter);
	assert_started(&report, 125 << 8);
	report = run_plain(&spawn, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
	spawn.prepare = fail_with_edom;
	report = run_plain(&spawn, starter);
	assert_failed(&report, 0x8001, EDOM, 125);
	spawn.prepare = kill_myself;
	report = run_plain(&spawn, starter);
	assert_died(&report, SIGKILL);
	ck_assert_int_eq(open_descriptors(), before);
}

static void assert_pidfd(bool there)
{
	const struct errpipe_spawn spawn = options(DIRECT);
	struct errpipe_child child = start(&spawn, "/bin/true", x_argv);

	if (there)
		ck_assert_int_gt(child.pidfd, STDERR_FILENO);
	else
		ck_assert_int_eq(child.pidfd, -1);
	finish(&child);
}

/* The caller would become the target if it took a return value of 0 for being the child. */
static bool *has_returned;

static void without_clone3(int error)
{
	refuse(SYS_clone3, error, 0);
	assert_pidfd(true);
	for (int way = 0; way < WAYS; way++)
		assert_all_works(way);
	*has_returned = true;
}

START_TEST(clone3_is_refused)
{
	static const int errors[] = { ENOSYS, EPERM, EINVAL, 0 };

	has_returned = shared_memory(sizeof(*has_returned));
	in_child(without_clone3, errors[_i]);
	ck_assert(*has_returned);
}
END_TEST

static void without_pidfds(int i)
{
	(void)i;
	refuse(SYS_clone3, ENOSYS, 0);
	refuse(SYS_clone, EINVAL, CLONE_PIDFD);
	assert_pidfd(false);
	for (int way = 0; way < WAYS; way++)
		assert_all_works(way);
}

/*
 * Linux 5.2 and 5.3 lack P_PIDFD. It is 3 and P_PID is 1, so the filter looks for the bit of value 2. Moreover, poll(2)
 * of Linux 5.2 always reports a pidfd as ready.
 */
static void with_early_pidfds(int i)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct errpipe_report report;
	struct errpipe_child child;

	(void)i;
	refuse(SYS_waitid, EINVAL, 2);
	for (int way = 0; way < WAYS; way++)
		assert_all_works(way);

	child = fork_and_exec(ERRPIPE_NO_STUB, missing, sleep_a_little);
	ck_assert_int_eq(dup3(zero, child.pidfd, O_CLOEXEC), child.pidfd);
	report = finish(&child);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, RETURNED);
}

START_TEST(early_pidfds)
{
	in_child(with_early_pidfds, 0);
}
END_TEST

START_TEST(pidfds_are_refused)
{
	in_child(without_pidfds, 0);
}
END_TEST

static const int waitid_errors[] = { EPERM, ENOSYS, EINVAL, 0 };

static void without_waitid(int i)
{
	refuse(SYS_waitid, waitid_errors[i], 0);
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		struct errpipe_child child = start(&spawn, "/bin/true", x_argv);
		struct errpipe_report report;

		assert_all_works(way);
		ck_assert_int_eq(errpipe_settle(&child, &report), 0);
		ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		ck_assert_int_eq(report.status, -1);
		report = finish(&child);
		assert_started(&report, 0);

		child = start(&spawn, "/bin/true", x_argv);
		ck_assert_int_eq(wait_for(child.pid), 0);
		report = finish(&child);
		assert_unknown(&report);
	}
}

START_TEST(waitid_is_refused)
{
	in_child(without_waitid, _i);
}
END_TEST

/* Only waitpid(2) remains. A status that a stub cannot have is then the only proof that the target ran. */
static void without_waitid_and_pidfds(int i)
{
	refuse(SYS_waitid, waitid_errors[i], 0);
	refuse(SYS_clone3, ENOSYS, 0);
	refuse(SYS_clone, EINVAL, CLONE_PIDFD);
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);
		struct errpipe_report report = run_act(&spawn, "exit", 42);

		assert_started(&report, 42 << 8);
		report = run_act(&spawn, "exit", 127);
		ck_assert_int_eq(report.verdict, ERRPIPE_CLOSED);
		ck_assert_int_eq(report.status, 127 << 8);
		report = run_plain(&spawn, missing);
		assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT, 127);
	}
}

START_TEST(waitid_and_pidfds_are_refused)
{
	in_child(without_waitid_and_pidfds, _i);
}
END_TEST

static void without_any_clone(int i)
{
	static const int errors[] = { EAGAIN, ENOMEM, EPERM };

	refuse(SYS_clone3, errors[i], 0);
	refuse(SYS_clone, errors[i], 0);
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);

		assert_refused(&spawn, "/bin/true", x_argv, -errors[i]);
		fill_arguments((char *)"", 0, 1000);
		assert_refused(&spawn, "/bin/true", many_arguments, -errors[i]);
	}
}

START_TEST(every_clone_is_refused)
{
	in_child(without_any_clone, _i);
}
END_TEST

/* Some container profiles allow clone with a pidfd but refuse the calls that use the pidfd. */
static void without_pidfd_send_signal(int way)
{
	const struct errpipe_spawn spawn = options(way);
	struct forgery forgery = { .size = 16 };
	struct errpipe_report report;
	struct errpipe_child child;

	refuse(SYS_pidfd_send_signal, EPERM, 0);
	assert_all_works(way);
	child = start_forgery(&spawn, &forgery);
	report = finish(&child);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.status, SIGKILL);
}

START_TEST(pidfd_send_signal_is_refused)
{
	in_child(without_pidfd_send_signal, _i);
}
END_TEST

static void without_execveat(int error)
{
	const struct errpipe_spawn spawn = options(STUB_ONLY);
	struct errpipe_report report;

	refuse(SYS_execveat, error, 0);
	assert_all_works(STUB);
	if (error == EACCES) {
		report = run_plain(&spawn, starter);
		assert_failed(&report, ERRPIPE_STEP_STUB, error, 126);
	} else {
		assert_all_works(STUB_ONLY);
	}
}

START_TEST(execveat_is_refused)
{
	static const int errors[] = { ENOSYS, EPERM, EACCES, EBADF };

	in_child(without_execveat, errors[_i]);
}
END_TEST

static void without_memfd(int error)
{
	int before = open_descriptors();

	refuse(SYS_memfd_create, error, 0);
	ck_assert_int_eq(errpipe_stub(), -error);
	ck_assert_int_eq(open_descriptors(), before);
}

START_TEST(memfd_create_is_refused)
{
	static const int errors[] = { EACCES, ENOSYS, EPERM, EINVAL };

	in_child(without_memfd, errors[_i]);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------------------- */

/* Set a soft limit, so that it can be raised again and Check can write its results. Returns the old limit. */
static rlim_t set_limit(int resource, rlim_t value)
{
	struct rlimit limit;
	rlim_t old;

	getrlimit(resource, &limit);
	old = limit.rlim_cur;
	limit.rlim_cur = value;
	setrlimit(resource, &limit);
	return old;
}

static void no_processes(int way)
{
	const struct errpipe_spawn spawn = options(way);

	ck_assert_int_eq(become(AS_NOBODY), 0);
	set_limit(RLIMIT_NPROC, 0);
	assert_refused(&spawn, "/bin/true", x_argv, -EAGAIN);
}

START_TEST(no_more_processes)
{
	in_child(no_processes, _i);
}
END_TEST

/* Map the pages of the stack now: it cannot grow under the limit. */
__attribute__((noinline)) static void touch_stack(void)
{
	volatile char pages[96 * 1024];

	for (size_t i = 0; i < sizeof(pages); i += 1024)
		pages[i] = 0;
}

/* Only a long argv needs memory. */
START_TEST(no_more_memory)
{
	const struct errpipe_spawn spawn = options(_i);
	int before = open_descriptors(), ret;
	struct errpipe_child child;
	rlim_t old;

	fill_arguments((char *)"", 0, 1000);
	touch_stack();
	old = set_limit(RLIMIT_AS, 4096);
	ret = errpipe_spawn(&child, &spawn, starter, many_arguments, environ);
	set_limit(RLIMIT_AS, old);
	ck_assert_int_eq(ret, -ENOMEM);
	ck_assert_int_eq(child.pid, -1);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* The limit applies to the memfd of the stub, but not to pipes. */
START_TEST(no_files_of_any_size)
{
	struct errpipe_report started[WAYS] = { 0 }, failed[WAYS] = { 0 };
	struct errpipe_child child;
	int ret[WAYS][4], fd;
	rlim_t old;

	old = set_limit(RLIMIT_FSIZE, 0);
	for (int way = 0; way < WAYS; way++) {
		const struct errpipe_spawn spawn = options(way);

		ret[way][0] = errpipe_spawn(&child, &spawn, starter, x_argv, environ);
		ret[way][1] = errpipe_wait(&child, &started[way]);
		ret[way][2] = errpipe_spawn(&child, &spawn, missing, x_argv, environ);
		ret[way][3] = errpipe_wait(&child, &failed[way]);
	}
	fd = errpipe_stub();
	set_limit(RLIMIT_FSIZE, old);

	for (int way = 0; way < WAYS; way++) {
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(ret[way][i], 0);
		assert_started(&started[way], 125 << 8);
		assert_failed(&failed[way], ERRPIPE_STEP_EXEC, ENOENT, 127);
	}
	ck_assert_int_eq(fd, -EFBIG);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t size = read(in, bytes, sizeof(bytes));

	if (size <= 0 || write(out, bytes, size) != size) {
		perror(to);
		exit(1);
	}
	close(in);
	close(out);
}

static void write_text(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, "text\n", 5) != 5) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/* The starter is a small static program: the stub under a name that does not look like one. */
static void make_directory(void)
{
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0) {
		perror(directory);
		exit(1);
	}
	snprintf(starter, sizeof(starter), "%s/starter", directory);
	snprintf(text_file, sizeof(text_file), "%s/text", directory);
	snprintf(plain_file, sizeof(plain_file), "%s/plain", directory);
	snprintf(missing, sizeof(missing), "%s/missing", directory);
	copy_file(built_path("dmz"), starter);
	write_text(text_file, 0755);
	write_text(plain_file, 0644);
}

static void remove_directory(void)
{
	unlink(starter);
	unlink(text_file);
	unlink(plain_file);
	rmdir(directory);
}

/*
 * Valgrind cannot exec a memfd, so the stub is a file under Valgrind.
 *
 * Under Valgrind children do not share the memory of their parent, and the parent does not wait for their exec. They
 * also have descriptors and signals of Valgrind's own. Tests that depend on these things are left out.
 */
static int open_stub(void)
{
	return under_valgrind() ? open(built_path("dmz"), O_PATH | O_CLOEXEC) : errpipe_stub();
}

static TCase *add_tcase(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	return tc;
}

static void add_outcomes(Suite *suite)
{
	TCase *tc = add_tcase(suite, "outcomes");

	tcase_add_loop_test(tc, an_exit_code, 0, COUNT(exit_codes));
	tcase_add_loop_test(tc, a_signal, 0, COUNT(signals));
	tcase_add_loop_test(tc, a_failure, 0, COUNT(failures));
	tcase_add_loop_test(tc, the_exit_code_of_a_failure, 0, COUNT(failures));
	tcase_add_test(tc, without_options);
	tcase_add_loop_test(tc, without_environment, 0, WAYS);
	tcase_add_loop_test(tc, without_arguments, 0, WAYS);
	tcase_add_loop_test(tc, many_arguments_arrive, 0, 7);
	tcase_add_test(tc, the_route_is_told);
	tcase_add_test(tc, a_path_for_the_direct_route);
	tcase_add_test(tc, a_stub_that_there_is_not);
	tcase_add_loop_test(tc, unknown_flags, 0, 32);
	tcase_add_loop_test(tc, no_path_or_no_argv, 0, WAYS);
	if (!under_valgrind())
		tcase_add_loop_test(tc, a_stub_that_cannot_be_executed, 0, 2);
}

static void add_waiting(Suite *suite)
{
	TCase *tc = add_tcase(suite, "waiting");

	tcase_add_loop_test(tc, a_child, 0, WAYS);
	tcase_add_loop_test(tc, a_child_that_was_adopted, 0, WAYS);
	tcase_add_test(tc, a_child_that_is_called_like_a_stub);
	tcase_add_loop_test(tc, a_child_that_was_adopted_without_a_pidfd, 0, WAYS);
	tcase_add_loop_test(tc, a_report_that_was_read_before, 0, WAYS);
	tcase_add_test(tc, an_event_loop);
	tcase_add_loop_test(tc, a_copy_of_the_write_end, 0, WAYS);
	tcase_add_loop_test(tc, a_copy_of_the_write_end_and_no_pidfd, 0, WAYS * 2);
	tcase_add_loop_test(tc, a_copy_of_the_write_end_and_a_tracer, 0, WAYS);
	tcase_add_loop_test(tc, a_copy_of_the_write_end_and_a_failure, 0, WAYS);
	tcase_add_loop_test(tc, a_copy_of_the_write_end_and_a_death, 0, WAYS);
	if (!under_valgrind())
		tcase_add_loop_test(tc, a_fork_by_another_thread, 0, WAYS);
}

static void add_setup(Suite *suite)
{
	TCase *tc = add_tcase(suite, "set-up");

	tcase_add_loop_test(tc, set_up_concerns_the_target_only, 0, WAYS);
	tcase_add_loop_test(tc, set_up_fails, 0, COUNT(failing));
	tcase_add_loop_test(tc, set_up_has_all_signals_blocked, 0, WAYS);
}

static void add_process(Suite *suite)
{
	TCase *tc = add_tcase(suite, "process");

	tcase_add_loop_test(tc, streams_that_are_closed, 0, 8);
	tcase_add_test(tc, reaped_by_somebody_else);
	tcase_add_loop_test(tc, a_parent_without_zombies, 0, COUNT(without_zombies));
	tcase_add_loop_test(tc, a_parent_that_adopts, 0, WAYS);
	if (under_valgrind())
		return;
	tcase_add_loop_test(tc, room_for_few_descriptors, 0, 9);
	tcase_add_loop_test(tc, a_pidfd_that_has_no_room, 0, WAYS);
	tcase_add_loop_test(tc, every_signal, 0, MASKS);
	tcase_add_loop_test(tc, every_signal_without_clone3, 0, MASKS);
	tcase_add_loop_test(tc, no_handler_runs_in_the_child, 0, WAYS);
	tcase_add_loop_test(tc, no_handler_runs_in_the_child_without_clone3, 0, WAYS);
	tcase_add_loop_test(tc, memory_is_given_back, 0, WAYS);
}

/* AddressSanitizer reports false errors for the frames that a cancelled thread left on its stack. */
#ifdef __SANITIZE_ADDRESS__
#define THREADS_CAN_BE_CANCELLED 0
#else
#define THREADS_CAN_BE_CANCELLED 1
#endif

static void add_cancellation(TCase *tc)
{
	if (!THREADS_CAN_BE_CANCELLED)
		return;
	tcase_add_loop_test(tc, a_cancelled_thread_spawns, 0, WAYS);
	tcase_add_loop_test(tc, a_thread_is_cancelled_as_it_waits, 0, WAYS);
	tcase_add_loop_test(tc, a_thread_is_cancelled_at_any_moment, 0, WAYS);
	tcase_add_loop_test(tc, a_thread_is_cancelled_as_it_spawns, 0, WAYS);
}

static void add_threads(Suite *suite)
{
	TCase *tc = add_tcase(suite, "threads");

	tcase_add_loop_test(tc, many_arguments_and_a_small_stack, 0, WAYS);
	if (under_valgrind())
		return;
	tcase_add_test(tc, eight_threads);
	tcase_add_test(tc, sixty_four_threads);
	add_cancellation(tc);
}

static void add_refusals(Suite *suite)
{
	TCase *tc = add_tcase(suite, "refusals");

	tcase_add_loop_test(tc, clone3_is_refused, 0, 4);
	tcase_add_test(tc, pidfds_are_refused);
	tcase_add_test(tc, early_pidfds);
	tcase_add_loop_test(tc, waitid_is_refused, 0, COUNT(waitid_errors));
	tcase_add_loop_test(tc, waitid_and_pidfds_are_refused, 0, COUNT(waitid_errors));
	tcase_add_loop_test(tc, every_clone_is_refused, 0, 3);
	tcase_add_loop_test(tc, pidfd_send_signal_is_refused, 0, WAYS);
	tcase_add_loop_test(tc, memfd_create_is_refused, 0, 4);
	tcase_add_loop_test(tc, no_more_processes, 0, WAYS);
	tcase_add_loop_test(tc, no_more_memory, STUB, WAYS);
	tcase_add_test(tc, no_files_of_any_size);
	if (!under_valgrind())
		tcase_add_loop_test(tc, execveat_is_refused, 0, 4);
}

int main(void)
{
	const struct rlimit no_core = { 0, 0 };
	Suite *suite = suite_create("spawn");
	int failed;

	setrlimit(RLIMIT_CORE, &no_core);
	make_directory();
	act = built_path("tests/prog_act");
	expect = built_path("tests/prog_expect");
	stub = open_stub();

	add_outcomes(suite);
	add_waiting(suite);
	add_setup(suite);
	add_process(suite);
	add_threads(suite);
	add_refusals(suite);

	failed = run_suite(suite);
	remove_directory();
	return failed;
}

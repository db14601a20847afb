/* SPDX-License-Identifier: MIT */
/*
 * The verdict on children that end too early, or only just late enough. Independent witnesses confirm it: the kernel
 * through ptrace(2), and the target through a byte that it writes.
 *
 * rounds.h decides how many rounds random tests run.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
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

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { DIRECT, STUB, ROUTES };

static int stub = -1;
static char directory[] = "/tmp/errpipe-verdict.XXXXXX";
static char starter[64], missing[64];
static char *act;

/* --- one child ---------------------------------------------------------------------------------------------- */

static struct errpipe_spawn options(int route)
{
	return (struct errpipe_spawn){
		.stub = route == STUB ? stub : ERRPIPE_NO_STUB,
		.flags = route == STUB ? ERRPIPE_STUB_ONLY : 0,
	};
}

static void assert_verdict(const struct errpipe_report *report, enum errpipe_verdict verdict, int status)
{
	ck_assert_int_eq(report->verdict, verdict);
	ck_assert_int_eq(report->status, status);
	ck_assert_int_eq(report->error, 0);
	ck_assert_uint_eq(report->step, 0);
}

/* The child may have been killed before it exits by itself. */
static void assert_failed(const struct errpipe_report *report, unsigned step, int error)
{
	ck_assert_int_eq(report->verdict, step == ERRPIPE_STEP_EXEC ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED);
	ck_assert_uint_eq(report->step, step);
	ck_assert_int_eq(report->error, error);
	ck_assert_int_ne(report->status, -1);
}

/* --- files -------------------------------------------------------------------------------------------------- */

static size_t read_stub(unsigned char *bytes, size_t size)
{
	int fd = open(built_path("dmz"), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, size);

	close(fd);
	return n < 0 ? 0 : n;
}

static const char *in_directory(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void write_program(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/*
 * The starter is a small static program: the stub under a name that does not look like one. Without arguments it
 * exits with 125. Given a descriptor, "" and a name it fails to exec "". It then writes 16 bytes to that descriptor
 * and exits with 127.
 */
static void write_starter(const char *path, mode_t mode)
{
	unsigned char bytes[4096];

	write_program(path, bytes, read_stub(bytes, sizeof(bytes)), mode);
}

/* --- all five verdicts -------------------------------------------------------------------------------------- */

static int kill_myself(void *data, unsigned *step)
{
	(void)step;
	return kill(getpid(), *(int *)data) < 0 ? -errno : 0;
}

static int fail_as_told(void *data, unsigned *step)
{
	*step = 0x8007;
	return *(int *)data;
}

static int exit_early(void *data, unsigned *step)
{
	(void)step;
	_exit(*(int *)data);
}

static int trap(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	__builtin_trap();
}

START_TEST(every_verdict)
{
	int number = -EDOM, signals[] = { SIGKILL, SIGSEGV, SIGTERM }, exits[] = { 125, 126, 127, 0, 1, 255 };
	struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report = run_plain(&spawn, "/bin/true");
	struct errpipe_child child;

	assert_verdict(&report, ERRPIPE_STARTED, 0);
	report = run_plain(&spawn, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT);

	child = start(&spawn, "/bin/true", (char *[]){ (char *)"true", NULL });
	wait_for(child.pid);
	report = finish(&child);
	assert_verdict(&report, ERRPIPE_CLOSED, -1);

	spawn.prepare = fail_as_told;
	spawn.data = &number;
	report = run_plain(&spawn, "/bin/true");
	assert_failed(&report, 0x8007, EDOM);

	for (int i = 0; i < 3; i++) {
		spawn.prepare = kill_myself;
		spawn.data = &signals[i];
		report = run_plain(&spawn, "/bin/true");
		assert_verdict(&report, ERRPIPE_DIED, signals[i]);
	}
	for (int i = 0; i < 6; i++) {
		spawn.prepare = exit_early;
		spawn.data = &exits[i];
		report = run_plain(&spawn, "/bin/true");
		assert_verdict(&report, ERRPIPE_DIED, exits[i] << 8);
	}

	spawn.prepare = trap;
	report = run_plain(&spawn, "/bin/true");
	ck_assert_int_eq(report.verdict, ERRPIPE_DIED);
	ck_assert(WIFSIGNALED(report.status));
}
END_TEST

/* --- killed at every stop ----------------------------------------------------------------------------------- */

/*
 * A tracer stops the child at each system call, or at each instruction from its first exec on. It sends the signal at
 * one of these stops. It sees the execs itself and therefore knows the true verdict. Another process spawns the
 * child, waits for it and records the result.
 */
struct chase {
	int route, signal;
	bool by_instruction;
	int stop; /* where to send the signal */

	int pid[2], go[2]; /* from and to the set-up */

	int execs;   /* how many the tracer saw */
	bool beyond; /* the target was running before the signal */

	int spawned, read, waited; /* the return values */
	struct errpipe_report at_once, settled;
};

static int wait_for_the_tracer(void *data, unsigned *step)
{
	const struct chase *chase = data;
	pid_t pid = getpid();
	char byte;

	(void)step;
	if (write(chase->pid[1], &pid, sizeof(pid)) < 0 || read(chase->go[0], &byte, 1) < 0)
		return -errno;
	return 0;
}

static void spawn_and_wait(struct chase *chase)
{
	char *argv[] = { (char *)"true", NULL };
	struct errpipe_spawn spawn = options(chase->route);
	struct errpipe_child child;

	spawn.prepare = wait_for_the_tracer;
	spawn.data = chase;
	chase->spawned = errpipe_spawn(&child, &spawn, "/bin/true", argv, environ);
	chase->read = errpipe_read_child(&child, &chase->at_once);
	errpipe_look(&child, &chase->at_once);
	chase->waited = errpipe_wait(&child, &chase->settled);
}

static bool is_exec(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

/* Returns 0 for a stop of ptrace's own. Other stops announce a signal, which must be passed on. */
static int signal_of(int status)
{
	int signal = WSTOPSIG(status);

	return signal == SIGTRAP || signal == (SIGTRAP | 0x80) || status >> 16 ? 0 : signal;
}

static pid_t seize(struct chase *chase)
{
	const long traced = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	char byte = 0;
	pid_t pid;

	ck_assert_int_eq(read(chase->pid[0], &pid, sizeof(pid)), sizeof(pid));
	ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, NULL, traced), 0);
	ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	ck_assert(WIFSTOPPED(wait_for(pid)));
	ck_assert_int_eq(write(chase->go[1], &byte, 1), 1);
	return pid;
}

static int how_to_go_on(const struct chase *chase, int stop)
{
	if (stop >= chase->stop)
		return PTRACE_CONT;
	return chase->by_instruction && chase->execs ? PTRACE_SINGLESTEP : PTRACE_SYSCALL;
}

static int execs_to_target(const struct chase *chase)
{
	return chase->route == STUB ? 2 : 1;
}

/* When stepping by instruction, count stops only from the first exec on. */
static void follow(struct chase *chase, pid_t pid)
{
	int stop = 0, status = 0;

	while (1) {
		if (stop == chase->stop) {
			chase->beyond = chase->execs == execs_to_target(chase);
			kill(pid, chase->signal);
		}
		if (ptrace(how_to_go_on(chase, stop), pid, NULL, (long)signal_of(status)) < 0)
			ck_assert_int_eq(errno, ESRCH); /* killed while it was stopped */
		status = wait_for(pid);
		if (!WIFSTOPPED(status))
			return;
		chase->execs += is_exec(status);
		if (!chase->by_instruction || chase->execs)
			stop++;
	}
}

/* Returns true if the target was running before the signal came. */
static bool chase_to(struct chase *chase)
{
	enum errpipe_verdict truth;
	pid_t pid, spawner;

	chase->execs = 0;
	chase->settled.verdict = 0;
	make_pipe(chase->pid);
	make_pipe(chase->go);
	fflush(NULL);
	spawner = fork();
	ck_assert_int_ge(spawner, 0);
	if (spawner == 0) {
		spawn_and_wait(chase);
		_exit(0);
	}
	pid = seize(chase);
	follow(chase, pid);
	ck_assert_int_eq(wait_for(spawner), 0);
	for (int i = 0; i < 2; i++) {
		close(chase->pid[i]);
		close(chase->go[i]);
	}

	truth = chase->execs == execs_to_target(chase) ? ERRPIPE_STARTED : ERRPIPE_DIED;
	ck_assert_int_eq(chase->spawned, 0);
	ck_assert_int_eq(chase->read, 1);
	ck_assert_msg(chase->at_once.verdict == truth, "at once, stop %d: %d", chase->stop, chase->at_once.verdict);
	ck_assert_int_eq(chase->waited, 0);
	ck_assert_msg(chase->settled.verdict == truth, "settled, stop %d: %d", chase->stop, chase->settled.verdict);
	ck_assert_int_eq(chase->settled.status, chase->signal);
	return chase->beyond;
}

/* Try one stop after the other, until the signal came after the exec of the target several times. */
START_TEST(killed_at_every_stop)
{
	static const int signals[] = { SIGKILL, SIGSEGV };
	struct chase *chase = shared_memory(sizeof(*chase));
	int died = 0, started = 0;

	chase->route = _i % 2;
	chase->by_instruction = _i / 2 % 2;
	chase->signal = signals[_i / 4];
	for (chase->stop = 0; started < 5; chase->stop++) {
		if (chase_to(chase))
			started++;
		else
			died++;
	}
	ck_assert_int_gt(died, chase->by_instruction ? 1 - (_i % 2 == DIRECT) : 5);
}
END_TEST

/* --- killed at any moment ----------------------------------------------------------------------------------- */

/* One thread spawns children and another one kills them. */
struct hunt {
	int route;
	int proof[2]; /* the target writes to it as early as it can */
	int notes;    /* inotify events of the target's file */

	volatile pid_t *pid; /* shared: set by the child, and reset by the killer once it has killed */
	volatile long spin;  /* how long the killer waits, in loop iterations */
	volatile bool over;

	long limit; /* of spin */
	unsigned random;
	int died, started, proved;
};

static int publish(void *data, unsigned *step)
{
	const struct hunt *hunt = data;

	(void)step;
	__atomic_store_n(hunt->pid, getpid(), __ATOMIC_RELEASE);
	return 0;
}

/* The child is reaped only after the killer is done, so the number still belongs to the child. */
static void *kill_them(void *data)
{
	struct hunt *hunt = data;

	while (!__atomic_load_n(&hunt->over, __ATOMIC_ACQUIRE)) {
		pid_t pid = __atomic_load_n(hunt->pid, __ATOMIC_ACQUIRE);

		if (pid == 0) {
			sched_yield();
			continue;
		}
		for (volatile long i = 0; i < hunt->spin; i++)
			;
		kill(pid, SIGKILL);
		__atomic_store_n(hunt->pid, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

static unsigned any_number(struct hunt *hunt)
{
	return hunt->random = hunt->random * 1103515245 + 12345;
}

static bool take(int fd)
{
	char bytes[4096];

	return read(fd, bytes, sizeof(bytes)) > 0;
}

/* The verdict must agree with the evidence from the target. Its file is opened before its exec. */
static void judge(struct hunt *hunt, const struct errpipe_report *report, bool proved, bool opened)
{
	ck_assert(report->verdict == ERRPIPE_DIED || report->verdict == ERRPIPE_STARTED);
	if (proved)
		ck_assert_int_eq(report->verdict, ERRPIPE_STARTED);
	if (report->verdict == ERRPIPE_STARTED)
		ck_assert(opened);
	if (report->verdict == ERRPIPE_DIED || report->status != 127 << 8)
		ck_assert_int_eq(report->status, SIGKILL);

	hunt->died += report->verdict == ERRPIPE_DIED;
	hunt->started += report->verdict == ERRPIPE_STARTED && !proved;
	hunt->proved += proved;
	/* Move the next kill toward the decisive moment, however fast the machine is. */
	hunt->limit += report->verdict == ERRPIPE_DIED ? hunt->limit / 16 + 16 : -(hunt->limit / 16);
}

static void hunt_one(struct hunt *hunt)
{
	char fd[16];
	char *argv[] = { (char *)"starter", fd, (char *)"", (char *)"x", NULL };
	struct errpipe_spawn spawn = options(hunt->route);
	struct errpipe_report at_once = { 0 }, report;
	struct errpipe_child child;

	snprintf(fd, sizeof(fd), "%d", hunt->proof[1]);
	/* Times of all magnitudes: the target's first write can come long after its exec. */
	hunt->spin = (long)(any_number(hunt) % (unsigned long)(2 * hunt->limit + 1)) << (any_number(hunt) >> 16 & 7);
	spawn.prepare = publish;
	spawn.data = hunt;
	child = start(&spawn, starter, argv);
	if (any_number(hunt) & 0x10000) {
		ck_assert_int_eq(errpipe_read_child(&child, &at_once), 1);
		ck_assert_int_eq(errpipe_look(&child, &at_once), 0);
	}
	while (__atomic_load_n(hunt->pid, __ATOMIC_ACQUIRE))
		sched_yield();
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	if (at_once.verdict)
		ck_assert_int_eq(report.verdict, at_once.verdict);
	judge(hunt, &report, take(hunt->proof[0]), take(hunt->notes));
}

static void begin_hunt(struct hunt *hunt)
{
	ck_assert_int_eq(pipe2(hunt->proof, O_NONBLOCK), 0);
	hunt->notes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	ck_assert_int_ge(inotify_add_watch(hunt->notes, starter, IN_OPEN), 0);
	hunt->pid = shared_memory(sizeof(*hunt->pid));
}

/* A short hunt may last longer, until it has seen all three outcomes. */
static bool hunt_goes_on(const struct hunt *hunt)
{
	int count = hunt->died + hunt->started + hunt->proved, enough = rounds(10000) / ROUTES;
	bool all = hunt->died && hunt->started && hunt->proved;

	return count < enough || (!all && count < enough * 20);
}

START_TEST(killed_at_any_moment)
{
	struct hunt hunt = { .route = _i, .limit = 1000, .random = 1 };
	pthread_t thread;

	begin_hunt(&hunt);
	ck_assert_int_eq(pthread_create(&thread, NULL, kill_them, &hunt), 0);
	while (hunt_goes_on(&hunt))
		hunt_one(&hunt);
	__atomic_store_n(&hunt.over, true, __ATOMIC_RELEASE);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	if (getenv("ERRPIPE_VERBOSE"))
		fprintf(stderr, "died %d, started %d, proved %d\n", hunt.died, hunt.started, hunt.proved);
	ck_assert_int_gt(hunt.died, 0);
	ck_assert_int_gt(hunt.started, 0);
	ck_assert_int_gt(hunt.proved, 0);
}
END_TEST

/* --- targets that end at once ------------------------------------------------------------------------------- */

static const struct {
	const char *verb, *number;
	int status;
} short_lives[] = {
	{ "exit", "125", 125 << 8 }, { "exit", "126", 126 << 8 }, { "exit", "127", 127 << 8 },
	{ "kill", "11", SIGSEGV },   { "kill", "9", SIGKILL },
};

START_TEST(a_target_ends_at_once)
{
	const char *verb = short_lives[_i / 2].verb, *number = short_lives[_i / 2].number;
	char *argv[] = { act, (char *)verb, (char *)number, NULL };
	const struct errpipe_spawn spawn = options(_i % 2);

	for (int i = 0; i < rounds(500); i++) {
		struct errpipe_child child = start(&spawn, act, argv);
		struct errpipe_report report;

		if (i % 2) {
			ck_assert_int_eq(errpipe_read_child(&child, &report), 1);
			ck_assert_int_eq(errpipe_look(&child, &report), 0);
			ck_assert_int_eq(report.verdict, ERRPIPE_STARTED);
		}
		ck_assert_int_eq(errpipe_wait(&child, &report), 0);
		assert_verdict(&report, ERRPIPE_STARTED, short_lives[_i / 2].status);
	}
}
END_TEST

/* Whether there is a core dump depends on the machine. The status must always equal that of waitpid(2). */
START_TEST(a_target_that_dumps_core)
{
	char apart[PATH_MAX], remove_it[PATH_MAX + 16];
	char *argv[] = {
		(char *)"/bin/sh",
		(char *)"-c",
		(char *)"mkdir -p \"$1\" && cd \"$1\" && { ulimit -c $(ulimit -Hc); kill -SEGV $$; } 2>/dev/null",
		(char *)"sh",
		apart,
		NULL
	};
	const struct errpipe_spawn spawn = options(_i);
	struct errpipe_report report;
	struct errpipe_child child;
	int status;
	pid_t pid;

	snprintf(apart, sizeof(apart), "%s", in_directory("core"));
	snprintf(remove_it, sizeof(remove_it), "rm -r '%s'", apart);
	pid = fork();
	if (pid == 0) {
		execv(*argv, argv);
		_exit(99);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);

	child = start(&spawn, *argv, argv);
	ck_assert_int_eq(errpipe_wait(&child, &report), 0);
	assert_verdict(&report, ERRPIPE_STARTED, status);
	ck_assert_int_eq(system(remove_it), 0);
}
END_TEST

/* Use the smallest target, because it ends as early as possible. */
START_TEST(a_small_target_ends_at_once)
{
	const struct errpipe_spawn spawn = options(_i);

	for (int i = 0; i < rounds(2000); i++) {
		const struct errpipe_report report = run_plain(&spawn, starter);

		assert_verdict(&report, ERRPIPE_STARTED, 125 << 8);
	}
}
END_TEST

/* Images that the kernel kills while it loads them. At that point execve can no longer return an error. */
enum { FILE_SIZE, NO_LOAD, ADDRESS_0, MISALIGNED, IMAGES };

static void spoil(unsigned char *bytes, int how)
{
	const ElfW(Ehdr) *header = (void *)bytes;
	ElfW(Phdr) *segment = (void *)(bytes + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++, segment++) {
		if (segment->p_type != PT_LOAD)
			continue;
		if (how == FILE_SIZE)
			segment->p_filesz = segment->p_memsz + 1;
		else if (how == NO_LOAD)
			segment->p_type = PT_NULL;
		else if (how == ADDRESS_0)
			segment->p_vaddr = 0;
		else
			segment->p_vaddr += 1;
	}
}

START_TEST(an_image_that_the_kernel_kills)
{
	unsigned char bytes[4096] __attribute__((aligned(16)));
	size_t size = read_stub(bytes, sizeof(bytes));
	const struct errpipe_spawn spawn = options(_i % 2);
	const char *path = in_directory("image");
	struct errpipe_report report;

	spoil(bytes, _i / 2);
	unlink(path);
	write_program(path, bytes, size, 0755);
	report = run_plain(&spawn, path);
	unlink(path);
	assert_verdict(&report, ERRPIPE_STARTED, SIGSEGV);
}
END_TEST

/* Targets whose names look like the stub's, or like another field of /proc/PID/stat. */
static const char *const names[] = {
	"dmz2",
	"dm",
	"DMZ",
	"dmz ",
	"dmz)",
	"(dmz)",
	") Z 1",
	"a b",
	"new\nline",
	"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
	"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
	"dmz",
	"memfd:dmz",
	"memfd:dmz-",
	"memfd:dmz-stub",
	"memfd:dmz-stubs",
	"memfd:dmz-stubborn",
	"dmz-stub",
	"\xff\xfe",
	"7a",
	"fifteen-letters",
	"more-than-fifteen-letters",
};

START_TEST(a_target_with_a_name)
{
	const struct errpipe_spawn spawn = options(_i % 2);
	const char *path = in_directory(names[_i / 2]);
	struct errpipe_report report;

	write_starter(path, 0755);
	report = run_plain(&spawn, path);
	unlink(path);
	assert_verdict(&report, ERRPIPE_STARTED, 125 << 8);
}
END_TEST

/*
 * The header documents that on the route STUB such targets look like the stub. The number of a descriptor may also be
 * the name of a stub.
 */
static void check_look_alike(const char *name, int stub, enum errpipe_verdict verdict)
{
	const struct errpipe_spawn spawn = { .stub = stub, .flags = stub == ERRPIPE_NO_STUB ? 0 : ERRPIPE_STUB_ONLY };
	const char *path = in_directory(name);
	struct errpipe_report report;

	write_starter(path, 0755);
	report = run_plain(&spawn, path);
	unlink(path);
	assert_verdict(&report, verdict, 125 << 8);
}

START_TEST(a_target_that_looks_like_the_stub)
{
	char path[PATH_MAX];
	int file = open(built_path("dmz"), O_PATH | O_CLOEXEC);

	check_look_alike("7", stub, ERRPIPE_CLOSED);
	check_look_alike("7", file, ERRPIPE_CLOSED);
	check_look_alike("7", ERRPIPE_NO_STUB, ERRPIPE_STARTED);

	check_look_alike("dmz", file, ERRPIPE_CLOSED);
	check_look_alike("dmz2", file, ERRPIPE_STARTED);
	check_look_alike("dmz", ERRPIPE_NO_STUB, ERRPIPE_STARTED);

	path_behind(stub, path);
	path[strcspn(path, " ")] = '\0';
	check_look_alike(path + 1, stub, ERRPIPE_DIED);
	check_look_alike(path + 1, file, ERRPIPE_STARTED);
	check_look_alike(path + 1, ERRPIPE_NO_STUB, ERRPIPE_STARTED);
	close(file);
}
END_TEST

/* A target that ends in a stub of its own did run. */
enum { OWN_FILE, OWN_MEMFD, OWN };

static const char own_stub_option[] = "--through-a-stub-of-its-own";

static void go_through_own_stub(void)
{
	char *argv[] = { (char *)"missing", NULL };

	errpipe_exec(errpipe_stub(), 0, open("/dev/null", O_WRONLY | O_CLOEXEC), "/missing", argv, environ);
	_exit(1);
}

START_TEST(a_target_with_a_stub_of_its_own)
{
	char *by_file[] = { (char *)"dmz", (char *)"2", (char *)"", (char *)"x", NULL };
	char *by_memfd[] = { (char *)"check_verdict", (char *)own_stub_option, NULL };
	const struct errpipe_spawn spawn = options(_i % 2);

	for (int i = 0; i < rounds(300); i++) {
		const struct errpipe_report report =
			_i / 2 == OWN_FILE ? run(&spawn, built_path("dmz"), by_file)
					   : run(&spawn, built_path("tests/check_verdict"), by_memfd);

		assert_verdict(&report, ERRPIPE_STARTED, 127 << 8);
	}
}
END_TEST

/* --- readers that cannot look ------------------------------------------------------------------------------- */

static void assert_all_is_seen(int route)
{
	int number = SIGKILL;
	struct errpipe_spawn spawn = options(route);
	struct errpipe_report report = run_plain(&spawn, starter);

	assert_verdict(&report, ERRPIPE_STARTED, 125 << 8);
	report = run_plain(&spawn, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT);
	spawn.prepare = kill_myself;
	spawn.data = &number;
	report = run_plain(&spawn, starter);
	assert_verdict(&report, ERRPIPE_DIED, SIGKILL);
}

/* Verdicts that do not require a look at the process are still known. */
static void assert_nothing_is_seen(int route)
{
	int number = SIGKILL;
	struct errpipe_spawn spawn = options(route);
	struct errpipe_report report = run_plain(&spawn, starter);

	assert_verdict(&report, ERRPIPE_CLOSED, 125 << 8);
	report = run_plain(&spawn, "/bin/true");
	assert_verdict(&report, ERRPIPE_STARTED, 0);
	report = run_plain(&spawn, missing);
	assert_failed(&report, ERRPIPE_STEP_EXEC, ENOENT);
	spawn.prepare = kill_myself;
	spawn.data = &number;
	report = run_plain(&spawn, starter);
	assert_verdict(&report, ERRPIPE_CLOSED, SIGKILL);
}

/* Other namespaces, and the file system to mount at /proc in them. NULL keeps the old /proc. */
struct world {
	int namespaces;
	const char *proc, *options;
};

enum { NO_SUCH_WORLD = 77 };

static void enter_and_check(const struct world *world, void (*check)(int i), int i)
{
	if (world->proc && mount(world->proc, "/proc", world->proc, 0, world->options) < 0)
		_exit(NO_SUCH_WORLD);
	check(i);
	_exit(0);
}

/* The first child is in the new pid namespace, if there is one. Returns 0 or NO_SUCH_WORLD. */
static int in_world(const struct world *world, void (*check)(int i), int i)
{
	int namespaces = world->namespaces | (geteuid() == 0 ? 0 : CLONE_NEWUSER), status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (unshare(namespaces) < 0)
			_exit(NO_SUCH_WORLD);
		if (namespaces & CLONE_NEWNS && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(NO_SUCH_WORLD);
		pid = fork();
		if (pid == 0)
			enter_and_check(world, check, i);
		status = wait_for(pid);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	status = wait_for(pid);
	if (status != NO_SUCH_WORLD << 8)
		ck_assert_int_eq(status, 0);
	return WEXITSTATUS(status);
}

START_TEST(a_pid_namespace)
{
	static const struct world world = { .namespaces = CLONE_NEWPID };

	if (in_world(&world, assert_nothing_is_seen, _i) == NO_SUCH_WORLD)
		SKIP(needs_namespaces());
}
END_TEST

/*
 * Outside the namespace another process has the same number as the child. The parents of both also have the same
 * number. The process outside never exec'd.
 */
struct double_life {
	int hold[2];
	pid_t *pid; /* shared */
};

static struct double_life double_life;

static void be_an_orphan(const struct double_life *life)
{
	char byte;

	close(life->hold[1]);
	*life->pid = getpid();
	_exit(read(life->hold[0], &byte, 1) != 0);
}

static void make_orphan(struct double_life *life)
{
	pid_t pid;

	make_pipe(life->hold);
	life->pid = shared_memory(sizeof(*life->pid));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			be_an_orphan(life);
		*life->pid = pid;
		_exit(pid < 0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	pid_t parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	if (file)
		fclose(file);
	return parent;
}

/* Choose the next pid in our own pid namespace. That works even if /proc belongs to another one. */
static bool choose_next_pid(pid_t pid)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && dprintf(fd, "%d", (int)pid - 1) > 0;

	close(fd);
	return done;
}

static void assert_no_mistake(int route)
{
	char *argv[] = { starter, NULL };
	const struct errpipe_spawn spawn = options(route);
	struct errpipe_child child;
	struct errpipe_report report;

	ck_assert_int_eq(getpid(), 1);
	if (!choose_next_pid(*double_life.pid))
		_exit(NO_SUCH_WORLD);
	child = start(&spawn, starter, argv);
	ck_assert_int_eq(child.pid, *double_life.pid);
	report = finish(&child);
	assert_verdict(&report, ERRPIPE_CLOSED, 125 << 8);
}

START_TEST(a_pid_that_means_another_outside)
{
	static const struct world world = { .namespaces = CLONE_NEWPID };

	make_orphan(&double_life);
	if (parent_of(*double_life.pid) != 1)
		SKIP("needs orphans-of-init");
	if (in_world(&world, assert_no_mistake, _i) == NO_SUCH_WORLD)
		SKIP(needs_namespaces());
}
END_TEST

static void as_pid_1(int route)
{
	ck_assert_int_eq(getpid(), 1);
	assert_all_is_seen(route);
}

START_TEST(a_pid_namespace_with_its_proc)
{
	static const struct world world = { CLONE_NEWPID | CLONE_NEWNS, "proc", NULL };

	if (in_world(&world, as_pid_1, _i) == NO_SUCH_WORLD)
		SKIP(needs_namespaces());
}
END_TEST

START_TEST(no_proc)
{
	static const struct world world = { CLONE_NEWNS, "tmpfs", NULL };

	if (in_world(&world, assert_nothing_is_seen, _i) == NO_SUCH_WORLD)
		SKIP(needs_namespaces());
}
END_TEST

/*
 * With hidepid a user sees only processes of the same user. A child that became another user is hidden.
 *
 * Some kernels also hide zombies that were not dumpable. A process is not dumpable after it changed its user, unless
 * it sets PR_SET_DUMPABLE.
 */
static void as_nobody(int route)
{
	const struct errpipe_spawn spawn = options(route);
	const char *path = in_directory("set-uid");
	struct errpipe_report report;

	ck_assert_int_eq(become(AS_NOBODY), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	assert_all_is_seen(route);
	report = run_plain(&spawn, path);
	assert_verdict(&report, ERRPIPE_CLOSED, 125 << 8);
}

START_TEST(a_proc_that_hides)
{
	static const struct world world = { CLONE_NEWNS, "proc", "hidepid=2" };
	struct statvfs fs;

	if (geteuid() != 0)
		SKIP("needs root");
	if (statvfs(directory, &fs) < 0 || fs.f_flag & ST_NOSUID)
		SKIP("needs privileged-files");
	unlink(in_directory("set-uid"));
	write_starter(in_directory("set-uid"), 04755);
	if (in_world(&world, as_nobody, _i) == NO_SUCH_WORLD)
		SKIP("needs mount-namespaces");
}
END_TEST

/* --- filters ------------------------------------------------------------------------------------------------ */

/* One rule: a system call, optionally an argument and its value, and the action. */
struct rule {
	long call;
	int argument; /* -1: any arguments */
	unsigned value;
	unsigned action;
};

enum { RULES = 4 };

static int add_filter(const struct rule *rules, size_t count)
{
	struct sock_filter filter[RULES * 5 + 1], *next = filter;
	struct sock_fprog program = { 0, filter };

	for (size_t i = 0; i < count; i++) {
		const unsigned where = offsetof(struct seccomp_data, args) + 8 * (rules[i].argument & 7);

		*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
		*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].call, 0,
						       rules[i].argument < 0 ? 1 : 3);
		if (rules[i].argument >= 0) {
			*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, where);
			*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].value, 0, 1);
		}
		*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rules[i].action);
	}
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = next - filter;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return -errno;
	return 0;
}

#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))

/* System calls of the stub that the library never makes in the child, or makes differently. */
#define STUB_FCNTL(action)                                                                                           \
	{                                                                                                            \
		SYS_fcntl, 2, FD_CLOEXEC, action                                                                     \
	}
#define STUB_SIGPROCMASK(action)                                                                                     \
	{                                                                                                            \
		SYS_rt_sigprocmask, 0, SIG_BLOCK, action                                                             \
	}
#define STUB_WRITE(action)                                                                                           \
	{                                                                                                            \
		SYS_write, 2, 16, action                                                                             \
	}
#define STUB_EXECVE(action)                                                                                          \
	{                                                                                                            \
		SYS_execve, -1, 0, action                                                                            \
	}
#define STUB_EXIT(action)                                                                                            \
	{                                                                                                            \
		SYS_exit_group, -1, 0, action                                                                        \
	}

/* The expected verdict, step and error. The status counts only if the child died or started. */
static const struct filtered {
	struct rule rules[RULES];
	const char *path;
	enum errpipe_verdict verdict;
	unsigned step;
	int error, status;
} filtered[] = {
	{ { STUB_FCNTL(REFUSE(EPERM)) }, starter, ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, EPERM, 0 },
	{ { STUB_FCNTL(REFUSE(ENOSYS)) }, missing, ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, ENOSYS, 0 },
	{ { STUB_FCNTL(REFUSE(EBADF)) }, starter, ERRPIPE_DIED, 0, 0, 125 << 8 },
	{ { STUB_FCNTL(SECCOMP_RET_KILL_PROCESS) }, starter, ERRPIPE_DIED, 0, 0, SIGSYS },
	{ { STUB_FCNTL(SECCOMP_RET_TRAP) }, starter, ERRPIPE_DIED, 0, 0, SIGSYS },
	{ { STUB_FCNTL(REFUSE(EPERM)), STUB_WRITE(REFUSE(EPERM)) }, starter, ERRPIPE_DIED, 0, 0, 125 << 8 },
	{ { STUB_SIGPROCMASK(REFUSE(EPERM)) }, starter, ERRPIPE_STARTED, 0, 0, 125 << 8 },
	{ { STUB_SIGPROCMASK(REFUSE(EPERM)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 0 },
	{ { STUB_SIGPROCMASK(SECCOMP_RET_KILL_PROCESS) }, missing, ERRPIPE_DIED, 0, 0, SIGSYS },
	{ { STUB_WRITE(REFUSE(EPERM)) }, starter, ERRPIPE_STARTED, 0, 0, 125 << 8 },
	{ { STUB_WRITE(REFUSE(EPERM)) }, missing, ERRPIPE_DIED, 0, 0, 127 << 8 },
	{ { STUB_WRITE(REFUSE(EPERM)) }, "/", ERRPIPE_DIED, 0, 0, 126 << 8 },
	{ { STUB_WRITE(REFUSE(0)) }, missing, ERRPIPE_DIED, 0, 0, 127 << 8 },
	{ { STUB_WRITE(SECCOMP_RET_KILL_PROCESS) }, missing, ERRPIPE_DIED, 0, 0, SIGSYS },
	{ { STUB_EXECVE(REFUSE(0)) }, starter, ERRPIPE_EXEC_FAILED, 0, 0, 0 },
	{ { STUB_EXECVE(REFUSE(EPERM)) }, starter, ERRPIPE_EXEC_FAILED, 0, EPERM, 0 },
	{ { STUB_EXECVE(REFUSE(EHWPOISON)) }, starter, ERRPIPE_EXEC_FAILED, 0, EHWPOISON, 0 },
	{ { STUB_EXECVE(SECCOMP_RET_KILL_PROCESS) }, starter, ERRPIPE_DIED, 0, 0, SIGSYS },
	/* The stub cannot exit and must be killed. */
	{ { STUB_EXIT(REFUSE(EPERM)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 0 },
};

static int add_rules(void *data, unsigned *step)
{
	const struct filtered *it = data;
	size_t count = 0;

	(void)step;
	while (count < RULES && it->rules[count].action)
		count++;
	return add_filter(it->rules, count);
}

START_TEST(a_filter_on_the_stub)
{
	const struct filtered *it = &filtered[_i];
	struct errpipe_spawn spawn = options(STUB);
	struct errpipe_report report;

	spawn.prepare = add_rules;
	spawn.data = (void *)it;
	report = run_plain(&spawn, it->path);
	ck_assert_int_eq(report.verdict, it->verdict);
	ck_assert_uint_eq(report.step, it->step);
	ck_assert_int_eq(report.error, it->error);
	if (it->verdict == ERRPIPE_DIED || it->verdict == ERRPIPE_STARTED)
		ck_assert_int_eq(report.status & ~0x80, it->status);
}
END_TEST

/* A filter that setup installs also affects the library's own calls in the child. */
#define CHILD(call, action)                                                                                          \
	{                                                                                                            \
		SYS_##call, -1, 0, action                                                                            \
	}
enum { AUTO = STUB + 1 };

static const struct filtered_child {
	int route;
	struct filtered it;
} filtered_children[] = {
	{ DIRECT, { { CHILD(fcntl, REFUSE(EPERM)) }, starter, ERRPIPE_STARTED, 0, 0, 125 << 8 } },
	{ AUTO, { { CHILD(fcntl, REFUSE(EPERM)) }, starter, ERRPIPE_STARTED, 0, 0, 125 << 8 } },
	{ AUTO, { { CHILD(fcntl, REFUSE(EPERM)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 127 << 8 } },
	{ STUB,
	  { { CHILD(fcntl, REFUSE(EPERM)) }, starter, ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, EPERM, 126 << 8 } },
	{ STUB,
	  { { CHILD(fcntl, REFUSE(EBADF)) }, starter, ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, EBADF, 126 << 8 } },
	/* The faked success of fcntl would leave the stub without its descriptor, and the reason would be lost. */
	{ AUTO, { { CHILD(fcntl, REFUSE(0)) }, starter, ERRPIPE_STARTED, 0, 0, 125 << 8 } },
	{ AUTO, { { CHILD(fcntl, REFUSE(0)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 127 << 8 } },
	{ STUB, { { CHILD(fcntl, REFUSE(0)) }, missing, ERRPIPE_SETUP_FAILED, ERRPIPE_STEP_FCNTL, 0, 126 << 8 } },
	{ AUTO, { { CHILD(execveat, REFUSE(EBADF)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 127 << 8 } },
	{ STUB, { { CHILD(execveat, REFUSE(EBADF)) }, missing, ERRPIPE_EXEC_FAILED, 0, ENOENT, 127 << 8 } },
	{ STUB,
	  { { CHILD(fcntl, REFUSE(EPERM)), CHILD(write, REFUSE(EPERM)) }, starter, ERRPIPE_DIED, 0, 0, 126 << 8 } },
	{ DIRECT, { { CHILD(write, REFUSE(EPERM)) }, missing, ERRPIPE_DIED, 0, 0, 127 << 8 } },
	{ DIRECT,
	  { { CHILD(rt_sigprocmask, REFUSE(EPERM)) },
	    starter,
	    ERRPIPE_SETUP_FAILED,
	    ERRPIPE_STEP_CALLER,
	    EPERM,
	    125 << 8 } },
	{ STUB,
	  { { CHILD(rt_sigprocmask, REFUSE(EPERM)) },
	    starter,
	    ERRPIPE_SETUP_FAILED,
	    ERRPIPE_STEP_CALLER,
	    EPERM,
	    125 << 8 } },
	/* Otherwise the target would inherit a mask of all signals. */
	{ DIRECT,
	  { { CHILD(rt_sigprocmask, REFUSE(0)) },
	    starter,
	    ERRPIPE_SETUP_FAILED,
	    ERRPIPE_STEP_CALLER,
	    EPERM,
	    125 << 8 } },
};

START_TEST(a_filter_on_the_child)
{
	const struct filtered_child *child = &filtered_children[_i];
	const struct filtered *it = &child->it;
	struct errpipe_spawn spawn = options(child->route == AUTO ? STUB : child->route);
	struct errpipe_report report;

	if (child->route == AUTO)
		spawn.flags = 0;
	spawn.prepare = add_rules;
	spawn.data = (void *)it;
	report = run_plain(&spawn, it->path);
	ck_assert_int_eq(report.verdict, it->verdict);
	ck_assert_uint_eq(report.step, it->step);
	ck_assert_int_eq(report.error, it->error);
	ck_assert(report.status == it->status || (report.error && report.status == SIGKILL));
}
END_TEST

/*
 * Without execveat the process name of the stub is the number of its descriptor. A target can have the same name, so
 * the verdict must be CLOSED.
 */
static const struct rule no_execveat[] = { { SYS_execveat, -1, 0, REFUSE(ENOSYS) },
					   STUB_FCNTL(SECCOMP_RET_KILL_PROCESS) };

static int without_execveat(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	return add_filter(no_execveat, COUNT(no_execveat));
}

START_TEST(a_stub_that_bears_a_number)
{
	struct errpipe_spawn spawn = options(STUB);
	struct errpipe_report report;

	spawn.prepare = without_execveat;
	report = run_plain(&spawn, starter);
	assert_verdict(&report, ERRPIPE_CLOSED, SIGSYS);
}
END_TEST

/* A stub that is a file has a name that other programs may have. It keeps that name when the file is deleted. */
START_TEST(a_stub_that_is_a_file)
{
	static const struct filtered killed = { .rules = { STUB_FCNTL(SECCOMP_RET_KILL_PROCESS) } };
	const char *path = in_directory("a-stub");
	struct errpipe_spawn spawn = { .flags = ERRPIPE_STUB_ONLY, .prepare = add_rules, .data = (void *)&killed };
	struct errpipe_report report;

	write_starter(path, 0755);
	spawn.stub = open(path, O_PATH | O_CLOEXEC);
	if (_i)
		unlink(path);
	report = run_plain(&spawn, starter);
	unlink(path);
	close(spawn.stub);
	assert_verdict(&report, ERRPIPE_CLOSED, SIGSYS);
}
END_TEST

/*
 * The default seccomp profile of container engines. It allows the system calls up to the newest one that existed when
 * the profile was made, except those that manage the machine. These and all newer calls fail with EPERM.
 *
 * Today's profiles answer clone3 with ENOSYS, because they cannot see its flags. libc then does without clone3.
 */
static const long managing[] = {
	SYS_acct,
	SYS_add_key,
	SYS_bpf,
	SYS_clock_adjtime,
	SYS_clock_settime,
	SYS_delete_module,
	SYS_fanotify_init,
	SYS_finit_module,
	SYS_init_module,
	SYS_kcmp,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_lookup_dcookie,
	SYS_mount,
	SYS_move_pages,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_perf_event_open,
	SYS_pivot_root,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_ptrace,
	SYS_quotactl,
	SYS_reboot,
	SYS_request_key,
	SYS_setdomainname,
	SYS_sethostname,
	SYS_setns,
	SYS_settimeofday,
	SYS_swapoff,
	SYS_swapon,
	SYS_syslog,
	SYS_umount2,
	SYS_unshare,
	SYS_userfaultfd,
	SYS_vhangup,
};

enum { NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET };

/* The errno for clone3, and the last known system call. */
static const struct {
	int clone3;
	long last;
} profiles[] = { { ENOSYS, 1000 }, { EPERM, SYS_rseq }, { ENOSYS, SYS_rseq } };

static void confine(int profile)
{
	struct sock_filter filter[COUNT(managing) * 2 + 16], *next = filter;
	struct sock_fprog program = { 0, filter };

	*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE(profiles[profile].clone3));
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, profiles[profile].last, 0, 1);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE(EPERM));
	for (size_t i = 0; i < COUNT(managing); i++) {
		*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, managing[i], 0, 1);
		*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE(EPERM));
	}
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
	*next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
	*next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE(EPERM));
	*next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = next - filter;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), 0);
}

/* The container makes its own stub. */
static void in_a_container(int i)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	struct errpipe_spawn spawn;
	struct errpipe_report report;

	confine(i / ROUTES);
	close(stub);
	stub = errpipe_stub();
	ck_assert_int_ge(stub, 0);
	assert_all_is_seen(i % ROUTES);
	spawn = options(i % ROUTES);
	report = run(&spawn, "/bin/sh", argv);
	assert_verdict(&report, ERRPIPE_STARTED, 7 << 8);
}

START_TEST(a_container)
{
	in_child(in_a_container, _i);
}
END_TEST

/* --- limits ------------------------------------------------------------------------------------------------- */

struct limited {
	int resource;
	rlim_t value;
};

static const struct limited limited[] = {
	{ RLIMIT_AS, 0 },
	{ RLIMIT_AS, 4096 },
	{ RLIMIT_AS, 65536 },
	{ RLIMIT_AS, 256 << 10 },
	{ RLIMIT_AS, 1 << 20 },
	{ RLIMIT_AS, 4 << 20 },
	{ RLIMIT_STACK, 0 },
	{ RLIMIT_STACK, 1 },
	{ RLIMIT_STACK, 4096 },
	{ RLIMIT_STACK, 8192 },
	{ RLIMIT_STACK, 65536 },
	{ RLIMIT_STACK, 1 << 20 },
	{ RLIMIT_STACK, RLIM_INFINITY },
	{ RLIMIT_NOFILE, 0 },
	{ RLIMIT_NOFILE, 3 },
	{ RLIMIT_NPROC, 0 },
	{ RLIMIT_FSIZE, 0 },
	{ RLIMIT_DATA, 0 },
	{ RLIMIT_MEMLOCK, 0 },
	{ RLIMIT_SIGPENDING, 0 },
};

static int set_limit(void *data, unsigned *step)
{
	const struct limited *limited = data;
	const struct rlimit limit = { limited->value, limited->value };

	(void)step;
	return setrlimit(limited->resource, &limit) < 0 ? -errno : 0;
}

/*
 * The starter exits with 125 if it runs at all. If it does not fit, the kernel kills it. On the route DIRECT the
 * killed program is not the stub.
 */
START_TEST(a_limit_of_the_child)
{
	struct errpipe_spawn spawn = options(_i % 2);
	struct errpipe_report report;

	spawn.prepare = set_limit;
	spawn.data = (void *)&limited[_i / 2];
	report = run_plain(&spawn, starter);
	if (report.verdict == ERRPIPE_STARTED && WIFEXITED(report.status))
		ck_assert_int_eq(report.status, 125 << 8);
	else if (report.verdict == ERRPIPE_STARTED)
		ck_assert(WIFSIGNALED(report.status));
	else if (report.verdict == ERRPIPE_DIED)
		ck_assert(_i % 2 == STUB && WIFSIGNALED(report.status));
	else
		ck_assert_int_eq(report.error, E2BIG);
	if (getenv("ERRPIPE_VERBOSE"))
		fprintf(stderr, "%d %d %ld: %d %d %#x\n", _i % 2, limited[_i / 2].resource,
			(long)limited[_i / 2].value, report.verdict, report.error, report.status);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ */

static void make_directory(void)
{
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0) {
		perror(directory);
		exit(1);
	}
	snprintf(starter, sizeof(starter), "%s/starter", directory);
	snprintf(missing, sizeof(missing), "%s/missing", directory);
	write_starter(starter, 0755);
}

/*
 * Valgrind cannot exec a memfd, so the stub is a file under Valgrind. Tests that look closely at a child would see
 * Valgrind itself.
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

/*
 * The signal may hit a child inside ThreadSanitizer's own code, where it may hold a lock. The child shares its memory
 * with the parent, so the lock would stay locked for the parent.
 */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define CHILDREN_CAN_BE_KILLED_ANYWHERE 0
#else
#define CHILDREN_CAN_BE_KILLED_ANYWHERE 1
#endif

static void add_deaths(Suite *suite)
{
	TCase *tc = add_tcase(suite, "deaths");

	tcase_add_loop_test(tc, every_verdict, 0, ROUTES);
	if (under_valgrind())
		return;
	tcase_add_loop_test(tc, killed_at_every_stop, 0, 8);
	if (CHILDREN_CAN_BE_KILLED_ANYWHERE)
		tcase_add_loop_test(tc, killed_at_any_moment, 0, ROUTES);
}

static void add_targets(Suite *suite)
{
	TCase *tc = add_tcase(suite, "targets");

	tcase_add_loop_test(tc, a_target_ends_at_once, 0, COUNT(short_lives) * ROUTES);
	tcase_add_loop_test(tc, a_target_that_dumps_core, 0, 2);
	tcase_add_loop_test(tc, a_small_target_ends_at_once, 0, ROUTES);
	tcase_add_loop_test(tc, an_image_that_the_kernel_kills, 0, IMAGES * ROUTES);
	tcase_add_loop_test(tc, a_target_with_a_name, 0, COUNT(names) * ROUTES);
	tcase_add_test(tc, a_target_that_looks_like_the_stub);
	tcase_add_loop_test(tc, a_target_with_a_stub_of_its_own, 0, OWN * ROUTES);
}

static void add_readers(Suite *suite)
{
	TCase *tc = add_tcase(suite, "readers");

	tcase_add_loop_test(tc, a_pid_namespace, 0, ROUTES);
	tcase_add_loop_test(tc, a_pid_namespace_with_its_proc, 0, ROUTES);
	tcase_add_loop_test(tc, a_proc_that_hides, 0, ROUTES);
	if (under_valgrind())
		return;
	tcase_add_loop_test(tc, no_proc, 0, ROUTES);
	tcase_add_loop_test(tc, a_pid_that_means_another_outside, 0, ROUTES);
}

static void add_filters(Suite *suite)
{
	TCase *tc = add_tcase(suite, "filters");

	if (under_valgrind())
		return;
	tcase_add_loop_test(tc, a_filter_on_the_stub, 0, COUNT(filtered));
	tcase_add_loop_test(tc, a_filter_on_the_child, 0, COUNT(filtered_children));
	tcase_add_test(tc, a_stub_that_bears_a_number);
	tcase_add_loop_test(tc, a_stub_that_is_a_file, 0, 2);
	tcase_add_loop_test(tc, a_container, 0, COUNT(profiles) * ROUTES);
	tcase_add_loop_test(tc, a_limit_of_the_child, 0, COUNT(limited) * ROUTES);
}

int main(int argc, char **argv)
{
	struct rlimit core = { 0, 0 };
	Suite *suite = suite_create("verdict");
	int failed;

	if (argc > 1 && strcmp(argv[1], own_stub_option) == 0)
		go_through_own_stub();
	getrlimit(RLIMIT_CORE, &core);
	core.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &core);
	make_directory();
	act = built_path("tests/prog_act");
	stub = open_stub();

	add_deaths(suite);
	add_targets(suite);
	add_readers(suite);
	add_filters(suite);

	failed = run_suite(suite);
	unlink(starter);
	unlink(in_directory("set-uid"));
	rmdir(directory);
	return failed;
}

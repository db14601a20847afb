/* SPDX-License-Identifier: MIT */
/*
 * soak TARGET COUNT: start COUNT children from eight threads at once, by every route. Some succeed, some fail, and some are killed
 * at random. Check that each verdict is correct and that nothing is left of the children. Writes TAP.
 *
 * SEED=N repeats the random choices of another run.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "errpipe.h"

enum { THREADS = 8, GROWTH_MAX = 2048 /* kB */ };

enum way { DIRECT, STUB, STUB_ONLY, OWN_STUB, SETUP, SETUP_DIRECT, WAYS };
enum end { WORKS, MISSING, NO_PROGRAM, DIRECTORY, STEP_FAILS, DIES_BEFORE, KILLED, ENDS };

struct worker {
	pthread_t thread;
	int index;
	uint64_t state;
	long count;
	long verdicts[ERRPIPE_CLOSED + 1];
	char number[16];
	const char *wrong; /* the first failure */
	struct errpipe_report report;
	enum end end;
	enum way way;
};

static const char *target;
static char marks_path[] = "/tmp/errpipe-soak.XXXXXX", text_path[] = "/tmp/errpipe-soak.XXXXXX";
static volatile char *marks;
static int stub;
static struct worker workers[THREADS];

/* xorshift64 (George Marsaglia, "Xorshift RNGs", 2003). */
static uint64_t any(struct worker *worker)
{
	worker->state ^= worker->state << 13;
	worker->state ^= worker->state >> 7;
	return worker->state ^= worker->state << 17;
}

static int fail_step(void *data, unsigned *step)
{
	(void)data;
	*step = ERRPIPE_STEP_CALLER + 5;
	return -EXDEV;
}

static int die_before(void *data, unsigned *step)
{
	(void)data;
	(void)step;
	kill(getpid(), SIGKILL);
	return 0;
}

static const char *path_of(enum end end)
{
	switch (end) {
	case MISSING:
		return "/none";
	case NO_PROGRAM:
		return text_path;
	case DIRECTORY:
		return "/tmp";
	default:
		return target;
	}
}

static bool failed_with(const struct errpipe_report *report, int error)
{
	return report->verdict == ERRPIPE_EXEC_FAILED && report->error == error;
}

/* A target that was killed may not have set its mark yet. A mark proves that it started. */
static bool is_right(const struct worker *worker, const struct errpipe_report *report)
{
	bool ran = marks[worker->index];

	if (ran && report->verdict != ERRPIPE_STARTED)
		return false;
	switch (worker->end) {
	case WORKS:
		return ran && report->status == 7 << 8;
	case MISSING:
		return failed_with(report, ENOENT);
	case NO_PROGRAM:
		return failed_with(report, ENOEXEC);
	case DIRECTORY:
		return failed_with(report, EACCES);
	case STEP_FAILS:
		return report->verdict == ERRPIPE_SETUP_FAILED && report->error == EXDEV &&
		       report->step == ERRPIPE_STEP_CALLER + 5;
	case DIES_BEFORE:
		return report->verdict == ERRPIPE_DIED && report->status == SIGKILL;
	case KILLED:
		/*
		 * Even on the route DIRECT it can die before the exec is complete: the kernel lets the parent go on before it
		 * takes the lock of the parent's memory, which another thread may hold (exec_mmap() in its fs/exec.c).
		 */
		if (report->status == SIGKILL)
			return report->verdict == ERRPIPE_STARTED || report->verdict == ERRPIPE_DIED;
		return ran && report->status == 7 << 8;
	case ENDS:
		break;
	}
	return false;
}

/* The target exits with another status if it lacks a part of this. */
static const struct errpipe_setup setup = { .set = ERRPIPE_SET_UMASK, .umask = 027, .no_new_privs = 1, .session = 1 };

static struct errpipe_spawn options_of(const struct worker *worker)
{
	struct errpipe_spawn spawn = { .stub = stub };

	if (worker->way == OWN_STUB)
		spawn.stub = errpipe_stub();
	if (worker->way == STUB_ONLY)
		spawn.flags = ERRPIPE_STUB_ONLY;
	if (worker->way == SETUP || worker->way == SETUP_DIRECT)
		spawn.setup = &setup;
	if (worker->way == SETUP_DIRECT)
		spawn.flags = ERRPIPE_DIRECT_ONLY;
	if (worker->way == DIRECT || spawn.setup)
		spawn.stub = ERRPIPE_NO_STUB;
	if (worker->end == STEP_FAILS)
		spawn.prepare = fail_step;
	if (worker->end == DIES_BEFORE)
		spawn.prepare = die_before;
	return spawn;
}

static void start_one(struct worker *worker)
{
	char *argv[] = { (char *)"target", marks_path, worker->number, NULL, NULL };
	struct errpipe_spawn spawn;
	struct errpipe_report report;
	struct errpipe_child child;
	int ret;

	worker->way = any(worker) % WAYS;
	worker->end = any(worker) % ENDS;
	marks[worker->index] = 0;
	spawn = options_of(worker);
	if (spawn.setup)
		argv[3] = (char *)"set-up";

	ret = errpipe_spawn(&child, &spawn, path_of(worker->end), argv, environ);
	if (worker->way == OWN_STUB)
		close(spawn.stub);
	if (ret < 0) {
		worker->wrong = strerror(-ret);
		return;
	}
	if (worker->end == KILLED) {
		for (uint64_t n = any(worker) % 16; n > 0; n--)
			sched_yield();
		kill(child.pid, SIGKILL);
	}
	ret = errpipe_wait(&child, &report);
	worker->report = report;
	if (ret < 0)
		worker->wrong = strerror(-ret);
	else if (!is_right(worker, &report))
		worker->wrong = "a wrong verdict";
	else
		worker->verdicts[report.verdict]++;
}

static void *work(void *data)
{
	struct worker *worker = data;

	for (long i = 0; i < worker->count && !worker->wrong; i++)
		start_one(worker);
	return NULL;
}

static void work_all(long count)
{
	for (int i = 0; i < THREADS; i++) {
		workers[i].count = (count + THREADS - 1 - i) / THREADS;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			exit(2);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static long resident(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kilobytes = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kilobytes;
}

static void prepare(void)
{
	const char *seed = getenv("SEED");
	uint64_t state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) << 20 ^ getpid();
	int fd = mkstemp(marks_path), text = mkstemp(text_path);

	if (fd < 0 || ftruncate(fd, 4096) < 0 || write(text, "no program\n", 11) != 11 || fchmod(text, 0755) < 0)
		exit(2);
	close(text);
	marks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stub = errpipe_stub();
	close(fd);
	if (marks == MAP_FAILED || stub < 0)
		exit(2);
	printf("# SEED=%llu\n", (unsigned long long)state);
	for (int i = 0; i < THREADS; i++) {
		workers[i].index = i;
		workers[i].state = (state + i) * 0x9e3779b97f4a7c15 | 1;
		snprintf(workers[i].number, sizeof(workers[i].number), "%d", i);
	}
}

static int result(bool ok, int n, const char *what)
{
	printf("%s %d - soak: %s\n", ok ? "ok" : "not ok", n, what);
	return !ok;
}

static bool tell(void)
{
	static const char *const names[] = { "", "STARTED", "EXEC_FAILED", "SETUP_FAILED", "DIED", "CLOSED" };
	bool right = true;
	char separator = '#';

	for (int i = 0; i < THREADS; i++) {
		const struct worker *worker = &workers[i];

		if (!worker->wrong)
			continue;
		right = false;
		fprintf(stderr, "way %d, end %d: %s: verdict %d, error %d, status %#x, mark %d\n", worker->way,
			worker->end, worker->wrong, worker->report.verdict, worker->report.error,
			worker->report.status, marks[i]);
	}
	for (int verdict = ERRPIPE_STARTED; verdict <= ERRPIPE_CLOSED; verdict++) {
		long count = 0;

		for (int i = 0; i < THREADS; i++)
			count += workers[i].verdicts[verdict];
		printf("%c %ld %s", separator, count, names[verdict]);
		separator = ',';
	}
	putchar('\n');
	return right;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? atol(argv[2]) : 0, warm_up = count / 10, before, after;
	int open_before, failed = 0;
	siginfo_t info;

	if (count <= 0) {
		fputs("usage: soak TARGET COUNT\n", stderr);
		return 2;
	}
	target = argv[1];
	prepare();
	/* Warm up, so that libc's caches for threads and first calls do not count as growth. */
	work_all(warm_up);
	open_before = descriptors();
	before = resident();
	work_all(count - warm_up);
	after = resident();

	failed |= result(tell(), 1, "each verdict is right");
	failed |= result(descriptors() == open_before, 2, "no descriptor is left");
	failed |= result(before > 0 && after - before < GROWTH_MAX, 3, "memory does not grow");
	failed |= result(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 && errno == ECHILD, 4,
			 "no zombie is left");
	printf("1..4\n# VmRSS: %ld kB after a tenth of the children, %ld kB at the end\n", before, after);
	printf("%ld children by %d threads: %s\n", count, THREADS, failed ? "failed" : "all right");
	unlink(marks_path);
	unlink(text_path);
	return failed;
}

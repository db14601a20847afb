/* SPDX-License-Identifier: MIT */
/* The helper for all C rows, and for those that are commands: see helper.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "errpipe.h"
#include "helper.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { PREFIX = 4, PROGRAM = 6, MEBIBYTE = 1 << 20 };

/* The program to start. Before argv there is room for PREFIX more arguments, for a chain of programs. */
struct job {
	const char *path;
	char **argv;
	char **envp;
};

struct outcome {
	int error, status;
};

struct row {
	const char *name;
	void (*start)(const struct row *row, const struct job *job, struct outcome *outcome);
	void (*prepare)(struct row *row);
	/* The program in between, if any: a file in our directory, or a command with its arguments. */
	const char *program[PROGRAM];
	int fd;
};

static struct errpipe_identity identity;
static int sealed_stub, setup_stub, report[2];
static char number_of_report[12];

/* Changes to the process that any user may make. */
static const struct errpipe_limit limit = { RLIMIT_CORE, 0, 0 };
static struct errpipe_setup setup = {
	.set = ERRPIPE_SET_USER | ERRPIPE_KEEP_GROUPS | ERRPIPE_SET_UMASK,
	.umask = 022,
	.directory = "/",
	.limits = &limit,
	.limits_length = 1,
	.no_new_privs = 1,
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			fail("waitpid");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- without a program in between ----------------------------------------------------------------------------------- */

static void with_vfork(const struct row *row, const struct job *job, struct outcome *outcome)
{
	volatile int error = 0;
	pid_t pid = vfork();

	(void)row;
	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		execve(job->path, job->argv, job->envp);
		error = errno;
		_exit(127);
	}
	outcome->status = status_of(pid);
	outcome->error = error;
}

static void unchanged(void)
{
}

/* The changes of the setup, by hand. */
static void change_process(void)
{
	if (chdir(setup.directory) < 0 || setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0)
		_exit(127);
	umask(setup.umask);
	if (setresgid(setup.gid, setup.gid, setup.gid) < 0 || setresuid(setup.uid, setup.uid, setup.uid) < 0 ||
	    chdir(".") < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		_exit(127);
}

static void change_and_exec(void (*change)(void), const struct job *job, struct outcome *outcome)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		change();
		execve(job->path, job->argv, job->envp);
		_exit(127);
	}
	outcome->status = status_of(pid);
}

static void with_fork(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	change_and_exec(unchanged, job, outcome);
}

static void with_fork_and_changes(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	change_and_exec(change_process, job, outcome);
}

static void with_posix_spawn(const struct row *row, const struct job *job, struct outcome *outcome)
{
	pid_t pid;

	(void)row;
	outcome->error = posix_spawn(&pid, job->path, NULL, NULL, job->argv, job->envp);
	outcome->status = outcome->error ? -1 : status_of(pid);
}

/* --- ours ----------------------------------------------------------------------------------------------------------- */

static void finish(struct errpipe_child *child, struct outcome *outcome)
{
	struct errpipe_report report;

	if (errpipe_wait(child, &report) < 0)
		fail("errpipe_wait");
	outcome->error = report.error;
	outcome->status = report.verdict == ERRPIPE_STARTED ? errpipe_exit_code(&report, ERRPIPE_POSIX) : -1;
}

static void spawn(const struct errpipe_spawn *how, const struct job *job, struct outcome *outcome)
{
	struct errpipe_child child;

	if (errpipe_spawn(&child, how, job->path, job->argv, job->envp) < 0)
		fail("errpipe_spawn");
	finish(&child, outcome);
}

static void with_spawn_direct(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	spawn(&(struct errpipe_spawn){ .stub = ERRPIPE_NO_STUB }, job, outcome);
}

static void with_spawn_stub(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	spawn(&(struct errpipe_spawn){ .stub = sealed_stub, .identity = &identity }, job, outcome);
}

static void with_spawn_ask(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	spawn(&(struct errpipe_spawn){ .stub = sealed_stub }, job, outcome);
}

static void with_setup(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	spawn(&(struct errpipe_spawn){ .stub = ERRPIPE_NO_STUB, .setup = &setup, .identity = &identity }, job,
	      outcome);
}

static void with_setup_made(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	spawn(&(struct errpipe_spawn){ .stub = setup_stub, .setup = &setup, .identity = &identity }, job, outcome);
}

static void fork_exec(int stub, const struct job *job, struct outcome *outcome)
{
	struct errpipe_child child;
	int pipe[2];
	pid_t pid;

	if (errpipe_pipe(pipe) < 0)
		fail("errpipe_pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		errpipe_exec(stub, 0, pipe[1], job->path, job->argv, job->envp);
		_exit(126);
	}
	close(pipe[1]);
	errpipe_adopt(&child, pid, stub, pipe[0]);
	finish(&child, outcome);
}

static void with_exec_direct(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	fork_exec(ERRPIPE_NO_STUB, job, outcome);
}

static void with_exec_stub(const struct row *row, const struct job *job, struct outcome *outcome)
{
	(void)row;
	fork_exec(sealed_stub, job, outcome);
}

/* --- with a program in between ------------------------------------------------------------------------------------ */

static void copy(int from, int to)
{
	off_t offset = 0;
	ssize_t n;

	do
		n = sendfile(to, from, &offset, 1 << 30);
	while (n > 0);
	if (n < 0)
		fail("sendfile");
}

/* Make a copy that nobody can change, like runtimes do of themselves and errpipe_stub() of the stub. */
static int seal(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = syscall(SYS_memfd_create, "clone", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (to < 0 && errno == EINVAL)
		to = syscall(SYS_memfd_create, "clone", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (from < 0 || to < 0)
		fail(path);
	copy(from, to);
	if (fchmod(to, 0555) < 0 ||
	    fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		fail("sealing");
	close(from);
	return to;
}

static void prepare_sealed(struct row *row)
{
	row->fd = seal(row->program[0]);
}

static void prepare_disk(struct row *row)
{
	row->fd = open(row->program[0], O_PATH | O_CLOEXEC);
	if (row->fd < 0)
		fail(row->program[0]);
}

static void prepare_dmz(struct row *row)
{
	row->fd = sealed_stub;
}

/* The caller learns only of errors of the program in between. An error of the target shows only in the exit status. */
static void exec_fd(int fd, char *const argv[], char *const envp[], struct outcome *outcome)
{
	pid_t pid = vfork();

	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(125);
	}
	outcome->status = status_of(pid);
}

static void through_mute(const struct row *row, const struct job *job, struct outcome *outcome)
{
	exec_fd(row->fd, job->argv, job->envp, outcome);
}

/* The child makes one call more than with other stubs, because the descriptor must survive the first exec. */
static void exec_dmz(int fd, char *const argv[], char *const envp[], struct outcome *outcome)
{
	pid_t pid = vfork();

	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		fcntl(report[1], F_SETFD, 0);
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(125);
	}
	outcome->status = status_of(pid);
}

static void through_dmz(const struct row *row, const struct job *job, struct outcome *outcome)
{
	struct errpipe_report failure;
	char **argv = job->argv - 3;

	argv[0] = (char *)"dmz";
	argv[1] = number_of_report;
	argv[2] = (char *)job->path;
	exec_dmz(row->fd, argv, job->envp, outcome);
	if (outcome->status >= 125 && errpipe_read(report[0], &failure) == 1)
		outcome->error = failure.error;
}

/* A runtime without a stub copies itself for each container and starts the copy. The start is left out here. */
static void after_clone(const struct row *row, const struct job *job, struct outcome *outcome)
{
	close(seal(row->program[0]));
	with_vfork(row, job, outcome);
}

static void run_command(char **argv, char **envp, struct outcome *outcome)
{
	pid_t pid = vfork();

	if (pid < 0)
		fail("vfork");
	if (pid == 0) {
		execve(argv[0], argv, envp);
		_exit(125);
	}
	outcome->status = status_of(pid);
}

static void through_command(const struct row *row, const struct job *job, struct outcome *outcome)
{
	size_t count = 0;
	char **argv;

	while (count < PREFIX && row->program[count])
		count++;
	argv = job->argv - count;
	memcpy(argv, row->program, count * sizeof(*argv));
	run_command(argv, job->envp, outcome);
}

/* The target is in the bundle that scripts/bench makes. */
static void in_container(const struct row *row, const struct job *job, struct outcome *outcome)
{
	char *argv[PROGRAM + 1] = { NULL };

	memcpy(argv, row->program, sizeof(row->program));
	run_command(argv, job->envp, outcome);
}

static void with_posix_spawn_attributes(const struct row *row, const struct job *job, struct outcome *outcome)
{
	posix_spawnattr_t attributes;
	sigset_t none, all;
	pid_t pid;

	(void)row;
	sigemptyset(&none);
	sigfillset(&all);
	if (posix_spawnattr_init(&attributes) != 0 || posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
	    posix_spawnattr_setsigdefault(&attributes, &all) != 0 ||
	    posix_spawnattr_setflags(&attributes,
				     POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) != 0)
		fail("posix_spawnattr");
	outcome->error = posix_spawn(&pid, job->path, NULL, &attributes, job->argv, job->envp);
	outcome->status = outcome->error ? -1 : status_of(pid);
	posix_spawnattr_destroy(&attributes);
}

/* clang-format off */
static struct row rows[] = {
	{ "vfork", with_vfork, NULL, { NULL }, -1 },
	{ "posix_spawn", with_posix_spawn, NULL, { NULL }, -1 },
	{ "fork", with_fork, NULL, { NULL }, -1 },
	{ "direct", with_spawn_direct, NULL, { NULL }, -1 },
	{ "stub", with_spawn_stub, NULL, { NULL }, -1 },
	{ "stub-ask", with_spawn_ask, NULL, { NULL }, -1 },
	{ "posix_spawn-attributes", with_posix_spawn_attributes, NULL, { NULL }, -1 },
	{ "container", in_container, NULL, { "container", "bundle/rootfs", "/target" }, -1 },
	{ "crun", in_container, NULL, { "/usr/bin/crun", "--cgroup-manager=disabled", "run", "-b", "bundle", "crun" }, -1 },
	{ "runc", in_container, NULL, { "/usr/sbin/runc", "run", "-b", "bundle", "runc" }, -1 },
	{ "fork-changes", with_fork_and_changes, NULL, { NULL }, -1 },
	{ "setup", with_setup, NULL, { NULL }, -1 },
	{ "setup-made", with_setup_made, NULL, { NULL }, -1 },
	{ "exec-direct", with_exec_direct, NULL, { NULL }, -1 },
	{ "exec-stub", with_exec_stub, NULL, { NULL }, -1 },
	{ "dmz", through_dmz, prepare_dmz, { NULL }, -1 },
	{ "dmz-disk", through_dmz, prepare_disk, { "dmz" }, -1 },
	{ "floor", through_mute, prepare_sealed, { "floor" }, -1 },
	{ "floor-disk", through_mute, prepare_disk, { "floor" }, -1 },
	{ "nolibc", through_mute, prepare_sealed, { "plain-nolibc" }, -1 },
	{ "musl", through_mute, prepare_sealed, { "plain-musl" }, -1 },
	{ "glibc", through_mute, prepare_sealed, { "plain-glibc" }, -1 },
	{ "clone", after_clone, NULL, { "/usr/sbin/runc" }, -1 },
	{ "env", through_command, NULL, { "/usr/bin/env" }, -1 },
	{ "busybox-env", through_command, NULL, { "/bin/busybox", "env" }, -1 },
	{ "tini", through_command, NULL, { "/usr/bin/tini", "-s", "--" }, -1 },
	{ "catatonit", through_command, NULL, { "/usr/bin/catatonit", "--" }, -1 },
	{ "dumb-init", through_command, NULL, { "/usr/bin/dumb-init", "--" }, -1 },
	{ "setpriv", through_command, NULL, { "/usr/bin/setpriv", "--no-new-privs" }, -1 },
	{ "execline", through_command, NULL, { "/usr/lib/execline/bin/execline-cd", "/" }, -1 },
};
/* clang-format on */

static struct row *find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* A missing file means that the peer is not installed. */
static bool prepare(struct row *row)
{
	if (row->program[0] && access(row->program[0], X_OK) < 0)
		return false;
	if (row->prepare && row->fd < 0)
		row->prepare(row);
	return true;
}

/* --- growing -------------------------------------------------------------------------------------------------------- */

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

/* Use pages of the usual size. Huge pages would make fork cheaper, but a program cannot rely on them. */
static void grow_memory(size_t mebibytes)
{
	size_t size = mebibytes * MEBIBYTE;

	if (size == 0)
		return;
	char *memory = map(size);
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void grow_threads(size_t count)
{
	pthread_t thread;

	while (count-- > 0) {
		if (pthread_create(&thread, NULL, idle, NULL) != 0)
			fail("pthread_create");
	}
}

static void grow_descriptors(size_t count)
{
	while (count-- > 0) {
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			fail("/dev/null");
	}
}

static char **make_argv(size_t count)
{
	char **argv = map((PREFIX + count + 2) * sizeof(*argv));

	for (size_t i = 0; i < count; i++)
		argv[PREFIX + 1 + i] = (char *)"x";
	return argv + PREFIX;
}

/* Add variables of a thousand bytes each. */
static void grow_environment(size_t bytes)
{
	char name[16], value[1000];

	for (size_t i = 0; i < bytes / 1000; i++) {
		int length = snprintf(name, sizeof(name), "V%zu", i);

		memset(value, 'x', sizeof(value));
		value[sizeof(value) - length - 2] = '\0';
		setenv(name, value, 1);
	}
}

/* --- the helper ------------------------------------------------------------------------------------------------------- */

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

struct work {
	const struct row *row;
	const struct job *job;
	size_t count;
	struct outcome outcome;
};

static void *repeat(void *arg)
{
	struct work *work = arg;

	for (size_t i = 0; i < work->count; i++) {
		work->outcome = (struct outcome){ 0, -1 };
		work->row->start(work->row, work->job, &work->outcome);
	}
	return NULL;
}

static void repeat_at_once(struct work *work, size_t parallel)
{
	pthread_t threads[parallel];

	for (size_t i = 0; i < parallel; i++) {
		if (pthread_create(&threads[i], NULL, repeat, work) != 0)
			fail("pthread_create");
	}
	for (size_t i = 0; i < parallel; i++)
		pthread_join(threads[i], NULL);
}

static void answer(const char *name, size_t count, size_t parallel, struct job *job)
{
	struct row *row = find(name);
	struct work work = { row, job, count, { 0, -1 } };
	long begun;

	if (!row || !prepare(row)) {
		puts(HELPER_ABSENT);
		return;
	}
	job->argv[0] = (char *)job->path;
	begun = now();
	if (parallel > 1)
		repeat_at_once(&work, parallel);
	else
		repeat(&work);
	printf("%ld %d %d\n", now() - begun, work.outcome.error, work.outcome.status);
}

/* Run this before growing: the target must not have copies of descriptors that should be closed. */
static void prepare_ours(void)
{
	sealed_stub = errpipe_stub();
	setup.uid = getuid();
	setup.gid = getgid();
	setup_stub = errpipe_setup_stub(&setup);
	if (sealed_stub < 0 || setup_stub < 0 || errpipe_identity(&identity) < 0 || errpipe_pipe(report) < 0)
		fail("errpipe");
	snprintf(number_of_report, sizeof(number_of_report), "%d", report[1]);
}

int main(int argc, char **argv)
{
	char name[64], path[4096];
	size_t sizes[5] = { 0 }, count, parallel;
	struct job job;

	for (int i = 1; i < argc && i <= 5; i++)
		sizes[i - 1] = strtoul(argv[i], NULL, 10);
	prepare_ours();
	grow_memory(sizes[0]);
	grow_threads(sizes[1]);
	grow_descriptors(sizes[2]);
	job.argv = make_argv(sizes[3]);
	grow_environment(sizes[4]);
	job.envp = environ;

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (scanf("%63s %zu %zu %4095s", name, &count, &parallel, path) == 4) {
		job.path = path;
		answer(name, count, parallel, &job);
	}
	return 0;
}

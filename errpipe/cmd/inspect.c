/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

/* How long to wait for the end of a killed process. */
enum { DEATH_MILLISECONDS = 200 };

/* Few processes have more descriptors. */
enum { DESCRIPTORS_MAX = 65536 };

/* openat(2), close-on-exec and above 2: errpipe_explain() gives 0 another meaning. Returns a descriptor or a negative errno. */
static int open_above_stderr(int base, const char *path, int flags)
{
	int fd = openat(base, path, flags | O_CLOEXEC), moved;

	if (fd < 0)
		return -errno;
	if (fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved < 0)
		moved = -errno;
	close(fd);
	return moved;
}

/*
 * A source that cannot be opened counts as not known yet. With --root, config.json may come from another machine, where its
 * sources are.
 */
static void open_sources(struct errpipe_explanation *ex, const struct inspection *inspection, int base)
{
	for (size_t i = 0; i < inspection->mounts_count; i++) {
		inspection->mounts[i].source = -1;
		if (!inspection->sources[i])
			continue;
		ex->looking_at = inspection->sources[i];
		inspection->mounts[i].source = open_above_stderr(base, inspection->sources[i], O_PATH);
		if (inspection->mounts[i].source == -ENOENT && inspection->root_is_given)
			inspection->mounts[i].source = -1;
	}
}

/* Memory shared with the inspecting process. */
struct shared {
	struct errpipe_explanation *ex;
	const struct inspection *inspection;
};

static int do_inspect(void *data)
{
	const struct shared *shared = data;
	const struct inspection *inspection = shared->inspection;
	struct errpipe_explanation *ex = shared->ex;
	struct errpipe_question question = inspection->question;
	int base = AT_FDCWD;

	question.root = ERRPIPE_OWN_ROOT;
	if (inspection->base) {
		ex->looking_at = inspection->base;
		base = open(inspection->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (base < 0)
			return -errno;
	}
	if (inspection->root) {
		ex->looking_at = question.root_name ? question.root_name : inspection->root;
		question.root = open_above_stderr(inspection->root_is_given ? AT_FDCWD : base, inspection->root,
						  O_PATH | O_DIRECTORY);
		if (question.root < 0)
			return question.root;
	}
	open_sources(ex, inspection, base);
	question.mounts = inspection->mounts;
	question.mounts_count = inspection->mounts_count;
	ex->looking_at = NULL;
	return errpipe_explain(ex, &question);
}

/* --- the inspecting process ------------------------------------------------------------------- */

/*
 * Replace a descriptor by one that is O_PATH. Such a descriptor keeps neither an end of a pipe nor a lock nor a writer
 * open. And /dev/stdin still leads to the same file, in case that is the question.
 */
static void let_go(int fd)
{
	char proc[64];
	int path_fd;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	path_fd = open(proc, O_PATH | O_CLOEXEC);
	if (path_fd < 0 || dup3(path_fd, fd, O_CLOEXEC) < 0)
		close(fd);
	if (path_fd >= 0)
		close(path_fd);
}

/* Returns false if /proc does not show the descriptors. */
static bool let_go_by_proc(int to)
{
	DIR *proc = opendir("/proc/self/fd");
	struct dirent *entry;
	bool done;

	if (!proc)
		return false;
	while (errno = 0, (entry = readdir(proc))) {
		int fd = atoi(entry->d_name);

		if (*entry->d_name != '.' && fd != to && fd != dirfd(proc))
			let_go(fd);
	}
	done = errno == 0;
	closedir(proc);
	return done;
}

/*
 * While a file system does not respond, this process cannot be killed. Others would wait for its descriptors: a shell
 * for the end of $(errpipe explain ...), flock(1) for its lock. Without /proc all of them are closed.
 */
static void let_go_of_all_but(int to)
{
	if (let_go_by_proc(to))
		return;
	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		if (fd != to)
			close(fd);
	}
}

__attribute__((noreturn)) static void work_and_exit(int (*work)(void *data), void *data, int to)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	let_go_of_all_but(to);
	ret = work(data);
	_exit(write(to, &ret, sizeof(ret)) != sizeof(ret));
}

static bool is_readable(int fd, int milliseconds)
{
	struct pollfd poll_fd = { fd, POLLIN, 0 };
	int ret;

	do
		ret = poll(&poll_fd, 1, milliseconds);
	while (ret < 0 && errno == EINTR);
	return ret > 0;
}

/*
 * Trap: not even SIGKILL wakes a process that waits for some file systems (FUSE, in the kernel's fs/fuse/dev.c). Waiting
 * for its end could take as long. Leave it to the process that reaps orphans.
 */
static int await(int milliseconds, pid_t pid, int from)
{
	bool in_time = is_readable(from, milliseconds), gone = in_time;
	int ret;

	if (!in_time) {
		kill(pid, SIGKILL);
		gone = is_readable(from, DEATH_MILLISECONDS);
	}
	if (!gone || read(from, &ret, sizeof(ret)) != sizeof(ret))
		ret = in_time ? -ENOTRECOVERABLE : NO_ANSWER;
	waitpid(pid, NULL, gone ? 0 : WNOHANG);
	return ret;
}

int work_apart(int (*work)(void *data), void *data, int milliseconds)
{
	int fd[2], ret = errpipe_pipe(fd);
	pid_t pid;

	if (ret < 0)
		return ret;
	pid = fork();
	if (pid == 0)
		work_and_exit(work, data, fd[1]);
	ret = -errno;
	close(fd[1]);
	if (pid > 0)
		ret = await(milliseconds, pid, fd[0]);
	close(fd[0]);
	return ret;
}

/* --- the explanation -------------------------------------------------------------------------- */

void replace_finding(struct errpipe_explanation *ex, enum errpipe_cause cause, enum errpipe_certainty certainty)
{
	ex->cause = cause;
	ex->certainty = certainty;
	ex->works = ex->starts = ex->status = ex->error = 0;
	ex->broken = -1;
	ex->subject = ex->object = NULL;
	ex->subject_here = ex->object_here = ex->needer_here = ex->root_here = NULL;
	ex->number = ex->limit = 0;
	ex->arguments = ex->variables = (struct errpipe_strings){ 0, 0 };
	ex->detail = ERRPIPE_DETAIL_NONE;
	ex->denied = (struct errpipe_denied){ .as = ERRPIPE_CLASS_NONE };
	ex->writers = (struct errpipe_writers){ .count = 0 };
	ex->needs_libc = ex->has_libc = NULL;
	ex->needer = ex->searched = ex->available = ex->shadowing = ex->shadowed = NULL;
	ex->subject_content = ERRPIPE_CONTENT_UNKNOWN;
}

/* Keep the links that were found before the time was up. */
static void give_up(struct errpipe_explanation *ex, const struct inspection *inspection)
{
	while (ex->links && !ex->link[ex->links - 1].path)
		ex->links--;
	replace_finding(ex, ERRPIPE_CAUSE_NO_ANSWER, ERRPIPE_UNSURE);
	ex->broken = ex->links - 1;
	ex->subject = ex->looking_at ? ex->looking_at : inspection->question.path;
}

struct errpipe_explanation *new_explanation(void)
{
	void *memory = mmap(NULL, sizeof(struct errpipe_explanation), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int explain_safely(struct errpipe_explanation **explanation, const struct inspection *inspection)
{
	struct shared shared = { .inspection = inspection, .ex = new_explanation() };
	int ret;

	*explanation = shared.ex;
	if (!shared.ex)
		return -errno;
	ret = work_apart(do_inspect, &shared, inspection->milliseconds);
	if (ret != NO_ANSWER)
		return ret;
	give_up(shared.ex, inspection);
	return 0;
}

void free_explanation(struct errpipe_explanation *explanation)
{
	if (explanation)
		munmap(explanation, sizeof(*explanation));
}

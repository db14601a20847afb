/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "explain/walk.h"

/* A process that was killed has that long to be gone. */
enum { DEATH_MILLISECONDS = 200 };

/* The path of a descriptor, malloc'd, or NULL. */
static char *path_of(int fd)
{
	char proc[64], *path = malloc(PATH_MAX);
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = path ? readlink(proc, path, PATH_MAX - 1) : -1;
	if (n < 0) {
		free(path);
		return NULL;
	}
	path[n] = '\0';
	return path;
}

/*
 * Runtimes mount onto what a link in the root leads to: /var/run/x is /run/x, mostly. malloc'd, or NULL: it is as it is, or
 * not there yet.
 */
static char *behind_links(int root, const char *at)
{
	int fd = errpipe__open_in_root(root, at, ERRPIPE__IN_ROOT | ERRPIPE__NO_MAGICLINKS);
	char *top = path_of(root), *path = fd < 0 ? NULL : path_of(fd);
	size_t length = top && top[1] ? strlen(top) : 0;

	if (fd >= 0)
		close(fd);
	if (!top || !path || strncmp(path, top, length) != 0 || path[length] != '/') {
		free(path);
		path = NULL;
	} else {
		memmove(path, path + length, strlen(path + length) + 1);
	}
	free(top);
	return path;
}

/* This process ends soon, and what is malloc'd with it. */
static void follow_links(int root, const struct look *look)
{
	for (size_t i = 0; i < look->mounts_count; i++) {
		const char *at = behind_links(root, look->mounts[i].at);

		if (at)
			look->mounts[i].at = at;
	}
}

/* One that cannot be opened is one that is not known yet. */
static void open_sources(struct errpipe_explanation *ex, const struct look *look)
{
	for (size_t i = 0; i < look->mounts_count; i++) {
		look->mounts[i].source = -1;
		if (!look->sources[i])
			continue;
		ex->looking_at = look->sources[i];
		look->mounts[i].source = openat(look->base, look->sources[i], O_PATH | O_CLOEXEC);
	}
}

static int do_look(struct errpipe_explanation *ex, const struct look *look)
{
	struct errpipe_question question = look->question;

	question.root = ERRPIPE_OWN_ROOT;
	if (look->root) {
		ex->looking_at = look->root;
		question.root = openat(look->base, look->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (question.root < 0)
			return -errno;
		follow_links(question.root, look);
	}
	open_sources(ex, look);
	question.mounts = look->mounts;
	question.mounts_count = look->mounts_count;
	ex->looking_at = NULL;
	return errpipe_explain(ex, &question);
}

__attribute__((noreturn)) static void look_and_exit(struct errpipe_explanation *ex, const struct look *look, int to)
{
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = do_look(ex, look);
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

/* As far as it came. */
static void give_up(struct errpipe_explanation *ex, const struct look *look)
{
	while (ex->links && !ex->link[ex->links - 1].path)
		ex->links--;
	ex->cause = ERRPIPE_CAUSE_NO_ANSWER;
	ex->certainty = ERRPIPE_UNSURE;
	ex->works = 0;
	ex->error = 0;
	ex->broken = ex->links - 1;
	ex->subject = ex->looking_at ? ex->looking_at : look->question.path;
	ex->object = NULL;
	ex->number = ex->limit = 0;
}

/*
 * Trap: a process can wait for a file system where not even SIGKILL wakes it (FUSE, in the kernel's fs/fuse/dev.c), and
 * who waits for its end then waits as long. It is left to whoever reaps orphans.
 */
static int await(struct errpipe_explanation *ex, const struct look *look, pid_t pid, int from)
{
	bool in_time = is_readable(from, look->milliseconds), gone = in_time;
	int ret;

	if (!in_time) {
		kill(pid, SIGKILL);
		gone = is_readable(from, DEATH_MILLISECONDS);
	}
	if (!gone || read(from, &ret, sizeof(ret)) != sizeof(ret))
		ret = -ENOTRECOVERABLE;
	waitpid(pid, NULL, gone ? 0 : WNOHANG);
	if (ret == -ENOTRECOVERABLE && !in_time) {
		give_up(ex, look);
		ret = 0;
	}
	return ret;
}

int explain_safely(struct errpipe_explanation **explanation, const struct look *look)
{
	struct errpipe_explanation *ex;
	int fd[2], ret;
	pid_t pid;

	*explanation = NULL;
	ex = mmap(NULL, sizeof(*ex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ex == MAP_FAILED)
		return -errno;
	*explanation = ex;
	ret = errpipe_pipe(fd);
	if (ret < 0)
		return ret;
	pid = fork();
	if (pid == 0)
		look_and_exit(ex, look, fd[1]);
	ret = -errno;
	close(fd[1]);
	if (pid > 0)
		ret = await(ex, look, pid, fd[0]);
	close(fd[0]);
	return ret;
}

int go_on_watched(int milliseconds, const char *failure)
{
	int fd[2], status = 0, ret = errpipe_pipe(fd);
	pid_t pid;

	/* If it is ignored, as we may have inherited that, there is no status to be had. */
	signal(SIGCHLD, SIG_DFL);
	pid = ret < 0 ? -1 : fork();
	if (pid < 0)
		exit(own_failure(ret < 0 ? -ret : errno, "cannot start a process"));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fd[0]);
		return fd[1];
	}
	close(fd[1]);
	if (!is_readable(fd[0], milliseconds)) {
		kill(pid, SIGKILL);
		exit(own_failure(0, "%s", failure));
	}
	do
		ret = waitpid(pid, &status, 0);
	while (ret < 0 && errno == EINTR);
	exit(ret > 0 && WIFEXITED(status) ? WEXITSTATUS(status)
					  : own_failure(0, "cannot tell: whoever has looked has died"));
}

void free_explanation(struct errpipe_explanation *explanation)
{
	if (explanation)
		munmap(explanation, sizeof(*explanation));
}

/* SPDX-License-Identifier: MIT */
/* Children of errpipe_spawn(). */
#ifndef TESTS_SPAWNED_H
#define TESTS_SPAWNED_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "errpipe.h"
#include "rounds.h"

static inline struct errpipe_child start(const struct errpipe_spawn *spawn, const char *path, char *const argv[])
{
	struct errpipe_child child;

	ck_assert_int_eq(errpipe_spawn(&child, spawn, path, argv, environ), 0);
	return child;
}

static inline struct errpipe_report finish(struct errpipe_child *child)
{
	struct errpipe_report report;

	/* The report is output only: its previous content must not matter. */
	memset(&report, 0x5a, sizeof(report));
	ck_assert_int_eq(errpipe_wait(child, &report), 0);
	return report;
}

static inline struct errpipe_report run(const struct errpipe_spawn *spawn, const char *path, char *const argv[])
{
	struct errpipe_child child = start(spawn, path, argv);

	return finish(&child);
}

/* Keeps a process alive until the test closes its end or exits. */
struct leash {
	int fd[2];
};

static inline int hold_by_stdin(void *data, unsigned *step)
{
	const struct leash *leash = data;

	(void)step;
	return dup2(leash->fd[0], STDIN_FILENO) < 0 ? -errno : 0;
}

static inline int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The number that the write end of the next pipe will get. */
static inline int second_free(void)
{
	int fd[2];

	make_pipe(fd);
	close(fd[0]);
	close(fd[1]);
	return fd[1];
}

/* A record, and a byte more. */
static const unsigned char forged[17] = { 'd', 'm', 'z', 1, 62, 0, 0, 0, ENOEXEC };

struct forgery {
	struct leash leash;
	int report;
	size_t size;
};

static inline int forge(void *data, unsigned *step)
{
	const struct forgery *forgery = data;

	if (write(forgery->report, forged, forgery->size) < 0)
		return -errno;
	return hold_by_stdin(data, step);
}

/* Start a target that runs until it is killed, and that wrote a record before its exec. */
static inline struct errpipe_child start_forgery(const struct errpipe_spawn *spawn, struct forgery *forgery)
{
	struct errpipe_spawn forging = *spawn;
	char *argv[] = { (char *)"cat", NULL };

	make_pipe(forgery->leash.fd);
	forgery->report = second_free();
	forging.prepare = forge;
	forging.data = forgery;
	return start(&forging, "/bin/cat", argv);
}

/* Run path without arguments. */
static inline struct errpipe_report run_plain(const struct errpipe_spawn *spawn, const char *path)
{
	char *argv[] = { (char *)path, NULL };

	return run(spawn, path, argv);
}

/* Exec /bin/true through the stub, without a fallback. */
static inline struct errpipe_report try_stub(int stub)
{
	const struct errpipe_spawn spawn = { .stub = stub, .flags = ERRPIPE_STUB_ONLY };

	return run_plain(&spawn, "/bin/true");
}

#endif

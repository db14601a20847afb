/* SPDX-License-Identifier: MIT */
/* Children of errpipe_spawn(). */
#ifndef TESTS_SPAWNED_H
#define TESTS_SPAWNED_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

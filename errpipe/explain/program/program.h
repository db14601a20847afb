/* SPDX-License-Identifier: MIT */
/*
 * What happens after the exec and before the program's own code. The kernel has started the program. Each function
 * returns 0, or -1 after ep_finding_set() with the exit status that follows.
 */
#ifndef ERRPIPE_EXPLAIN_PROGRAM_H
#define ERRPIPE_EXPLAIN_PROGRAM_H

#include "explain/kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* The program that the kernel has started. */
struct ep_running {
	const struct errpipe_link *link;
	int fd; /* open for reading */
	const struct ep_head *head;
	const struct errpipe_link *loader; /* NULL: it is static */
	int loader_fd;
};

/* libraries.c: does its loader find all libraries and versions? Fills in ex->library. */
int ep_libraries(struct ep_check *c, const struct ep_running *running);

/* env.c: is it env(1)? Then *next is the command that env execs. */
int ep_env(struct ep_check *c, const struct ep_running *running, struct ep_next *next);

#pragma GCC visibility pop

#endif

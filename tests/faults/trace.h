/* SPDX-License-Identifier: MIT */
/* Run a scene under ptrace(2): note each system call of it and of its children, and fail or kill at one of them. */
#ifndef TESTS_FAULTS_TRACE_H
#define TESTS_FAULTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum { ROLES = 4, CALLS = 16384, ALWAYS = 3 };

/* A system call. Role 0 is the scene, 1 its first child and so on; fcntl(2) and prctl(2) are one for each operation. */
struct call {
	int role;
	long number, operation;
	int occurrence; /* the first is 1 */
	size_t stop;	/* of the role, as the call begins; the next one is where it ends */
};

struct plan {
	long always[ALWAYS]; /* system calls that this kernel does not know; 0: no more */

	/* That call fails. */
	struct call call;
	int error; /* 0: none does */
	bool done; /* it does all the same what it is for */

	/* At that stop, of which each system call has two, the role gets the signals, and goes on after each. */
	int victim;
	size_t stop;
	int signals[2]; /* 0: none */
};

struct trace {
	struct call *calls; /* room for CALLS, in their order */
	size_t count;
	size_t stops[ROLES];
	bool reached;	 /* what was planned has happened */
	bool target_ran; /* somebody became the target */
	bool hung;
	int status; /* wait status of the scene */
};

/* Of a scene: what is traced begins and ends here. */
void trace_begin(void);
void trace_end(void);

/* Run scene(data) in a process of its own. target is what it starts in the end, as /proc/PID/exe names it. */
void trace_run(struct trace *trace, const struct plan *plan, const char *target, void (*scene)(void *), void *data);

#endif

/* SPDX-License-Identifier: MIT */
/* Run a scene under ptrace(2), record each system call of it and of its children, and inject a fault at one of them. */
#ifndef TESTS_FAULTS_TRACE_H
#define TESTS_FAULTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum { ROLES = 4, CALLS = 16384, ALWAYS = 3 };

/* A system call. Role 0 is the scene, 1 its first child and so on. Each operation of fcntl(2) and prctl(2) is a separate call. */
struct call {
	int role;
	long number, operation;
	int occurrence; /* the first is 1 */
	size_t stop;	/* the role's stop at which the call begins; it ends at the next one */
};

struct plan {
	long always[ALWAYS]; /* system calls that always fail with ENOSYS; 0 ends the list */

	/* This call fails. */
	struct call call;
	int error; /* 0: no call fails */
	bool done; /* the call still takes effect */

	/* At this stop (each system call has two) the role gets the signals, and continues after each. */
	int victim;
	size_t stop;
	int signals[2]; /* 0: none */
};

struct trace {
	struct call *calls; /* room for CALLS, in chronological order */
	size_t count;
	size_t stops[ROLES];
	bool reached;	 /* the planned fault was injected */
	bool target_ran; /* a process became the target */
	bool hung;
	int status; /* the wait status of the scene */
};

/* A scene calls these: tracing begins and ends here. */
void trace_begin(void);
void trace_end(void);

/* Run scene(data) in a new process. target is the program that it starts at last, as /proc/PID/exe names it. */
void trace_run(struct trace *trace, const struct plan *plan, const char *target, void (*scene)(void *), void *data);

#endif

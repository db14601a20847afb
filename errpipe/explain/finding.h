/* SPDX-License-Identifier: MIT */
/*
 * What is being explained and what was found: the lowest layer of explain. The files in facts/ read and parse, those in
 * kernel/ decide and record a finding here, and explain.c calls them in the order of execve(2).
 */
#ifndef ERRPIPE_EXPLAIN_FINDING_H
#define ERRPIPE_EXPLAIN_FINDING_H

#include <stdbool.h>
#include <sys/stat.h>

#include "errpipe_explain.h"
#include "common/common.h"

#pragma GCC visibility push(hidden)

/* One call of errpipe_explain(). */
struct ep_check {
	const struct errpipe_question *question;
	struct errpipe_explanation *ex;
	int root;		/* O_PATH */
	struct errpipe_who who; /* of the question, or the caller's */
	bool own_identity;	/* who is the caller, so the kernel can be asked */
	unsigned steps;		/* system calls that may still be made to look up paths and to list directories */
	uint64_t data;		/* how much of RLIMIT_DATA the segments so far take */
	uint64_t addresses;	/* how much of RLIMIT_AS they take at least */
	const struct errpipe_link *untried; /* the program, if the kernel may not run its kind; or NULL */
	const struct errpipe_link
		*cut; /* the last script whose first line is longer than the kernel reads; or NULL */
	const struct errpipe_link *mistaken; /* a text that a handler takes for a Windows program; or NULL */
	bool has_started; /* the kernel's part is over without a fault: what follows is the program's own */
	bool doubts;	  /* the loader may do something that is not modelled, so "nothing is wrong" is not certain */
	int exec_error;	  /* the errno of the last finding, also of an exec after the first */
	int asks;	  /* 1: the kernel can be asked by AT_EXECVE_CHECK; -1: it cannot; 0: not known yet */
};

/* A path and 40 symbolic links can have 41 * 2048 components. No path in use has as many as this. */
enum { EP_STEPS_MAX = 20000 };

/* The result of one rule, in the members of struct errpipe_explanation. Members that it leaves out are 0 or NULL. */
struct ep_finding {
	enum errpipe_cause cause;
	enum errpipe_certainty certainty; /* 0: as certain as everything before it */
	int works;			  /* nonzero: the exec starts the program all the same */
	int starts;			  /* nonzero: works, and its own code runs */
	int status;		      /* the exit status of the loader or env(1) that stops; 0: unknown, or none */
	int error;		      /* 0: the kernel kills the process, or nothing fails */
	int broken;		      /* ep_finding_set() fills it in */
	const char *subject, *object; /* kept, or constant */
	const char *subject_here, *object_here, *needer_here, *root_here; /* kept */
	uint64_t number, limit;
	struct errpipe_strings arguments, variables;
	enum errpipe_detail detail;
	struct errpipe_denied denied;
	struct errpipe_writers writers;
	const char *needs_libc, *has_libc;
	const char *needer, *searched, *available, *shadowing, *shadowed;
	enum errpipe_content subject_content;
};

/*
 * Record that the exec fails at this link, or, with NULL, at no particular one. Always returns -1, as all functions of
 * explain do after a finding. Only the first finding counts.
 */
int ep_finding_set(struct ep_check *c, const struct errpipe_link *link, struct ep_finding finding);

/*
 * Replace the cause by a more specific one, with its object, detail and C libraries, and with its certainty, subject, number
 * and available if it has these. The rest stays.
 */
void ep_finding_refine(struct ep_check *c, struct ep_finding finding);

/* The script whose first line names this interpreter or, by way of env(1), this command; or NULL. */
const struct errpipe_link *ep_naming_script(const struct ep_check *c, const struct errpipe_link *link);

/* Copy the finding out of an explanation, and back into it. */
struct ep_finding ep_finding_get(const struct errpipe_explanation *ex);
void ep_finding_put(struct errpipe_explanation *ex, const struct ep_finding *finding);

/* Nothing is wrong. */
void ep_finding_clear(struct errpipe_explanation *ex);

/* Format a string into the explanation's arena, truncated if the arena is full. Never NULL. */
__attribute__((format(printf, 2, 3))) const char *ep_keep(struct ep_check *c, const char *format, ...);

#pragma GCC visibility pop

#endif

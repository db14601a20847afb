/* SPDX-License-Identifier: MIT */
/* The scenes: each calls a part of library or command while faults are injected. */
#ifndef TESTS_FAULTS_SCENES_H
#define TESTS_FAULTS_SCENES_H

#include <stdbool.h>

#include "errpipe_explain.h"
#include "trace.h"

enum kind {
	VALUE,	 /* a function that returns a value or a negative errno */
	SPAWN,	 /* a child tries to become the target, which gives a verdict */
	LOOK,	 /* errpipe_explain() */
	COMMAND, /* main() of errpipe */
	GO,	 /* package dmz, in a program that prints the outcome */
};

/* This is in memory shared with the scene's process. */
struct outcome {
	int begun; /* the result of errpipe_spawn() or of the function under test */
	int waited;
	struct errpipe_report report;
	bool usable; /* the function's result is correct */
	bool works, certain;
	int status; /* the command's exit status */

	/* These are set at the end of the scene. */
	bool done;
	int descriptors; /* the change in the number of open descriptors */
	bool child_left, mask_changed, action_changed;
};

struct scene {
	const char *name;
	enum kind kind;
	void (*play)(const struct scene *scene);
	long always[ALWAYS];	 /* system calls that fail with ENOSYS */
	const char *path;	 /* the program to start */
	unsigned flags;		 /* for errpipe_spawn() or errpipe_exec() */
	const char *argument[8]; /* the command's arguments, or options of the scene */
	bool mounts;		 /* needs its own mount namespace */
};

extern const struct scene scenes[];
extern const size_t scenes_count;
extern struct outcome *outcome;

/* scenes_prepare() writes its files to the working directory. */
extern const char *target;
void scenes_prepare(void);

/* The command's output as a string: 0 is the report, 1 and 2 are the streams. */
const char *printed(int stream);

/* allocations.c: the allocation of this number fails, and perhaps all later ones; 0: none fails. */
extern long allocation_to_fail;
extern bool allocations_fail_ever_after;
extern long *allocations_made;

/* The function that trace_run() runs. */
void scene_play(void *scene);

#endif

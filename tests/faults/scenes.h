/* SPDX-License-Identifier: MIT */
/* What is done while calls fail: each path of library and command. */
#ifndef TESTS_FAULTS_SCENES_H
#define TESTS_FAULTS_SCENES_H

#include <stdbool.h>

#include "errpipe_explain.h"
#include "trace.h"

enum kind {
	VALUE,	 /* a function that gives something, or a negative errno */
	SPAWN,	 /* a child becomes the target, or not, and there is a verdict */
	LOOK,	 /* errpipe_explain() */
	COMMAND, /* errpipe, by its main() */
	GO,	 /* package dmz, by a program that prints its outcome */
};

/* In memory that is shared with the scene's process. */
struct outcome {
	int begun; /* what errpipe_spawn(), or that function, has returned */
	int waited;
	struct errpipe_report report;
	bool usable; /* what the function has given is what it should be */
	bool works, certain;
	int status; /* of the command */

	/* Afterwards. */
	bool done;
	int descriptors; /* more or less of them than before */
	bool child_left, mask_changed, action_changed;
};

struct scene {
	const char *name;
	enum kind kind;
	void (*play)(const struct scene *scene);
	long always[ALWAYS];	 /* system calls that the kernel does not know */
	const char *path;	 /* what is started */
	unsigned flags;		 /* of errpipe_spawn() or errpipe_exec() */
	const char *argument[8]; /* of the command */
	bool mounts;		 /* in a mount namespace of its own */
};

extern const struct scene scenes[];
extern const size_t scenes_count;
extern struct outcome *outcome;

/* The target, and a folder for the files of scenes_prepare(). */
extern const char *target;
void scenes_prepare(void);

/* What the command has printed, and where it ends: 0 is the report, 1 and 2 the streams. */
const char *printed(int stream);

/* allocations.c: from that one on, or only that one, allocations fail; 0: none. */
extern long allocation_to_fail;
extern bool allocations_fail_ever_after;
extern long *allocations_made;

/* For trace_run(). */
void scene_play(void *scene);

#endif

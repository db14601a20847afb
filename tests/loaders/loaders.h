/* SPDX-License-Identifier: MIT */
/* The parts of compare_loaders, see compare.c. */
#ifndef ERRPIPE_TESTS_LOADERS_H
#define ERRPIPE_TESTS_LOADERS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { NOBODY = 65534, FILES_MAX = 512, ENVIRONMENT_MAX = 4 };

/* load.c: what the loader itself does. */

struct outcome {
	int error;    /* the errno of the exec, or 0 */
	bool started; /* it came to the program's first instruction */
	int status;   /* otherwise: as wait(2) returns it */
	char words[16384];
	/* The files that are mapped to be executed: paths in the root. */
	int files;
	char *file[FILES_MAX];
};

/* How to tell that a program has started. */
enum method {
	TO_FIRST_INSTRUCTION, /* with ptrace(2) */
	LIST_LIBRARIES	      /* with LD_TRACE_LOADED_OBJECTS, for a program that runs in an emulator */
};

void load(struct outcome *outcome, const char *root, const char *program, char *const envp[], enum method method);
void forget(struct outcome *outcome);

/* change.c: take a library away, or put another one in its place. */

/* A library as it is in the root. */
struct library {
	const char *path; /* all links resolved */
	char name[256];	  /* its DT_SONAME, or the last component of path */
	unsigned char *image;
	size_t size;
};

/* Returns 0, or -1 if it is not a library of this machine that can be changed. */
int read_library(struct library *library, const char *root, const char *path);
void forget_library(struct library *library);

/* The directory of foreign-machine.so, foreign-class.so and foreign-order.so: libraries of other machines. */
extern const char *foreign_libraries;

struct change;
const struct change *change_number(int number); /* from 0; NULL: there are no more */
const char *change_name(const struct change *change);
/* Does it change a library, and not only the environment? */
bool change_needs_library(const struct change *change);

/*
 * Make the change in upper, the upper directory of an overlay of root, and in envp. Returns 0, or -1 if it does not apply
 * to the library.
 */
int make_change(const struct change *change, const struct library *library, const char *root, const char *upper,
		char *envp[ENVIRONMENT_MAX]);

#endif

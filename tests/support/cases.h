/* SPDX-License-Identifier: MIT */
/* The table of failing execs, tests/cases.txt, which says what its columns mean. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <stddef.h>

enum case_who { CASE_ANY, CASE_ROOT, CASE_USER };
enum case_surfaces { CASE_ALL, CASE_LIBRARY };

enum { CASE_POLICIES = 4 };

struct exec_case {
	const char *name, *path, *state, *words;
	enum case_who who;
	enum case_surfaces surfaces;
	int error;
	int exit_codes[CASE_POLICIES]; /* in the order of enum errpipe_policy */
	int cause, broken;	       /* enum errpipe_cause; a link, or -1 */
};

extern struct exec_case *cases;
extern size_t case_count;

/*
 * Fill the two above from the file ERRPIPE_CASES, or from tests/cases.txt below ERRPIPE_SRC. Ends
 * the program with a message if there is no table, or one with a mistake in it.
 */
void load_cases(void);

/* The number of an errno that is given by name or number; -1 if it is none. */
int error_number(const char *name);

/* The other direction, for numbers that have a name. */
const char *error_name(int error);

#endif

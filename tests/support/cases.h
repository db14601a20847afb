/* SPDX-License-Identifier: MIT */
/* The table of failing execs. tests/cases.txt explains its columns. */
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
	int cause, broken;	       /* enum errpipe_cause; the index of the broken link, or -1 */
};

extern struct exec_case *cases;
extern size_t case_count;

/*
 * Read the table into cases and case_count. It is the file ERRPIPE_CASES, or else tests/cases.txt below ERRPIPE_SRC.
 * A missing or malformed table ends the program with a message.
 */
void load_cases(void);

/* Convert the name or the decimal number of an errno. Returns -1 if it is neither. */
int error_number(const char *name);

/* The name of an errno, or NULL if the table of names lacks it. */
const char *error_name(int error);

#endif

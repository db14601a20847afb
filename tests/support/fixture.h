/* SPDX-License-Identifier: MIT */
/* A directory with a file for each case of tests/cases.txt. Its bin/ holds copies of dmz and errpipe. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

/*
 * Create the directory below TMPDIR or /tmp and return its path. The process that created it removes it on exit. A
 * failure ends the program with a message.
 *
 * Call it once, before the tests. Some files exist only if root creates the directory.
 */
const char *fixture_make(void);

/*
 * Remember an allocation until the process exits, which is soon. Tests free nothing, and this keeps leak checkers
 * quiet. Returns memory; ends the process if it is NULL.
 */
void *keep(void *memory);

/* Expand the path of a case, as tests/cases.txt describes. */
char *fixture_path(const char *path);

/* The path of a file in the build directory, such as "tests/prog_show". */
char *built_path(const char *name);

/* Read the target of /proc/self/fd/FD; a memfd has "/memfd:NAME (deleted)". path has PATH_MAX bytes. */
void path_behind(int fd, char *path);

/* e_machine of the running program. */
unsigned own_machine(void);

#endif

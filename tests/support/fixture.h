/* SPDX-License-Identifier: MIT */
/* A folder with a file for each case of tests/cases.txt; copies of dmz and errpipe are in bin/. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

/*
 * Make the folder, below TMPDIR or /tmp. Ends the program with a message if it cannot be made. It
 * is removed when the process that has made it exits. Returns its path.
 *
 * Call it once, before the tests. Some files exist only if root makes the folder.
 */
const char *fixture_make(void);

/*
 * Memory of a test lives as long as the test's process, which is short. So nothing is freed, and
 * nothing is a leak as this remembers it. Returns memory, or ends the process if it is NULL.
 */
void *keep(void *memory);

/* What the path of a case stands for. */
char *fixture_path(const char *path);

/* A file that the build made, as "tests/prog_show". */
/* What /proc says that is behind a descriptor: for a memfd "/memfd:NAME (deleted)". path is of PATH_MAX bytes. */
void path_behind(int fd, char *path);

char *built_path(const char *name);

/* What is behind a descriptor, as /proc tells it: of a memfd "/memfd:NAME (deleted)". path has PATH_MAX bytes. */
void path_behind(int fd, char *path);

/* e_machine of the running program. */
unsigned own_machine(void);

#endif

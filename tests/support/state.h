/* SPDX-License-Identifier: MIT */
/* What a process does to itself before an exec, so that it fails: the states of tests/cases.txt. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

enum { NOBODY = 65534 };

enum identity {
	AS_SELF,   /* whoever runs the tests */
	AS_NOBODY, /* an ordinary user: uid and gid 65534, no groups; unless whoever runs the tests is one already */
};

/*
 * Enter a state, and become somebody. For a child that will exec, in this order, as most states
 * need rights. NULL is no state. Besides those of the table there are these:
 *
 *	seccomp-fcntl:N		fcntl(2) returns the errno N
 *	seccomp-close-on-exec:N	ioctl(2) does as well
 *	seccomp-execveat:N	execveat(2) does
 *
 * Return 0, -EOPNOTSUPP if this machine lacks the state, or another negative errno. The missing ability is then
 * "needs NAME", for SKIP().
 */
int enter_state(const char *name, const char *fixture);
const char *state_needs(const char *name);
int become(enum identity identity);

/*
 * Start the program anew without valgrind, if it runs under it: valgrind decides itself which
 * programs can be exec'd, and has its own ideas of signals and limits.
 */
void leave_valgrind(char **argv);

/*
 * Every signal as by default, and none blocked. 32 and 33 too, which libc hides: a process that posix_spawn(3) of glibc
 * has started ignores them, as those of make do.
 */
void default_signals(void);

/* The argv for a case: path alone, unless its state is one of argv. */
char **state_argv(const char *state, char *path);

#endif

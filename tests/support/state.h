/* SPDX-License-Identifier: MIT */
/* What a process does to itself so that its next exec fails: the states of tests/cases.txt. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

enum { NOBODY = 65534 };

enum identity {
	AS_SELF,   /* the user who runs the tests */
	AS_NOBODY, /* an ordinary user: uid and gid 65534 without groups, or the user who runs the tests if not root */
};

/*
 * Call enter_state() and then become() in a child that will exec. Most states need privileges, so the order matters.
 * A NULL name enters no state. Besides those of the table these states exist:
 *
 *	seccomp-fcntl:N		fcntl(2) fails with the errno N
 *	seccomp-close-on-exec:N	fcntl(2) and ioctl(2) fail with it
 *	seccomp-execveat:N	execveat(2) fails with it
 *
 * Both return 0 or a negative errno; -EOPNOTSUPP means that this machine lacks the state. state_needs() then returns
 * the missing ability as "needs NAME", for SKIP().
 */
int enter_state(const char *name, const char *fixture);
const char *state_needs(const char *name);
int become(enum identity identity);

/*
 * Restart the program without Valgrind if it runs under it. Valgrind decides by itself which programs can be exec'd,
 * and handles signals and limits in its own way.
 */
void leave_valgrind(char **argv);

/*
 * Reset every signal to its default action and unblock all. That includes 32 and 33, which libc hides: glibc's
 * posix_spawn(3) starts processes that ignore them, and make uses it.
 */
void default_signals(void);

/* The argv for a case: path alone, unless the state adds arguments. */
char **state_argv(const char *state, char *path);

#endif

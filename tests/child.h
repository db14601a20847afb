/* SPDX-License-Identifier: MIT */
/* The fork and the wait of a test, which both have to work. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

static inline pid_t checked_fork(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	return pid;
}

/* Returns the wait status. */
static inline int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Child processes of a test. These functions assert that their system calls succeed. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static inline pid_t checked_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
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

/* Run check in a child, because its effects cannot be undone. */
static inline void in_child(void (*check)(int i), int i)
{
	pid_t pid = checked_fork();

	if (pid == 0) {
		check(i);
		_exit(0);
	}
	ck_assert_int_eq(wait_for(pid), 0);
}

static inline void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert(memory != MAP_FAILED);
	return memory;
}

static inline void make_pipe(int fd[2])
{
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
}

/* Valgrind cannot exec a memfd and does not support pidfds. A close look at a child would see Valgrind itself. */
static inline bool under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "vgpreload");
}

/* True once the process or thread sleeps. The next signal then interrupts its blocking call. */
static inline bool sleeps(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

#endif

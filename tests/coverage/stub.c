/* SPDX-License-Identifier: MIT */
/* The stub's source in a hosted program, for make coverage: its reaction to each answer that the kernel can give. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_REACHED LONG_MIN

#include "../../dmz/_dmz.c"

static const struct stub_case {
	const char *fd;
	long fcntl, execve; /* the kernel's answers */
	int step, error;    /* in the record; a step of -1 means no record */
	int status;
	int operands; /* argc; 0: the usual 4 */
} cases[] = {
	{ "3", 0, -ENOENT, DMZ_STEP_EXEC, ENOENT, 127, 0 },
	{ "3", 0, -ENOEXEC, DMZ_STEP_EXEC, ENOEXEC, 126, 0 },
	{ "0003", 0, -DMZ_ERROR_MAX, DMZ_STEP_EXEC, DMZ_ERROR_MAX, 126, 0 },
	{ "3", 0, -DMZ_ERROR_MAX - 1, DMZ_STEP_EXEC, 0, 126, 0 },
	{ "3", 0, 0, DMZ_STEP_EXEC, 0, 126, 0 },
	{ "3", 0, 5, DMZ_STEP_EXEC, 0, 126, 0 },
	{ "3", -EPERM, NOT_REACHED, DMZ_STEP_FCNTL, EPERM, 125, 0 },
	{ "3", -EBADF, NOT_REACHED, -1, 0, 125, 0 },
	{ "", -EBADF, NOT_REACHED, -1, 0, 125, 0 },
	{ "3x", -EBADF, NOT_REACHED, -1, 0, 125, 0 },
	{ "2147483647", 0, -EACCES, DMZ_STEP_EXEC, EACCES, 126, 0 },
	{ "2147483648", -EBADF, NOT_REACHED, -1, 0, 125, 0 },
	{ "4294967299", -EBADF, NOT_REACHED, -1, 0, 125, 0 },
	{ "3", NOT_REACHED, NOT_REACHED, -1, 0, 125, 2 },
};

static const struct stub_case *now;
static unsigned record[4];
static int status, written;
static jmp_buf ended;

static void need(int is_so, const char *what)
{
	if (is_so)
		return;
	printf("not ok - stub \"%s\": %s\n", now->fd, what);
	exit(1);
}

long answer(enum call call, long a, long b, long c)
{
	switch (call) {
	case FCNTL:
		need(now->fcntl != NOT_REACHED && b == F_SETFD && c == FD_CLOEXEC, "fcntl");
		need((now->fcntl == -EBADF) == ((int)a < 0) || strcmp(now->fd, "3") == 0, "the descriptor");
		return now->fcntl;
	case EXECVE:
		need(now->execve != NOT_REACHED && strcmp((char *)a, "path") == 0, "execve");
		need(strcmp(*(char **)b, "name") == 0 && strcmp(*(char **)c, "environment") == 0, "argv and envp");
		return now->execve;
	case SIGPROCMASK:
		need(a == SIG_BLOCK && *(unsigned long *)b == -1UL && c == 8, "the signal mask");
		return 0;
	case WRITE:
		memcpy(record, (void *)b, sizeof(record));
		written++;
		return c;
	default:
		status = a;
		return 0;
	}
}

void trap(void)
{
	longjmp(ended, 1);
}

static void run(void)
{
	static char *words[] = { "dmz", "", "path", "name", NULL, "environment", NULL };
	static long stack[1 + sizeof(words) / sizeof(*words)];
	unsigned expected[] = DMZ_RECORD(now->step, now->error);

	words[1] = (char *)now->fd;
	stack[0] = now->operands ? now->operands : 4;
	memcpy(stack + 1, words, sizeof(words));
	written = 0;
	if (!setjmp(ended))
		_start_c(stack);
	need(status == now->status, "exit status");
	need(written == (now->step >= 0), "number of records");
	need(!written || memcmp(record, expected, sizeof(record)) == 0, "the record");
}

int main(void)
{
	for (now = cases; now < cases + sizeof(cases) / sizeof(*cases); now++)
		run();
	return 0;
}

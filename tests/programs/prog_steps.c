/* SPDX-License-Identifier: MIT */
/* prog_steps COMMAND [ARG...]: print the number of instructions that COMMAND executes before its next exec. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int is_exec(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

/* Resume the process by the ptrace(2) request how until its next exec, and count the stops. */
static long until_exec(pid_t pid, int how)
{
	int status;

	for (long stops = 0;; stops++) {
		if (ptrace(how, pid, NULL, NULL) < 0)
			fail("ptrace");
		if (waitpid(pid, &status, 0) < 0)
			fail("waitpid");
		if (!WIFSTOPPED(status)) {
			fprintf(stderr, "prog_steps: no exec, status %#x\n", status);
			exit(1);
		}
		if (is_exec(status))
			return stops;
	}
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			fail("ptrace");
		raise(SIGSTOP);
		execv(argv[1], argv + 1);
		fail(argv[1]);
	}

	if (waitpid(pid, NULL, 0) < 0)
		fail("waitpid");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
	until_exec(pid, PTRACE_CONT);
	printf("%ld\n", until_exec(pid, PTRACE_SINGLESTEP));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * inspect FILE ARGV0 [ARG...]: print as JSON the cost of FILE until it execs a program: system calls and instructions, both
 * including execve, page faults, and the memory in use before the exec, in kB.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int resume(pid_t pid, int how)
{
	int status;

	if (ptrace(how, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) < 0)
		fail("ptrace");
	if (!WIFSTOPPED(status)) {
		fprintf(stderr, "inspect: no exec, status %#x\n", status);
		exit(1);
	}
	return status;
}

static int is_exec(int status)
{
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8);
}

/* Returns a process that has exec'd FILE and is stopped before its first instruction. */
static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execv(argv[1], argv + 2);
		fail(argv[1]);
	}
	if (waitpid(pid, NULL, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
	while (!is_exec(resume(pid, PTRACE_CONT)))
		;
	return pid;
}

static long read_faults(pid_t pid)
{
	char path[64];
	long faults;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %ld", &faults) != 1)
		fail(path);
	fclose(file);
	return faults;
}

/* proc(5): smaps_rollup. */
static long read_memory(pid_t pid, const char *name)
{
	char path[64], line[256];
	long kilobytes, sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0 && sscanf(strchr(line, ':') + 1, "%ld", &kilobytes) == 1)
			sum += kilobytes;
	}
	fclose(file);
	return sum;
}

/* The last stop before the exec is the entry of execve, so the last figures read are those before it. */
static void follow_calls(pid_t pid)
{
	long stops = 0, first = read_faults(pid), faults = 0, resident = 0, own = 0;

	/* The first stop is the end of the exec of FILE itself. */
	resume(pid, PTRACE_SYSCALL);
	while (!is_exec(resume(pid, PTRACE_SYSCALL))) {
		stops++;
		faults = read_faults(pid) - first;
		resident = read_memory(pid, "Rss:");
		own = read_memory(pid, "Private_Dirty:");
	}
	printf("{ \"calls\": %ld, \"faults\": %ld, \"rss\": %ld, \"own\": %ld", (stops + 1) / 2, faults, resident,
	       own);
	kill(pid, SIGKILL);
}

static void count_instructions(pid_t pid)
{
	long steps = 0;

	while (!is_exec(resume(pid, PTRACE_SINGLESTEP)))
		steps++;
	printf(", \"instructions\": %ld }\n", steps);
	kill(pid, SIGKILL);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	follow_calls(start(argv));
	count_instructions(start(argv));
	return 0;
}

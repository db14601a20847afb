/* SPDX-License-Identifier: MIT */
/* Let the kernel and the loader start a program, and stop it before its own code. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/loaders/loaders.h"

enum { SECONDS_MAX = 20 };

#ifdef __x86_64__
enum { BREAKPOINT = 0xcc };
#elif defined(__aarch64__)
enum { BREAKPOINT = (int)0xd4200000 };
#else
#error "add the breakpoint of this machine"
#endif

static int *exec_error; /* shared with the child */

static void on_alarm(int signal)
{
	(void)signal;
}

/* Only the libraries' constructors run, and these as nobody. The loader obeys set-id bits, so the process may gain them. */
static void child(const char *root, const char *program, char *const envp[], int words, enum method method)
{
	char *const argv[] = { (char *)program, NULL };
	char *variables[ENVIRONMENT_MAX + 2] = { "LD_TRACE_LOADED_OBJECTS=1" };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(words, 1) < 0 || dup2(words, 2) < 0 || chroot(root) < 0 ||
	    chdir("/") < 0)
		_exit(1);
	if (method == TO_FIRST_INSTRUCTION) {
		if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		    setresuid(NOBODY, NOBODY, NOBODY) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		raise(SIGSTOP);
	}
	for (int i = 0; i <= ENVIRONMENT_MAX && envp[i]; i++)
		variables[i + 1] = envp[i];
	*exec_error = 0;
	execve(program, argv, variables + (method == TO_FIRST_INSTRUCTION));
	*exec_error = errno;
	_exit(0);
}

/* The address of the first instruction, from the auxiliary vector. */
static long entry_point(pid_t pid)
{
	unsigned long vector[2];
	char path[64];
	long entry = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (read(fd, vector, sizeof(vector)) == sizeof(vector))
		if (vector[0] == AT_ENTRY)
			entry = (long)vector[1];
	close(fd);
	return entry;
}

static bool set_breakpoint(pid_t pid)
{
	long entry = entry_point(pid);

	return entry && ptrace(PTRACE_POKETEXT, pid, entry, (long)BREAKPOINT) == 0;
}

static void read_maps(struct outcome *outcome, pid_t pid, const char *root)
{
	char path[64], line[PATH_MAX + 128], permissions[5];
	size_t length = strlen(root);
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		char *name = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (!name || sscanf(line, "%*s %4s", permissions) != 1 || permissions[2] != 'x')
			continue;
		if (strncmp(name, root, length) == 0)
			name += length;
		if (outcome->files < FILES_MAX &&
		    (outcome->files == 0 || strcmp(outcome->file[outcome->files - 1], name) != 0))
			outcome->file[outcome->files++] = strdup(name);
	}
	if (maps)
		fclose(maps);
}

/* Follow the child from its exec to the breakpoint, or to its end. */
static void follow(struct outcome *outcome, pid_t pid, const char *root)
{
	bool executed = false;
	int status;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);

		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			executed = set_breakpoint(pid);
			signal = 0;
		} else if (signal == SIGTRAP && executed) {
			outcome->started = true;
			read_maps(outcome, pid, root);
			break;
		} else if (signal == SIGSTOP) {
			ptrace(PTRACE_SETOPTIONS, pid, NULL, (long)(PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL));
			signal = 0;
		}
		ptrace(PTRACE_CONT, pid, NULL, (long)signal);
	}
	outcome->status = status;
}

/* The loader of glibc lists a missing library and exits with success. */
static void list(struct outcome *outcome, pid_t pid)
{
	if (waitpid(pid, &outcome->status, 0) == pid && outcome->status == 0 && *exec_error == 0)
		outcome->started = true;
}

static void read_words(struct outcome *outcome, int fd)
{
	ssize_t n = pread(fd, outcome->words, sizeof(outcome->words) - 1, 0);

	outcome->words[n > 0 ? n : 0] = '\0';
	while (n > 0 && outcome->words[n - 1] == '\n')
		outcome->words[--n] = '\0';
}

void load(struct outcome *outcome, const char *root, const char *program, char *const envp[], enum method method)
{
	const struct sigaction interrupt = { .sa_handler = on_alarm };
	int words = memfd_create("words", MFD_CLOEXEC);
	pid_t pid;

	if (!exec_error)
		exec_error =
			mmap(NULL, sizeof(*exec_error), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(outcome, 0, sizeof(*outcome));
	*exec_error = EINTR; /* unless the child comes to its exec */
	sigaction(SIGALRM, &interrupt, NULL);
	alarm(SECONDS_MAX);
	pid = fork();
	if (pid == 0)
		child(root, program, envp, words, method);
	if (method == TO_FIRST_INSTRUCTION)
		follow(outcome, pid, root);
	else
		list(outcome, pid);
	alarm(0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	outcome->error = outcome->started ? 0 : *exec_error;
	read_words(outcome, words);
	if (method == LIST_LIBRARIES && strstr(outcome->words, "not found"))
		outcome->started = false;
	close(words);
}

void forget(struct outcome *outcome)
{
	while (outcome->files)
		free(outcome->file[--outcome->files]);
}

/* SPDX-License-Identifier: MIT */
/*
 * Print the rights that a program has after an exec, and everything else in the process that an exec can change. Tests
 * compare two ways to exec by it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* All fields of proc(5) that are neither counters nor ids of processes. */
static const char *const shown[] = { "Name:",	"Umask:",  "Uid:",     "Gid:",	      "Groups:",   "SigPnd:",
				     "SigBlk:", "SigIgn:", "SigCgt:",  "CapInh:",     "CapPrm:",   "CapEff:",
				     "CapBnd:", "CapAmb:", "Seccomp:", "NoNewPrivs:", "TracerPid:" };

static int is_shown(const char *line)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		if (strncmp(line, shown[i], strlen(shown[i])) == 0)
			return 1;
	}
	return 0;
}

static void show_status(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[1024];

	if (!file)
		exit(EXIT_FAILURE);
	while (fgets(line, sizeof(line), file)) {
		if (is_shown(line))
			fputs(line, stdout);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	struct rlimit stack;
	int signal = 0;

	for (int i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	show_status();
	prctl(PR_GET_PDEATHSIG, &signal);
	getrlimit(RLIMIT_STACK, &stack);
	printf("execfn %s\n", (const char *)getauxval(AT_EXECFN));
	printf("secure %lu\n", getauxval(AT_SECURE));
	printf("securebits %d\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	printf("pdeathsig %d\n", signal);
	printf("personality %x\n", personality(0xffffffff));
	printf("stack %llu\n", (unsigned long long)stack.rlim_cur);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

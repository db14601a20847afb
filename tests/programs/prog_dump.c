/* SPDX-License-Identifier: MIT */
/*
 * Print everything that a setup can change in a process, so that tests can compare two ways to change it. musl lacks the calls
 * about scheduling.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEYCTL_DESCRIBE = 6, SESSION_KEYRING = -3, IOPRIO_WHO_PROCESS = 1 };

static void show_file(const char *name, const char *const *lines)
{
	FILE *file = fopen(name, "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		for (const char *const *shown = lines; *shown; shown++) {
			if (strncmp(line, *shown, strlen(*shown)) == 0)
				fputs(line, stdout);
		}
	}
	if (file)
		fclose(file);
}

static void show_limits(void)
{
	struct rlimit limit;

	for (int resource = 0; getrlimit(resource, &limit) == 0; resource++)
		printf("limit %d: %llu %llu\n", resource, (unsigned long long)limit.rlim_cur,
		       (unsigned long long)limit.rlim_max);
}

static void show_scheduling(void)
{
	struct sched_param param;
	cpu_set_t set;

	syscall(SYS_sched_getparam, 0, &param);
	sched_getaffinity(0, sizeof(set), &set);
	printf("nice %d, policy %d %d, processors %d, io %ld\n", getpriority(PRIO_PROCESS, 0),
	       (int)syscall(SYS_sched_getscheduler, 0), param.sched_priority, CPU_COUNT(&set),
	       syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
}

static void show_keyring(void)
{
	char text[256] = "";
	char *name;

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, SESSION_KEYRING, text, sizeof(text) - 1) < 0)
		return;
	name = strrchr(text, ';');
	printf("keyring %s\n", name ? name + 1 : text);
}

int main(void)
{
	static const char *const status[] = { "Umask:",	 "Uid:",	"Gid:",	    "Groups:", "SigBlk:",
					      "SigIgn:", "CapInh:",	"CapPrm:",  "CapEff:", "CapBnd:",
					      "CapAmb:", "NoNewPrivs:", "Seccomp:", NULL };
	static const char *const all[] = { "", NULL };
	int death_signal = 0;
	char *directory = getcwd(NULL, 0);

	show_file("/proc/self/status", status);
	show_file("/proc/self/oom_score_adj", all);
	show_file("/proc/self/attr/current", all);
	show_limits();
	show_scheduling();
	show_keyring();
	prctl(PR_GET_PDEATHSIG, &death_signal);
	printf("death signal %d, timer slack %d, securebits %#x, dumpable %d, secure %lu\n", death_signal,
	       prctl(PR_GET_TIMERSLACK), (unsigned)prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE),
	       getauxval(AT_SECURE));
	printf("personality %#x, leads session %d, leads group %d, terminal %d\n", (unsigned)personality(0xffffffff),
	       getsid(0) == getpid(), getpgrp() == getpid(), tcgetpgrp(0) >= 0);
	printf("directory %s\n", directory ? directory : "none");
	free(directory);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

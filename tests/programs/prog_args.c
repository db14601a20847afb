/* SPDX-License-Identifier: MIT */
/*
 * Writes what exec has handed over, one thing a line: "arg STRING", "env STRING", "fd NUMBER" for each
 * open descriptor, and the signal sets as proc(5) has them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd %d\n", fd);
}

/* From /proc, as the C libraries hide the signals that they use themselves. */
static int print_signals(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];

	if (!status)
		return -1;
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "Shd", 3) == 0)
			fputs(line, stdout);
	return fclose(status);
}

int main(int argc, char **argv)
{
	/* What make coverage builds puts this there by itself, before main(). */
	unsetenv("__LLVM_PROFILE_RT_INIT_ONCE");
	for (int i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **env = environ; *env; env++)
		printf("env %s\n", *env);
	print_descriptors();
	return print_signals() < 0 || fflush(stdout) < 0;
}

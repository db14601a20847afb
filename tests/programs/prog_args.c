/* SPDX-License-Identifier: MIT */
/*
 * Print everything that exec passed on, one item per line: "arg STRING", "env STRING", and "fd NUMBER" for each open
 * descriptor. The signal sets follow in the format of proc(5).
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

/* Read /proc because the C libraries hide the signals that they use themselves. */
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
	/* Programs built by make coverage set this before main(). */
	unsetenv("__LLVM_PROFILE_RT_INIT_ONCE");
	for (int i = 0; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **env = environ; *env; env++)
		printf("env %s\n", *env);
	print_descriptors();
	return print_signals() < 0 || fflush(stdout) < 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * user PROGRAM [ARG...]: a program that uses only the installed files, in the common subset of C99 and C++11. It starts PROGRAM like
 * the README's example, and refers to every function of the headers, which functions.h lists.
 */
#include <stdio.h>
#include <string.h>

#include <errpipe_explain.h>

extern char **environ;

static const struct {
	const char *name;
	void (*function)(void);
} functions[] = {
#include "functions.h"
};

int main(int argc, char **argv)
{
	struct errpipe_spawn spawn;
	struct errpipe_report report;
	struct errpipe_child child;
	char line[ERRPIPE_MESSAGE_MAX];
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (!functions[i].function) {
			printf("%s is missing\n", functions[i].name);
			return 125;
		}
	}

	memset(&spawn, 0, sizeof(spawn));
	spawn.stub = errpipe_stub();
	if (argc < 2 || errpipe_spawn(&child, &spawn, argv[1], argv + 1, environ) < 0 ||
	    errpipe_wait(&child, &report) < 0)
		return 125;
	if (report.verdict != ERRPIPE_STARTED) {
		errpipe_message(line, sizeof(line), &report, argv[1]);
		printf("%s\n", line);
	}
	return errpipe_exit_code(&report, ERRPIPE_POSIX);
}

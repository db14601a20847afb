/* SPDX-License-Identifier: MIT */
/*
 * The table of failing execs for tests in other languages. Only C can make its fixture and states.
 *
 * prog_case fixture
 *	Make the fixture directory, print its path, and remove it at the end of standard input.
 * prog_case enter FIXTURE STATE WHO PROGRAM [ARG...]
 *	Enter the state, become WHO (self or nobody), then exec PROGRAM by execveat(2). Some states refuse execve(2).
 *	Exit with 77 if this machine lacks the state.
 * prog_case route PATH...
 *	Print the library's view of this process: its identity, then the route of each path and the reason.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "errpipe.h"
#include "fixture.h"
#include "state.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

enum { NO_STATE = 77, FAILED = 99 };

static int hold_fixture(void)
{
	puts(fixture_make());
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

static int enter(char **argv)
{
	int program = open(argv[3], O_PATH | O_CLOEXEC), ret;

	if (program < 0) {
		perror(argv[3]);
		return FAILED;
	}
	default_signals();
	ret = enter_state(argv[1], argv[0]);
	if (ret == -EOPNOTSUPP) {
		fprintf(stderr, "%s\n", state_needs(argv[1]));
		return NO_STATE;
	}
	if (ret == 0)
		ret = become(strcmp(argv[2], "nobody") == 0 ? AS_NOBODY : AS_SELF);
	if (ret == 0) {
		syscall(SYS_execveat, program, "", argv + 3, environ, AT_EMPTY_PATH);
		ret = -errno;
	}
	fprintf(stderr, "%s: %s\n", argv[1], strerror(-ret));
	return FAILED;
}

static int print_routes(char **paths)
{
	struct errpipe_identity i;

	if (errpipe_identity(&i) < 0)
		return FAILED;
	printf("%u %u %d %#x %d %#llx %#llx %#llx %#llx %#llx %d %d\n", i.uid, i.euid, i.mixed_ids, i.securebits,
	       i.no_new_privs, (unsigned long long)i.effective, (unsigned long long)i.permitted,
	       (unsigned long long)i.inheritable, (unsigned long long)i.ambient, (unsigned long long)i.bounding,
	       i.label, i.on_exec);
	for (; *paths; paths++) {
		enum errpipe_route route = errpipe_route(&i, *paths);

		printf("%s: %d %s\n", *paths, route, errpipe_route_reason(route));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "fixture") == 0)
		return hold_fixture();
	if (argc > 5 && strcmp(argv[1], "enter") == 0)
		return enter(argv + 2);
	if (argc > 2 && strcmp(argv[1], "route") == 0)
		return print_routes(argv + 2);
	fputs("usage: prog_case fixture | enter FIXTURE STATE WHO PROGRAM [ARG...] | route PATH...\n", stderr);
	return FAILED;
}

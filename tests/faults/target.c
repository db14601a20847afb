/* SPDX-License-Identifier: MIT */
/*
 * The program that the scenes start. It exits with 7, with 8 if a signal is blocked, or with 9 if it inherited a descriptor. If its
 * last argument is "set-up", it exits with 10 unless it has all of the scene's setup.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_set_up(void)
{
	struct rlimit limit;

	return umask(0) == 027 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && getsid(0) == getpid() &&
	       getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;
}

int main(int argc, char **argv)
{
	sigset_t mask;

	if (argc > 1 && strcmp(argv[argc - 1], "set-up") == 0 && !is_set_up())
		return 10;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (!sigisemptyset(&mask))
		return 8;
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return 9;
	}
	return 7;
}

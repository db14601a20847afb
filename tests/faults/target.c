/* SPDX-License-Identifier: MIT */
/* The program that the scenes start. It exits with 7, with 8 if a signal is blocked, or with 9 if it inherited a descriptor. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int main(void)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (!sigisemptyset(&mask))
		return 8;
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return 9;
	}
	return 7;
}

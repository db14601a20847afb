/* SPDX-License-Identifier: MIT */
/* A stub like the former runc-dmz, for any libc: one string is both the path and argv[0], and failures are silent. */
#ifndef NOLIBC
#include <unistd.h>
#endif

extern char **environ;

int main(int argc, char **argv)
{
	if (argc == 0)
		return 127;
	return execve(argv[0], argv, environ);
}

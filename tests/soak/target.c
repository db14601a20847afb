/* SPDX-License-Identifier: MIT */
/* target FILE N: set byte N of FILE to 1, and exit with 7. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_WRONLY) : -1;

	return pwrite(fd, "\1", 1, argc == 3 ? atol(argv[2]) : 0) == 1 ? 7 : 1;
}

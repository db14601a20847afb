/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "common.h"

char *ep_decimal(char buf[EP_DECIMAL], int n)
{
	unsigned rest = n < 0 ? -(unsigned)n : (unsigned)n;
	char *p = buf + (EP_DECIMAL - 1);

	*p = '\0';
	do
		*--p = '0' + rest % 10;
	while (rest /= 10);
	if (n < 0)
		*--p = '-';
	return p;
}

struct ep_fd_path ep_fd_path(int fd)
{
	struct ep_fd_path path = { "/proc/self/fd/" };
	char decimal[EP_DECIMAL];

	strcat(path.text, ep_decimal(decimal, fd));
	return path;
}

/* SPDX-License-Identifier: MIT */
#include "internal.h"

char *errpipe__decimal(char buf[ERRPIPE__DECIMAL], int n)
{
	unsigned rest = n < 0 ? -(unsigned)n : (unsigned)n;
	char *p = buf + (ERRPIPE__DECIMAL - 1);

	*p = '\0';
	do
		*--p = '0' + rest % 10;
	while (rest /= 10);
	if (n < 0)
		*--p = '-';
	return p;
}

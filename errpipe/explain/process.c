/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

int errpipe__before(struct errpipe__case *c)
{
	(void)c;
	return 0;
}
int errpipe__check(struct errpipe__case *c, struct errpipe_link *link, int fd)
{
	(void)c;
	(void)link;
	(void)fd;
	return 0;
}
int errpipe__busy(struct errpipe__case *c, struct errpipe_link *link, int fd)
{
	(void)c;
	(void)link;
	(void)fd;
	return -1;
}
int errpipe__credentials(struct errpipe__case *c, struct errpipe_link *link, int fd)
{
	(void)c;
	(void)link;
	(void)fd;
	return 0;
}
void errpipe__modules(struct errpipe__case *c)
{
	(void)c;
}

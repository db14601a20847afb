/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

int errpipe__handler(struct errpipe__case *c, const struct errpipe_link *link, const struct errpipe__head *head,
		     struct errpipe__next *next)
{
	(void)c;
	(void)link;
	(void)head;
	(void)next;
	return 0;
}
int errpipe__foreign(struct errpipe__case *c, const struct errpipe_link *link, const struct errpipe__head *head)
{
	(void)c;
	(void)link;
	(void)head;
	return -1;
}

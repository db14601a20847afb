/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

int errpipe__elf(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head,
		 struct errpipe__next *next)
{
	(void)c;
	(void)link;
	(void)fd;
	(void)head;
	(void)next;
	return -1;
}
int errpipe__elf_loader(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head)
{
	(void)c;
	(void)link;
	(void)fd;
	(void)head;
	return -1;
}
int errpipe__elf_segments(struct errpipe__case *c, struct errpipe_link *link, int fd,
			  const struct errpipe__head *head)
{
	(void)c;
	(void)link;
	(void)fd;
	(void)head;
	return -1;
}

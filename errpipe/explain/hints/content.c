/* SPDX-License-Identifier: MIT */
/* What a file is that is neither a script nor ELF. */
#define _GNU_SOURCE
#include "explain/hints/hints.h"

void ep_hint_content(struct ep_check *c, const struct errpipe_link *link, int fd, const struct ep_head *head)
{
	(void)c;
	(void)link;
	(void)fd;
	(void)head;
}

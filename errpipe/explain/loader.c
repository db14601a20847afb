/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

void errpipe__loader_missing(struct errpipe__case *c, const struct errpipe_link *link,
			     const struct errpipe_link *program)
{
	(void)c;
	(void)link;
	(void)program;
}

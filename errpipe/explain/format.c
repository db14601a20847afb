/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

enum errpipe_format errpipe__format(const struct errpipe__head *head)
{
	(void)head;
	return ERRPIPE_FORMAT_UNKNOWN;
}
const char *errpipe__format_words(enum errpipe_format format)
{
	(void)format;
	return "";
}
int errpipe__no_program(struct errpipe__case *c, struct errpipe_link *link)
{
	(void)c;
	(void)link;
	return -1;
}

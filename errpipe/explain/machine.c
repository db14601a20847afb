/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "explain.h"

const struct errpipe__machine *errpipe__machine(unsigned m, unsigned c, unsigned d)
{
	(void)m;
	(void)c;
	(void)d;
	return NULL;
}
const struct errpipe__machine *errpipe__host_machine(void)
{
	static const struct errpipe__machine none = { .name = "" };
	return &none;
}
enum errpipe__support errpipe__support(const struct errpipe_link *link)
{
	(void)link;
	return ERRPIPE__NATIVE;
}
bool errpipe__is_x32(const struct errpipe_link *link)
{
	(void)link;
	return false;
}

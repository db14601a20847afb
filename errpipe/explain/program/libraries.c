/* SPDX-License-Identifier: MIT */
/* The libraries of a dynamic program, as its loader finds them. */
#define _GNU_SOURCE
#include "explain/program/program.h"

int ep_libraries(struct ep_check *c, const struct ep_running *running)
{
	(void)c;
	(void)running;
	return 0;
}

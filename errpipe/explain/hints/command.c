/* SPDX-License-Identifier: MIT */
/* What is wrong with the command itself: its name, its place, or its form. */
#define _GNU_SOURCE
#include "explain/hints/hints.h"

void ep_hint_command(struct ep_check *c)
{
	(void)c;
}

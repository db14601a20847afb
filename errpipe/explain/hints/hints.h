/* SPDX-License-Identifier: MIT */
/*
 * What a person most likely did. A hint replaces a finding of the kernel's rules by the mistake behind it. It needs two
 * independent signs, or one that nothing else bears; with fewer it leaves the finding alone. A hint never changes whether
 * the program works, nor the errno.
 */
#ifndef ERRPIPE_EXPLAIN_HINTS_H
#define ERRPIPE_EXPLAIN_HINTS_H

#include "explain/kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* content.c: the kernel knows no such format. What is it? fd is open for reading. */
void ep_hint_content(struct ep_check *c, const struct errpipe_link *link, int fd, const struct ep_head *head);

/* command.c: something is missing. Is the command itself wrong? */
void ep_hint_command(struct ep_check *c);

#pragma GCC visibility pop

#endif

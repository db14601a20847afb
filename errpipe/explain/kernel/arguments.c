/* SPDX-License-Identifier: MIT */
/* E2BIG: ../limits.c describes the rule. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain.h"

enum { NAME_MAX_SHOWN = 64 };

static uint64_t stack_limit(const struct ep_case *c)
{
	return c->question->limit_stack ? c->question->limit_stack : ep_stack_limit();
}

static int too_long(struct ep_case *c, const char *name, const char *string, uint64_t most)
{
	return ep_broken(c, NULL, ERRPIPE_CAUSE_ARGUMENT_TOO_LONG, E2BIG, NULL, name, strlen(string), most);
}

static int check_each(struct ep_case *c)
{
	const struct errpipe_question *question = c->question;
	uint64_t most = ep_longest();
	char *const *found = ep_find_longer(question->argv, most);
	size_t length;

	if (found)
		return too_long(c, ep_keep(c, "argument %d", (int)(found - question->argv)), *found, most);
	found = ep_find_longer(question->envp, most);
	if (!found)
		return 0;
	length = strcspn(*found, "=");
	return too_long(c,
			ep_keep(c, "the environment variable %.*s%s",
				length < NAME_MAX_SHOWN ? (int)length : NAME_MAX_SHOWN, *found,
				length < NAME_MAX_SHOWN ? "" : "..."),
			*found, most);
}

static int check_all(struct ep_case *c)
{
	const struct errpipe_question *question = c->question;
	struct ep_size size = ep_size_of(question->path, question->argv, question->envp, stack_limit(c));

	if (size.bytes <= size.limit)
		return 0;
	return ep_broken(c, NULL, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, E2BIG, NULL, NULL, size.bytes, size.limit);
}

int ep_arguments(struct ep_case *c)
{
	const struct errpipe_question *question = c->question;

	if (question->argv && (check_each(c) < 0 || check_all(c) < 0))
		return -1;
	if (!question->report)
		return 0;
	/*
	 * They are not known, or they would fit: then the arguments of the stub were too much, or those that the kernel
	 * adds for an interpreter, or it was another limit.
	 */
	ep_broken(c, NULL, ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, E2BIG, NULL, NULL, 0,
		  ep_size_of(question->path, NULL, NULL, stack_limit(c)).limit);
	c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

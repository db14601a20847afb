/* SPDX-License-Identifier: MIT */
/* E2BIG: copy_strings() and bprm_stack_limits() in the kernel's fs/exec.c. limits.c describes the rule. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/kernel/kernel.h"

enum { NAME_MAX_SHOWN = 64 };

static uint64_t stack_limit(const struct ep_check *c)
{
	return c->question->limit_stack ? c->question->limit_stack : ep_stack_limit();
}

static int too_long(struct ep_check *c, enum errpipe_detail which, const char *object, const char *string)
{
	return ep_finding_set(c, NULL,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_ARGUMENT_TOO_LONG,
				      .error = E2BIG,
				      .detail = which,
				      .object = object,
				      .number = strlen(string),
				      .limit = ep_longest(),
			      });
}

static int check_each(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	uint64_t most = ep_longest();
	char *const *found = ep_find_longer(question->argv, most);
	size_t length;

	if (found)
		return too_long(c, ERRPIPE_DETAIL_ARGUMENT, ep_keep(c, "%d", (int)(found - question->argv)), *found);
	found = ep_find_longer(question->envp, most);
	if (!found)
		return 0;
	length = strcspn(*found, "=");
	return too_long(c, ERRPIPE_DETAIL_VARIABLE,
			ep_keep(c, "%.*s%s", length < NAME_MAX_SHOWN ? (int)length : NAME_MAX_SHOWN, *found,
				length < NAME_MAX_SHOWN ? "" : "..."),
			*found);
}

static int too_large(struct ep_check *c, uint64_t size, uint64_t limit, enum errpipe_certainty certainty)
{
	return ep_finding_set(c, NULL,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE,
				      .certainty = certainty,
				      .error = E2BIG,
				      .number = size,
				      .limit = limit,
			      });
}

static int check_all(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	struct ep_size size = ep_size_of(question->path, question->argv, question->envp, stack_limit(c));

	return size.bytes <= size.limit ? 0 : too_large(c, size.bytes, size.limit, 0);
}

int ep_arguments(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;

	if (question->argv && (check_each(c) < 0 || check_all(c) < 0))
		return -1;
	if (!question->report)
		return 0;
	/*
	 * The arguments are unknown, or would fit. In that case those of the stub, or those that the kernel adds for an
	 * interpreter, exceeded the limit, or another limit applied.
	 */
	return too_large(c, 0, ep_size_of(question->path, NULL, NULL, stack_limit(c)).limit, ERRPIPE_LIKELY);
}

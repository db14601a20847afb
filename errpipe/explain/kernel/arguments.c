/* SPDX-License-Identifier: MIT */
/* E2BIG: copy_strings() and bprm_stack_limits() in the kernel's fs/exec.c. limits.c describes the rule. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/kernel/kernel.h"

enum { NAME_MAX_SHOWN = 64 };

static uint64_t stack_limit(const struct ep_check *c)
{
	uint64_t asked = c->question->limit_stack;

	return asked ? ep_asked_limit(asked) : ep_stack_limit();
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

static enum errpipe_detail larger_part(const struct ep_finding *finding, char *const *env)
{
	if (finding->arguments.bytes >= finding->variables.bytes)
		return ERRPIPE_DETAIL_MANY_ARGUMENTS;
	if (ep_has_service_links(env))
		return ERRPIPE_DETAIL_SERVICE_LINKS;
	return ep_has_ci_variables(env) ? ERRPIPE_DETAIL_CI_VARIABLES : ERRPIPE_DETAIL_MANY_VARIABLES;
}

static int too_large(struct ep_check *c, const struct ep_size *size)
{
	const struct errpipe_question *question = c->question;
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE,
		.error = E2BIG,
		.number = size->bytes,
		.limit = size->limit,
		.arguments = ep_strings(question->argv),
		.variables = ep_strings(question->envp),
	};

	finding.detail = larger_part(&finding, question->envp);
	if (finding.detail == ERRPIPE_DETAIL_MANY_VARIABLES)
		finding.object = ep_main_prefix(c, question->envp);
	return ep_finding_set(c, NULL, finding);
}

/* With unknown arguments, the sum is at least this. */
static int check_all(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;
	struct ep_size size = ep_size_of(question->path, question->argv, question->envp, stack_limit(c));

	return size.bytes <= size.limit ? 0 : too_large(c, &size);
}

/*
 * The arguments are unknown, or would fit. In that case those of the stub, or those that the kernel adds for an
 * interpreter, exceeded the limit, or another limit applied.
 */
static int too_large_somehow(struct ep_check *c)
{
	return ep_finding_set(c, NULL,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE,
				      .certainty = ERRPIPE_LIKELY,
				      .error = E2BIG,
				      .limit = ep_size_of(c->question->path, NULL, NULL, stack_limit(c)).limit,
			      });
}

int ep_arguments(struct ep_check *c)
{
	const struct errpipe_question *question = c->question;

	if ((question->argv || question->envp) && (check_each(c) < 0 || check_all(c) < 0))
		return -1;
	return question->report ? too_large_somehow(c) : 0;
}

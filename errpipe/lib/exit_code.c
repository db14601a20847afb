/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>

#include "errpipe.h"

static const struct rule {
	unsigned char not_found, not_allowed, not_a_directory, is_a_directory, other, set_up;
} rules[] = {
#define POLICY(id, go, name, not_found, not_allowed, not_a_directory, is_a_directory, other, set_up, as_in)          \
	[ERRPIPE_##id] = { not_found, not_allowed, not_a_directory, is_a_directory, other, set_up },
#include "dmz/policy.def"
};

static int failed_exec(const struct rule *rule, int error)
{
	switch (error) {
	case ENOENT:
		return rule->not_found;
	case EACCES:
		return rule->not_allowed;
	case ENOTDIR:
		return rule->not_a_directory;
	case EISDIR:
		return rule->is_a_directory;
	default:
		return rule->other;
	}
}

/* systemd has a code for most steps. Its exec is a step as well, but EXEC_FAILED never gets here. */
static int failed_setup(const struct rule *rule, enum errpipe_policy policy, unsigned step)
{
	int code = 0;

	switch (policy == ERRPIPE_SYSTEMD ? step : ERRPIPE_STEP_CALLER) {
#define STEP(id, number, systemd, words, document)                                                                   \
	case number:                                                                                                 \
		code = systemd;                                                                                      \
		break;
#define STEPS(id, first, last, document)
#include "dmz/steps.def"
	default:
		break;
	}
	return code ? code : rule->set_up;
}

static int own(int status, int unknown)
{
	if (status == -1)
		return unknown;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int errpipe_exit_code(const struct errpipe_report *report, enum errpipe_policy policy)
{
	const struct rule *rule;

	if (!report)
		return -EFAULT;
	if ((size_t)policy >= sizeof(rules) / sizeof(*rules))
		return -EINVAL;
	rule = &rules[policy];

	switch (report->verdict) {
	case ERRPIPE_STARTED:
		return own(report->status, 0);
	case ERRPIPE_EXEC_FAILED:
		return failed_exec(rule, report->error);
	case ERRPIPE_SETUP_FAILED:
		return failed_setup(rule, policy, report->step);
	case ERRPIPE_DIED:
	case ERRPIPE_CLOSED:
		return own(report->status, rule->set_up);
	}
	return -EINVAL;
}

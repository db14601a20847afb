/* SPDX-License-Identifier: MIT */
/* What env(1) says about a command that it cannot start, and what the person meant. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/span.h"
#include "explain/program/program.h"

/* EXIT_ENOENT and EXIT_CANNOT_INVOKE in coreutils' src/system.h; busybox's and toybox's are the same. */
int ep_env_status(int error)
{
	return error == ENOENT ? 127 : 126;
}

enum errpipe_detail ep_env_splitting(const struct ep_command *command)
{
	const char *argument = command->script ? command->script->argument : NULL;

	if (command->kind != EP_ENV_GNU)
		return ERRPIPE_DETAIL_ENV_LACKS_SPLIT;
	return argument && strchr(argument, '\r') ? ERRPIPE_DETAIL_ENV_SPLITS_RETURN : ERRPIPE_DETAIL_ENV_SPLITS;
}

/* The advice puts "-S" before it, and the carriage return has to go. */
const char *ep_env_argument(struct ep_check *c, const struct ep_command *command)
{
	static const char split[] = "--split-string";
	const char *argument = command->script->argument;

	if (command->kind != EP_ENV_GNU)
		return argument;
	if (ep_begins_with(argument, split) && ep_is_blank(argument[strlen(split)]))
		argument += strlen(split) + strspn(argument + strlen(split), " \t");
	return ep_keep(c, "%.*s", (int)strcspn(argument, "\r"), argument);
}

/*
 * toybox runs its own commands without a file, and so does the shell of a busybox with FEATURE_SH_STANDALONE, as Debian's
 * busybox-static is. busybox's env looks for a file, except with FEATURE_PREFER_APPLETS, which neither Debian nor Alpine sets.
 */
enum ep_answer ep_env_runs_built_in(const struct ep_command *command)
{
	if (command->fd < 0)
		return EP_NO;
	if (command->kind == EP_ENV_TOYBOX)
		return ep_contains_name(command->fd, command->name) ? EP_YES : EP_NO;
	if (command->kind != EP_ENV_BUSYBOX || !ep_has_applet(command->fd, command->name))
		return EP_NO;
	return command->is_shell ? EP_YES : EP_NOT_KNOWN;
}

static bool is_whole_argument(const struct ep_command *command)
{
	const char *argument = command->script ? command->script->argument : NULL;

	return argument && strcmp(argument, command->name) == 0;
}

/* "bash; set -e" */
static enum errpipe_detail splitting(const struct ep_command *command)
{
	return strchr(command->name, ';') ? ERRPIPE_DETAIL_SEMICOLON : ep_env_splitting(command);
}

void ep_env_cut(struct ep_check *c, const struct ep_command *command)
{
	const struct errpipe_link *script = command->script;
	const char *argument = script && script == c->cut ? script->argument : NULL;
	size_t length = strlen(command->name);

	if ((c->ex->cause != ERRPIPE_CAUSE_MISSING && c->ex->cause != ERRPIPE_CAUSE_COMMAND_MISSING) || !argument ||
	    strlen(argument) < length || strcmp(argument + strlen(argument) - length, command->name) != 0)
		return;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_LINE_CUT, .subject = script->path });
	c->ex->limit = EP_HEAD_SIZE - 1;
}

int ep_env_missing(struct ep_check *c, const struct ep_command *command, const struct errpipe_link *link,
		   bool is_shut)
{
	size_t length = strlen(command->name);
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_COMMAND_MISSING,
		.status = ep_env_status(is_shut && !command->is_shell ? EACCES : ENOENT),
		.subject = command->script ? command->script->path : NULL,
		.object = command->name,
	};

	if (is_whole_argument(command) && strpbrk(command->name, " \t")) {
		finding.cause = ERRPIPE_CAUSE_ENV_ONE_ARGUMENT;
		finding.detail = splitting(command);
		if (finding.detail != ERRPIPE_DETAIL_SEMICOLON)
			finding.object = ep_env_argument(c, command);
	} else if (command->has_late_option) {
		finding.detail = ERRPIPE_DETAIL_LATE_OPTION;
	} else if (command->script && length && command->name[length - 1] == '\r') {
		finding.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		finding.detail = ERRPIPE_DETAIL_ENV_LOOKS;
	} else {
		finding.detail = command->has_no_path ? ERRPIPE_DETAIL_NO_PATH : ERRPIPE_DETAIL_PATH_LACKS_IT;
		finding.object = command->has_no_path ? NULL : ep_keep(c, "%s", command->path);
	}
	return ep_finding_set(c, link, finding);
}

/* SPDX-License-Identifier: MIT */
/* What env(1) says about a command that it cannot start, and what the person meant. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/program/program.h"

/* EXIT_ENOENT and EXIT_CANNOT_INVOKE in coreutils' src/system.h; busybox's and toybox's are the same. */
int ep_env_status(int error)
{
	return error == ENOENT ? 127 : 126;
}

enum errpipe_detail ep_env_splitting(const struct ep_command *command)
{
	return command->kind == EP_ENV_GNU ? ERRPIPE_DETAIL_ENV_SPLITS : ERRPIPE_DETAIL_ENV_LACKS_SPLIT;
}

bool ep_env_has_built_in(const struct ep_command *command)
{
	return (command->kind == EP_ENV_BUSYBOX || command->kind == EP_ENV_TOYBOX) && command->fd >= 0 &&
	       ep_contains_name(command->fd, command->name);
}

/* Other names under which systems have the same program. */
static const char *const names[][2] = {
	{ "python", "python3" }, { "python2", "python2.7" }, { "python3", "python" }, { "node", "nodejs" },
	{ "nodejs", "node" },	 { "pip", "pip3" },	     { "lua", "lua5.4" },     { "php", "php8" },
};

static bool is_in_path(struct ep_check *c, const struct ep_command *command, const char *name)
{
	struct ep_places places = { .name = name, .rest = command->path };

	while (ep_next_place(&places)) {
		if (ep_look_at(c, places.text) == EP_PLACE_THERE)
			return true;
	}
	return false;
}

static const char *other_name(struct ep_check *c, const struct ep_command *command)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(command->name, names[i][0]) == 0 && is_in_path(c, command, names[i][1]))
			return names[i][1];
	}
	return NULL;
}

static void set_advice(struct ep_check *c, const struct ep_command *command, struct ep_finding *finding)
{
	finding->object = other_name(c, command);
	finding->detail = ERRPIPE_DETAIL_OTHER_NAME;
	if (finding->object)
		return;
	finding->detail = command->has_no_path ? ERRPIPE_DETAIL_NO_PATH : ERRPIPE_DETAIL_PATH_LACKS_IT;
	finding->object = command->has_no_path ? NULL : ep_keep(c, "%s", command->path);
}

static bool is_whole_argument(const struct ep_command *command)
{
	const char *argument = command->script ? command->script->argument : NULL;

	return argument && strcmp(argument, command->name) == 0;
}

int ep_env_missing(struct ep_check *c, const struct ep_command *command, const struct errpipe_link *link,
		   bool is_shut)
{
	size_t length = strlen(command->name);
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_ENV_COMMAND_MISSING,
		.status = ep_env_status(is_shut ? EACCES : ENOENT),
		.subject = command->script ? command->script->path : NULL,
		.object = command->name,
	};

	if (is_whole_argument(command) && strpbrk(command->name, " \t")) {
		finding.cause = ERRPIPE_CAUSE_ENV_ONE_ARGUMENT;
		finding.detail = ep_env_splitting(command);
	} else if (command->script && length && command->name[length - 1] == '\r') {
		finding.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		finding.detail = ERRPIPE_DETAIL_ENV_LOOKS;
	} else {
		set_advice(c, command, &finding);
	}
	return ep_finding_set(c, link, finding);
}

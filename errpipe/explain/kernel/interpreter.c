/* SPDX-License-Identifier: MIT */
/* The interpreter of a script is missing: load_script() in the kernel's fs/binfmt_script.c takes only a part of the line. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/kernel/kernel.h"

static bool is_interpreter(const char *name)
{
	static const char *const names[] = { "python", "perl", "ruby", "node", "bash", "sh", "php", "lua" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(name, names[i], length) == 0 &&
		    strspn(name + length, "0123456789.") == strlen(name + length))
			return true;
	}
	return false;
}

/* Does the path of the interpreter go on after the blank? Only if that file exists, or looks like an interpreter. */
static bool is_cut(struct ep_check *c, const char *whole, const char *argument, enum errpipe_certainty *certainty)
{
	if (*argument == '-' || *argument == '/' || !strchr(argument, '/'))
		return false;
	if (ep_exists(c, whole))
		return true;
	*certainty = ERRPIPE_LIKELY;
	return is_interpreter(ep_last_name(argument));
}

/* pip and others once wrote such lines (distlib's scripts.py). */
static bool is_quoted(const char *path)
{
	return (*path == '"' || *path == '\'') && path[1] == '/';
}

/* "/bin/sh" in quotes, without a blank: the program exists. */
static bool is_in_quotes(struct ep_check *c, const char *path)
{
	size_t length = strlen(path);

	return length > 2 && path[length - 1] == *path && ep_exists(c, ep_keep(c, "%.*s", (int)length - 2, path + 1));
}

void ep_interpreter_missing(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_link *script)
{
	struct ep_finding missing = { .cause = ERRPIPE_CAUSE_INTERPRETER_MISSING };
	const char *argument = script->argument ? script->argument : "";
	const char *blank = *argument ? " " : "";
	size_t length = strlen(link->path);
	const char *whole = ep_keep(c, "%s%s%s", link->path, blank, argument);

	if (is_quoted(link->path)) {
		missing.cause = ERRPIPE_CAUSE_INTERPRETER_CUT;
		missing.detail = is_in_quotes(c, link->path) ? ERRPIPE_DETAIL_QUOTED_NAME : ERRPIPE_DETAIL_QUOTED;
		missing.subject = script->path;
		missing.object = whole;
	} else if (length && link->path[length - 1] == '\r') {
		missing.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		missing.detail = ERRPIPE_DETAIL_KERNEL_LOOKS;
		missing.subject = script->path;
	} else if (is_cut(c, whole, argument, &c->ex->certainty)) {
		missing.cause = ERRPIPE_CAUSE_INTERPRETER_CUT;
		missing.detail = ERRPIPE_DETAIL_BLANK;
		missing.subject = script->path;
		missing.object = whole;
	}
	ep_finding_refine(c, missing);
}

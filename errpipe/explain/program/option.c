/* SPDX-License-Identifier: MIT */
/* An interpreter that is given an option with a carriage return: "#!/bin/sh -e\r". */
#define _GNU_SOURCE
#include <string.h>

#include "explain/program/program.h"

/* Interpreters that refuse it, with their status, and the options that need no argument. zsh and perl take it. */
static const struct {
	const char *name, *options;
	int status;
} interpreters[] = {
	{ "dash", "aefnuvx", 2 }, { "busybox", "aefnuvx", 2 }, { "python", "uEsSBOI", 2 },
	{ "bash", "afnuvx", 2 },  { "bash", "aefnuvx", 1 }, /* with -e */
};

/* "python3.11". Busybox is also other programs than a shell. */
static bool is_interpreter(const struct errpipe_link *link, const char *name, const char *expected)
{
	const char *applet = ep_last_name(link->path), *rest = name + strlen(expected);

	if (!ep_begins_with(name, expected))
		return false;
	if (strcmp(expected, "busybox") == 0)
		return strcmp(applet, "sh") == 0 || strcmp(applet, "ash") == 0;
	return strspn(rest, "0123456789.") == strlen(rest);
}

static bool has_carriage_return(const char *argument, const char *options)
{
	size_t length;

	if (!argument || *argument != '-')
		return false;
	length = strspn(argument + 1, options);
	return length && strcmp(argument + 1 + length, "\r") == 0;
}

int ep_option(struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link, *script;
	const char *name;

	if (link->kind != ERRPIPE_LINK_INTERPRETER || link->parent < 0 || !link->resolved)
		return 0;
	script = &c->ex->link[link->parent];
	name = ep_last_name(link->resolved);
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(*interpreters); i++) {
		if (is_interpreter(link, name, interpreters[i].name) &&
		    has_carriage_return(script->argument, interpreters[i].options))
			return ep_finding_set(c, link,
					      (struct ep_finding){
						      .cause = ERRPIPE_CAUSE_CARRIAGE_RETURN,
						      .status = interpreters[i].status,
						      .subject = script->path,
						      .object = script->argument,
						      .detail = ERRPIPE_DETAIL_OPTION,
					      });
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * An interpreter that refuses the argument in the first line of its script: "#!/bin/sh -e\r", "#!/bin/bash -e -u". The kernel
 * does not split the argument (load_script() in fs/binfmt_script.c).
 */
#define _GNU_SOURCE
#include <string.h>

#include "explain/program/program.h"

/*
 * Interpreters: the options that need no argument, the characters that they refuse after these, the status then, and the
 * status for a missing script. 0: it depends on the version. They take the path of the script for the argument of -o.
 */
static const struct interpreter {
	const char *name, *options, *refused;
	int status, missing;
} interpreters[] = {
	{ "dash", "aeflnuvx", "\r \t;o", 2, 0 }, { "busybox", "aeflnuvx", "\r \t;", 2, 2 },
	{ "python", "uEsSBOI", "\r \t;", 2, 2 }, { "bash", "aflnuvx", "\r \t;o", 2, 127 },
	{ "bash", "aeflnuvx", "o", 2, 127 },	 { "bash", "aeflnuvx", "\r \t;", 1, 127 }, /* with -e */
	{ "zsh", "aeflnuvx", " ;o", 1, 127 },
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

/* Returns the first letter that the interpreter refuses, or NULL. */
static const char *refused_letter(const struct interpreter *interpreter, const char *argument)
{
	size_t options = strspn(argument + 1, interpreter->options);
	const char *letter = argument + 1 + options;

	if (!*letter || !strchr(interpreter->refused, *letter) || (!options && !strchr("o\r", *letter)))
		return NULL;
	return letter;
}

static bool is_comment(const char *text)
{
	return text[strspn(text, " \t")] == '#';
}

/* Text that is neither an option nor the name of a file. Bash also searches PATH for a name without a slash. */
static bool is_taken_for_file(struct ep_check *c, const char *argument)
{
	return !strchr("-+", *argument) &&
	       (*argument == '#' || strpbrk(argument, " \t") || ep_dash_length(argument)) &&
	       ep_look_at(c, argument) == EP_PLACE_EMPTY;
}

static struct ep_finding refuse(struct ep_check *c, const struct interpreter *interpreter, const char *argument)
{
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE, .status = interpreter->status };
	const char *letter = *argument == '-' ? refused_letter(interpreter, argument) : NULL;

	if (letter && *letter == '\r' && !letter[1]) {
		finding.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		finding.detail = ERRPIPE_DETAIL_OPTION;
	} else if (letter && *letter != '\r') {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = is_comment(letter) ? ERRPIPE_DETAIL_LINE_COMMENT : ERRPIPE_DETAIL_SEVERAL_OPTIONS;
	} else if (is_taken_for_file(c, argument)) {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = ERRPIPE_DETAIL_TAKEN_FOR_FILE;
		finding.status = interpreter->missing;
	}
	return finding;
}

int ep_option(struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link, *script;
	const char *name;

	if (link->kind != ERRPIPE_LINK_INTERPRETER || link->parent < 0 || !link->resolved)
		return 0;
	script = &c->ex->link[link->parent];
	name = ep_last_name(link->resolved);
	for (size_t i = 0; script->argument && i < sizeof(interpreters) / sizeof(*interpreters); i++) {
		struct ep_finding finding;

		if (!is_interpreter(link, name, interpreters[i].name))
			continue;
		finding = refuse(c, &interpreters[i], script->argument);
		finding.subject = script->path;
		finding.object = script->argument;
		if (finding.cause != ERRPIPE_CAUSE_NONE)
			return ep_finding_set(c, link, finding);
	}
	return 0;
}

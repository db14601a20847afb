/* SPDX-License-Identifier: MIT */
/*
 * An interpreter that refuses the argument in the first line of its script: "#!/bin/sh -e\r", "#!/bin/bash -e -u". The kernel
 * does not split the argument (load_script() in fs/binfmt_script.c). env -S does, but not at a no-break space.
 */
#define _GNU_SOURCE
#include <string.h>

#include "explain/program/program.h"

/*
 * Interpreters: the options that need no argument, the characters that they refuse after these, the status then, and the
 * status for a missing script. 0: it depends on the version. They take the path of the script for the argument of -o.
 * NON_ASCII: any byte that is not ASCII. of_long: the status for a long option with a blank; 0: it is not refused. Busybox
 * ignores long options. ends_long: the characters that end the name of a long option.
 */
#define NON_ASCII "\x80"

static const struct interpreter {
	const char *name, *options, *refused;
	int status, missing, of_long;
	const char *ends_long;
} interpreters[] = {
	{ "dash", "aeflnuvx", "\r \t;o-" NON_ASCII, 2, 0, 0, "" },
	{ "busybox", "aeflnuvx", "\r \t;" NON_ASCII, 2, 2, 0, "" },
	{ "python", "uEsSBOI", "\r \t;" NON_ASCII, 2, 2, 2, "" },
	{ "bash", "aflnuvx", "\r \t;o" NON_ASCII, 2, 127, 2, "" },
	{ "bash", "aeflnuvx", "o", 2, 127, 2, "" },
	{ "bash", "aeflnuvx", "\r \t;" NON_ASCII, 1, 127, 2, "" }, /* with -e */
	{ "zsh", "aeflnuvx", " ;o" NON_ASCII, 1, 127, 1, "" },
	{ "node", "", NON_ASCII, 9, 1, 9, "=" },
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
	char kind = ep_is_ascii(*letter) ? *letter : *NON_ASCII;

	if (!*letter || !strchr(interpreter->refused, kind) || (!options && !strchr("o\r-" NON_ASCII, kind)) ||
	    strcmp(argument, "--") == 0)
		return NULL;
	return letter;
}

/* bash takes some long options with one "-", too (parse_long_options() in its shell.c). */
static bool is_long_option(const char *argument)
{
	static const char *const names[] = { "-login", "-noediting", "-noprofile", "-norc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(argument, names[i]) == 0)
			return true;
	}
	return false;
}

/* The first character that the interpreter refuses in an option, or NULL. */
static const char *refused_in(const struct interpreter *interpreter, const char *argument)
{
	if (*argument != '-' || (strcmp(interpreter->name, "bash") == 0 && is_long_option(argument)))
		return NULL;
	if (argument[1] == '-' && interpreter->of_long)
		return ep_not_in_option(argument + 2, strcspn(argument + 2, interpreter->ends_long));
	return refused_letter(interpreter, argument);
}

/*
 * Shells do not split the argument, and so they refuse the blank after letters, or one of these letters: "-O extglob",
 * "-c echo", "- x". zsh takes -b for the end of the options, and -o is above.
 */
static const char *refused_blank(const struct interpreter *interpreter, const char *argument)
{
	static const char letters[] = "acdefghijklmnpqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *blank = argument + 1 + strspn(argument + 1, letters);
	bool is_shell = strcmp(interpreter->name, "python") != 0 && strcmp(interpreter->name, "node") != 0;

	return is_shell && strchr("-+", *argument) && *blank && strchr(" \t", *blank) ? blank : NULL;
}

/* "-m pdb": Python takes the rest for the name of a module, which cannot begin with a blank. */
static bool is_blank_module(const struct interpreter *interpreter, const char *argument)
{
	const char *letter = argument + 1 + strspn(argument + 1, interpreter->options);

	return strcmp(interpreter->name, "python") == 0 && *argument == '-' && *letter == 'm' && letter[1] &&
	       strchr(" \t", letter[1]);
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

static enum errpipe_detail reason(const char *argument, const char *letter)
{
	if (!ep_is_ascii(*letter))
		return ERRPIPE_DETAIL_NON_ASCII_OPTION;
	if (is_comment(letter))
		return ERRPIPE_DETAIL_LINE_COMMENT;
	if (*letter == '-')
		return ERRPIPE_DETAIL_NO_LONG_OPTIONS;
	return argument[1] == '-' ? ERRPIPE_DETAIL_LONG_OPTION : ERRPIPE_DETAIL_SEVERAL_OPTIONS;
}

static struct ep_finding refuse_option(const struct interpreter *interpreter, const char *argument)
{
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE, .status = interpreter->status };
	const char *letter = refused_in(interpreter, argument);

	if (letter && argument[1] == '-' && interpreter->of_long)
		finding.status = interpreter->of_long;
	if (letter && *letter == '\r' && !letter[1]) {
		finding.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		finding.detail = ERRPIPE_DETAIL_OPTION;
	} else if (letter && *letter != '\r') {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = reason(argument, letter);
	}
	return finding;
}

/* One option with its value, or several. */
static enum errpipe_detail reason_of_blank(const char *blank)
{
	const char *rest = blank + strspn(blank, " \t");

	if (is_comment(rest))
		return ERRPIPE_DETAIL_LINE_COMMENT;
	return strchr("-+", *rest) ? ERRPIPE_DETAIL_SEVERAL_OPTIONS : ERRPIPE_DETAIL_LONG_OPTION;
}

static struct ep_finding refuse_value(const struct interpreter *interpreter, const char *argument)
{
	const char *blank = refused_blank(interpreter, argument);
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE, .status = interpreter->status };

	if (is_blank_module(interpreter, argument)) {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = ERRPIPE_DETAIL_LONG_OPTION;
		finding.status = 1;
	} else if (blank) {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = reason_of_blank(blank);
		if (strcmp(interpreter->name, "bash") == 0 && *argument == '-' &&
		    memchr(argument, 'e', blank - argument))
			finding.status = 1;
	}
	return finding;
}

static struct ep_finding refuse(struct ep_check *c, const struct interpreter *interpreter, const char *argument)
{
	struct ep_finding finding;

	if (is_taken_for_file(c, argument))
		return (struct ep_finding){ .cause = ERRPIPE_CAUSE_LINE_REFUSED,
					    .detail = ERRPIPE_DETAIL_TAKEN_FOR_FILE,
					    .status = interpreter->missing };
	finding = refuse_option(interpreter, argument);
	return finding.cause == ERRPIPE_CAUSE_NONE ? refuse_value(interpreter, argument) : finding;
}

/* "#!/bin/busybox env sh": busybox takes the directory off, and looks for an applet with that name. "--list" is not one. */
static struct ep_finding refuse_applet(const char *argument)
{
	const char *name = ep_last_name(argument);
	const char *letter = ep_begins_with(argument, "--list") ? NULL : ep_not_in_option(name, strlen(name));
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE, .status = 127 };

	if (letter && *letter == '\r' && !letter[1]) {
		finding.cause = ERRPIPE_CAUSE_CARRIAGE_RETURN;
		finding.detail = ERRPIPE_DETAIL_OPTION;
	} else if (letter) {
		finding.cause = ERRPIPE_CAUSE_LINE_REFUSED;
		finding.detail = ERRPIPE_DETAIL_NO_APPLET;
	}
	return finding;
}

static bool is_busybox(const struct errpipe_link *link, const char *name)
{
	return ep_begins_with(name, "busybox") && ep_begins_with(ep_last_name(link->path), "busybox");
}

/* Without -f, awk takes the path of its script for the text of its program. */
static bool is_awk(const struct errpipe_link *link)
{
	static const char *const names[] = { "awk", "gawk", "mawk", "nawk", "original-awk", "busybox" };
	const char *name = ep_last_name(link->resolved), *applet = ep_last_name(link->path);
	bool is_known = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		is_known = is_known || strcmp(name, names[i]) == 0;
	return is_known && (strcmp(applet, "awk") == 0 || strcmp(applet, name) == 0) &&
	       strcmp(applet, "busybox") != 0;
}

static int refuse_path(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_link *script)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_LINE_REFUSED,
				      .subject = script->path,
				      .object = script->path,
				      .detail = ERRPIPE_DETAIL_TAKEN_FOR_PROGRAM,
			      });
}

/* All of them are options that the interpreter takes. */
static bool is_taken(const struct interpreter *interpreter, const char *word)
{
	return *word == '-' && word[1] && strspn(word + 1, interpreter->options) == strlen(word + 1);
}

/* The first refused word of those that env(1) passes on. */
static struct ep_finding refuse_words(const struct interpreter *interpreter, char *const *words)
{
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE };

	for (bool is_later = false; words && *words; is_later = true) {
		finding = refuse_option(interpreter, *words);
		finding.object = *words;
		if (is_later)
			finding.status = 0;
		if (finding.cause != ERRPIPE_CAUSE_NONE || !is_taken(interpreter, *words++))
			break;
	}
	return finding;
}

static struct ep_finding look_for_refusal(struct ep_check *c, const struct errpipe_link *link, const char *argument,
					  char *const *words)
{
	const char *name = ep_last_name(link->resolved);
	struct ep_finding finding = { .cause = ERRPIPE_CAUSE_NONE };

	if (argument && is_busybox(link, name))
		finding = refuse_applet(argument);
	for (size_t i = 0; finding.cause == ERRPIPE_CAUSE_NONE && i < sizeof(interpreters) / sizeof(*interpreters);
	     i++) {
		const struct interpreter *interpreter = &interpreters[i];

		if (is_interpreter(link, name, interpreter->name))
			finding = argument ? refuse(c, interpreter, argument) : refuse_words(interpreter, words);
	}
	if (argument)
		finding.object = argument;
	return finding;
}

int ep_option(struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link, *script = link->resolved ? ep_naming_script(c, link) : NULL;
	const char *argument = script && link->kind == ERRPIPE_LINK_INTERPRETER ? script->argument : NULL;
	char *const *argv = c->question->argv;
	struct ep_finding finding;

	if (script && !argument && link->kind == ERRPIPE_LINK_INTERPRETER && is_awk(link))
		return refuse_path(c, link, script);
	if (!script || (!argument && (link->kind != ERRPIPE_LINK_COMMAND || !argv || !argv[0] || !argv[1])))
		return 0;
	finding = look_for_refusal(c, link, argument, argument ? NULL : argv + 1);
	finding.subject = script->path;
	if (finding.cause == ERRPIPE_CAUSE_NONE)
		return 0;
	if (!argument)
		finding.object = ep_keep(c, "%s", finding.object);
	return ep_finding_set(c, link, finding);
}

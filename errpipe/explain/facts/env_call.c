/* SPDX-License-Identifier: MIT */
/*
 * The arguments of env(1), read like getopt_long(3) with "+" does: coreutils' src/env.c, busybox's coreutils/env.c, toybox's
 * toys/posix/env.c.
 */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

/* What an option means, by GNU's letter. */
enum option_kind {
	CLEAR = 'i',
	UNSET = 'u',
	NUL = '0',
	DIRECTORY = 'C',
	SPLIT = 'S',
	NOTHING = 'v', /* it changes nothing that matters here */
	STOP = 'h'     /* such as --help: no command is run */
};

enum has_argument { NO_ARGUMENT, AN_ARGUMENT, BEHIND_EQUALS };

struct option {
	const char *name; /* long */
	char letter;	  /* 0: none */
	enum option_kind kind;
	enum has_argument has;
};

static const struct option gnu[] = {
	{ "ignore-environment", 'i', CLEAR, NO_ARGUMENT },
	{ "null", '0', NUL, NO_ARGUMENT },
	{ "unset", 'u', UNSET, AN_ARGUMENT },
	{ "chdir", 'C', DIRECTORY, AN_ARGUMENT },
	{ "split-string", 'S', SPLIT, AN_ARGUMENT },
	{ "debug", 'v', NOTHING, NO_ARGUMENT },
	{ "default-signal", 0, NOTHING, BEHIND_EQUALS },
	{ "ignore-signal", 0, NOTHING, BEHIND_EQUALS },
	{ "block-signal", 0, NOTHING, BEHIND_EQUALS },
	{ "list-signal-handling", 0, NOTHING, NO_ARGUMENT },
	{ "help", 0, STOP, NO_ARGUMENT },
	{ "version", 0, STOP, NO_ARGUMENT },
	{ NULL, 0, STOP, NO_ARGUMENT },
};

/* -C: since coreutils 8.28. */
static const struct option old_gnu[] = {
	{ "ignore-environment", 'i', CLEAR, NO_ARGUMENT },
	{ "null", '0', NUL, NO_ARGUMENT },
	{ "unset", 'u', UNSET, AN_ARGUMENT },
	{ "chdir", 'C', DIRECTORY, AN_ARGUMENT },
	{ "help", 0, STOP, NO_ARGUMENT },
	{ "version", 0, STOP, NO_ARGUMENT },
	{ NULL, 0, STOP, NO_ARGUMENT },
};

static const struct option busybox[] = {
	{ "ignore-environment", 'i', CLEAR, NO_ARGUMENT },
	{ "null", '0', NUL, NO_ARGUMENT },
	{ "unset", 'u', UNSET, AN_ARGUMENT },
	{ "help", 0, STOP, NO_ARGUMENT },
	{ NULL, 0, STOP, NO_ARGUMENT },
};

static const struct option toybox[] = {
	{ "help", 0, STOP, NO_ARGUMENT }, { "version", 0, STOP, NO_ARGUMENT }, { "", 'i', CLEAR, NO_ARGUMENT },
	{ "", '0', NUL, NO_ARGUMENT },	  { "", 'u', UNSET, AN_ARGUMENT },     { NULL, 0, STOP, NO_ARGUMENT },
};

static const struct option *const options[] = {
	[EP_ENV_GNU] = gnu, [EP_ENV_OLD_GNU] = old_gnu, [EP_ENV_BUSYBOX] = busybox, [EP_ENV_TOYBOX] = toybox
};

struct reader {
	struct ep_env_call *call;
	enum ep_env_kind kind;
	char **at; /* the next argument */
	struct ep_words *words;
	char *const *envp;
	bool has_nul;
};

static void fail(struct reader *reader, enum errpipe_detail detail, const char *object, size_t length)
{
	reader->call->fault = detail;
	reader->call->object = object;
	reader->call->object_length = length;
}

static void fail_option(struct reader *reader, const char *text, char letter)
{
	fail(reader, ERRPIPE_DETAIL_ENV_OPTION, text, strlen(text));
	reader->call->letter = letter;
}

static bool has_ended(const struct reader *reader)
{
	return reader->call->fault || reader->call->is_unknown;
}

/* The words replace the arguments that were read. */
static void split(struct reader *reader, const char *text)
{
	struct ep_words *words = reader->words;
	size_t before = words->count;
	enum ep_split_fault fault;

	words->in_word = false;
	fault = ep_split(words, text, reader->envp);
	switch (fault) {
	case EP_SPLIT_DONE:
		break;
	case EP_SPLIT_UNKNOWN:
		reader->call->is_unknown = true;
		return;
	case EP_SPLIT_QUOTE:
		fail(reader, ERRPIPE_DETAIL_ENV_QUOTE, text, strlen(text));
		return;
	case EP_SPLIT_BACKSLASH:
		fail(reader, ERRPIPE_DETAIL_ENV_BACKSLASH, words->culprit, words->culprit_length);
		return;
	case EP_SPLIT_VARIABLE:
		fail(reader, ERRPIPE_DETAIL_ENV_VARIABLE, words->culprit, words->culprit_length);
		return;
	}
	for (size_t i = words->count; i > before; i--)
		*--reader->at = words->word[i - 1];
}

/* GNU's unsetenv(3) refuses these names; the others ignore them. */
static void unset(struct reader *reader, char *name)
{
	bool is_gnu = reader->kind == EP_ENV_GNU || reader->kind == EP_ENV_OLD_GNU;

	if (is_gnu && (!*name || strchr(name, '='))) {
		if (!reader->call->clears)
			fail(reader, ERRPIPE_DETAIL_ENV_UNSET, name, strlen(name));
		return;
	}
	reader->call->unset[reader->call->unset_count++] = name;
}

static void take(struct reader *reader, enum option_kind kind, char *argument)
{
	switch (kind) {
	case CLEAR:
		reader->call->clears = true;
		break;
	case UNSET:
		if (argument)
			unset(reader, argument);
		break;
	case NUL:
		reader->has_nul = true;
		break;
	case DIRECTORY:
		reader->call->directory = argument;
		break;
	case SPLIT:
		if (argument)
			split(reader, argument);
		break;
	case NOTHING:
		break;
	case STOP:
		reader->call->is_unknown = true;
		break;
	}
}

/* An option whose argument may be the next one. */
static void take_with_argument(struct reader *reader, const struct option *option, char *argument, const char *text)
{
	if (!argument && !*reader->at) {
		fail(reader, ERRPIPE_DETAIL_ENV_ARGUMENT, text, strlen(text));
		return;
	}
	if (!argument)
		argument = *reader->at++;
	take(reader, option->kind, argument);
}

static const struct option *by_letter(const struct reader *reader, char letter)
{
	const struct option *option = options[reader->kind];

	while (option->name && option->letter != letter)
		option++;
	return option->name ? option : NULL;
}

/* -a: since coreutils 9.5. */
static bool depends_on_version(const struct reader *reader, char letter)
{
	return letter == 'a' && reader->kind == EP_ENV_GNU;
}

/* "-vi", "-uNAME" */
static void read_letters(struct reader *reader, char *text)
{
	for (char *at = text + 1; *at && !has_ended(reader); at++) {
		const struct option *option = by_letter(reader, *at);

		if (!option && depends_on_version(reader, *at)) {
			reader->call->is_unknown = true;
		} else if (!option) {
			fail_option(reader, text, *at);
		} else if (option->has == AN_ARGUMENT) {
			take_with_argument(reader, option, at[1] ? at + 1 : NULL, text);
			return;
		} else {
			take(reader, option->kind, NULL);
		}
	}
}

/* No version has an option with such a name, or a signal with such a name after "--default-signal=". */
static const char *impossible(const struct option *option, char *text, size_t length)
{
	char *name = text + 2;

	if (!option)
		return ep_not_in_option(name, length);
	return option->kind == NOTHING && name[length] ? ep_not_in_option(name + length, strlen(name + length))
						       : NULL;
}

/* A long option may be shortened. An unknown name may be an option of a later version. */
static void read_long(struct reader *reader, char *text)
{
	size_t length = strcspn(text + 2, "="), found = 0;
	char *argument = text[2 + length] ? text + 2 + length + 1 : NULL;
	const struct option *option = NULL;
	const char *culprit;

	for (const struct option *o = options[reader->kind]; o->name; o++) {
		if (!*o->name || strncmp(o->name, text + 2, length) != 0)
			continue;
		option = o;
		found++;
		if (!o->name[length]) {
			found = 1;
			break;
		}
	}
	culprit = found > 1 ? NULL : impossible(option, text, length);
	if (culprit)
		fail_option(reader, text, *culprit);
	else if (found != 1 || (argument && option->has == NO_ARGUMENT))
		reader->call->is_unknown = true;
	else if (option->has == AN_ARGUMENT)
		take_with_argument(reader, option, argument, text);
	else
		take(reader, option->kind, argument);
}

static void read_options(struct reader *reader)
{
	while (!has_ended(reader) && *reader->at && (*reader->at)[0] == '-' && (*reader->at)[1]) {
		char *text = *reader->at++;

		if (strcmp(text, "--") == 0)
			return;
		if (text[1] == '-')
			read_long(reader, text);
		else
			read_letters(reader, text);
	}
}

static void check_command(struct reader *reader)
{
	struct ep_env_call *call = reader->call;
	bool is_gnu = reader->kind == EP_ENV_GNU || reader->kind == EP_ENV_OLD_GNU;

	if (is_gnu && *call->command && reader->has_nul)
		fail(reader, ERRPIPE_DETAIL_ENV_NULL, "-0", 2);
	else if (!*call->command && call->directory)
		fail(reader, ERRPIPE_DETAIL_ENV_NO_COMMAND, "-C", 2);
}

void ep_env_call(struct ep_env_call *call, enum ep_env_kind kind, char **arguments, struct ep_words *words,
		 char *const *envp)
{
	struct reader reader = { .call = call, .kind = kind, .at = arguments, .words = words, .envp = envp };

	read_options(&reader);
	if (has_ended(&reader))
		return;
	if (*reader.at && strcmp(*reader.at, "-") == 0) {
		call->clears = true;
		reader.at++;
	}
	call->set = reader.at;
	while (*reader.at && strchr(*reader.at, '='))
		reader.at++;
	call->set_count = reader.at - call->set;
	call->command = reader.at;
	check_command(&reader);
}

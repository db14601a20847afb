/* SPDX-License-Identifier: MIT */
/* A shell that gets a simple command with -c: it execs that command, as env(1) does. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

/* Builtins and keywords of bash 5.2, dash 0.5.12 and busybox 1.35, with a blank before and after each. */
static const char own_words[] =
	" . : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc "
	"declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for function "
	"getopts hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray "
	"readonly return select set shift shopt source suspend test then time times trap true type typeset ulimit "
	"umask unalias unset until wait while ";

static bool is_among(const char *names, const char *word, size_t length)
{
	while ((names = memmem(names, strlen(names), word, length))) {
		if (names[-1] == ' ' && names[length] == ' ')
			return true;
		names++;
	}
	return false;
}

static const char blanks[] = " \t";

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:+@=- \t";

/* The length of "$NAME", "${NAME}", "$1", "$@" or "$*" without an error. 0: it is something else. */
static size_t variable_length(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const size_t brace = text[1] == '{', length = strspn(text + 1 + brace, letters);

	if (!brace && text[1] && strchr("@*", text[1]))
		return 2;
	return length && (!brace || text[2 + length] == '}') ? 1 + length + 2 * brace : 0;
}

/*
 * Arguments which a shell expands, but which cannot fail, run another command, or end this one. With -u, an unset variable is
 * an error.
 */
static bool are_harmless(const char *text, const char *marks, bool fails_if_unset)
{
	char quote = '\0';

	while (*text) {
		size_t length = 1;

		if (*text == '$' && quote != '\'')
			length = fails_if_unset ? 0 : variable_length(text);
		else if (*text == '\'' || *text == '"')
			quote = !quote ? *text : quote == *text ? '\0' : quote;
		else if (quote)
			length = !strchr(quote == '"' ? "`\\\n" : "\n", *text);
		else
			length = strchr(plain, *text) || strchr(marks, *text);
		if (!length)
			return false;
		text += length;
	}
	return !quote;
}

/* A command with a literal name, without assignments before it. */
static bool is_simple(const char *text, bool fails_if_unset)
{
	size_t length = strcspn(text, blanks);

	return length && strspn(text, plain) >= length && *text != '-' && !memchr(text, '=', length) &&
	       !is_among(own_words, text, length) && are_harmless(text + length, "*[]~%", fails_if_unset);
}

/* "['npm', 'start']": a list which is not valid JSON, or which a program has passed on as a text. */
static bool is_list(const char *text)
{
	return text[0] == '[' && (text[1] == '\'' || text[1] == '"') && are_harmless(text, "[]", true);
}

/* The command itself. The builtin exec changes only its process. */
static const char *skip_exec(const char *text)
{
	text += strspn(text, blanks);
	if (ep_begins_with(text, "exec "))
		text += strlen("exec ");
	return text + strspn(text, blanks);
}

/* bash takes functions from the environment, and reads the file BASH_ENV. */
static bool has_functions(char *const *envp)
{
	for (; envp && *envp; envp++) {
		if (ep_begins_with(*envp, "BASH_ENV=") || ep_begins_with(*envp, "BASH_FUNC_"))
			return true;
	}
	return false;
}

static bool is_shell(const char *name)
{
	return is_among(" ash bash dash sh ", name, strlen(name));
}

/* A file that is called sh itself can be any shell. */
bool ep_may_be_shell(const char *resolved)
{
	const char *name = ep_last_name(resolved);

	return strcmp(name, "busybox") == 0 || (is_shell(name) && strcmp(name, "sh") != 0);
}

const char *ep_shell_command(char *const *argv, char *const *envp)
{
	const char *option = argv[0] && is_shell(ep_last_name(argv[0])) ? argv[1] : NULL, *text;

	if (!option || *option != '-' || strcmp(option + 1 + strspn(option + 1, "eux"), "c") != 0 || !argv[2])
		return NULL;
	text = skip_exec(argv[2]);
	return (is_simple(text, strchr(option, 'u')) || is_list(text)) && !has_functions(envp) ? text : NULL;
}

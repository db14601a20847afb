/* SPDX-License-Identifier: MIT */
/* What is wrong with the command itself, as somebody typed it. Its file is missing; the most telling sign comes first. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "explain/hints/hints.h"

/* Look-ups for all hints of one command. */
enum { HINT_STEPS = 4000 };

/* --- words -------------------------------------------------------------------------------------------------- */

/* What the shell does itself (POSIX, XCU 2.4 and 2.14; bash(1)). Most of it cannot be a program, such as cd. */
static const char *const builtins[] = {
	".",	    ":",       "[[",	  "alias",    "bg",	 "break",   "builtin",	"case",	   "cd",
	"continue", "declare", "dirs",	  "disown",   "do",	 "eval",    "exec",	"exit",	   "export",
	"fc",	    "fg",      "for",	  "function", "hash",	 "history", "if",	"jobs",	   "let",
	"local",    "logout",  "mapfile", "popd",     "pushd",	 "read",    "readonly", "return",  "select",
	"set",	    "shift",   "shopt",	  "source",   "suspend", "trap",    "type",	"typeset", "ulimit",
	"umask",    "unalias", "unset",	  "until",    "wait",	 "while",
};

/* Programs that are often given with all of their arguments in one word. */
static const char *const launchers[] = {
	"bash",	  "bundle", "cargo",   "celery", "deno", "dotnet", "flask", "go",      "gunicorn",
	"java",	  "make",   "nginx",   "node",	 "npm",	 "npx",	   "php",   "pip",     "pnpm",
	"poetry", "python", "python3", "rails",	 "ruby", "sh",	   "sudo",  "uvicorn", "yarn",
};

static bool is_among(const char *word, size_t length, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
			return true;
	}
	return false;
}

#define IS_AMONG(word, length, words) is_among(word, length, words, sizeof(words) / sizeof(*(words)))

/* Is that a program, by its path or along PATH? */
static bool is_program(struct ep_check *c, const char *text, size_t length)
{
	char name[PATH_MAX];

	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	return ep_is_searched(name, c->question->search_path) ? ep_is_in_path(c, name) : ep_is_program(c, name);
}

static bool refine(struct ep_check *c, struct ep_finding finding)
{
	ep_finding_refine(c, finding);
	return true;
}

/* --- quotes and brackets ------------------------------------------------------------------------------------ */

/* Those of JSON and of shells, and what a word processor makes of them. Returns the length, or 0. */
static size_t quote_at(const char *p)
{
	static const char *const quotes[] = { "\"", "'", "\u2018", "\u2019", "\u201c", "\u201d" };

	for (size_t i = 0; i < sizeof(quotes) / sizeof(*quotes); i++) {
		size_t length = strlen(quotes[i]);

		if (strncmp(p, quotes[i], length) == 0)
			return length;
	}
	return 0;
}

static size_t mark_at(const char *p)
{
	return *p && strchr("[], ", *p) ? 1 : quote_at(p);
}

/* Where the marks begin that end the text. */
static size_t end_before_marks(const char *text)
{
	size_t end = 0;

	for (size_t at = 0, length; text[at]; at += length) {
		length = mark_at(text + at);
		if (!length) {
			length = 1;
			end = at + 1;
		}
	}
	return end;
}

/* A quote, and after it a comma: two items of a list, or the end of one. */
static bool has_list(const char *text)
{
	for (size_t length; *text; text += length) {
		length = quote_at(text);
		if (length && text[length + strspn(text + length, " ")] == ',')
			return true;
		if (!length)
			length = 1;
	}
	return false;
}

static bool hint_quotes(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path, *core = text;
	size_t length, end = end_before_marks(text);
	bool is_list = has_list(text) || (*text == '[' && quote_at(text + 1));
	bool has_marks;

	while ((length = mark_at(core)))
		core += length;
	if (text + end <= core)
		return false;
	end -= core - text;
	has_marks = text + strspn(text, " ") < core || core[end + strspn(core + end, " ")];
	if (has_marks && is_program(c, core, end))
		return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_LITERAL_QUOTES,
						      .certainty = ERRPIPE_LIKELY,
						      .detail = is_list ? ERRPIPE_DETAIL_JSON_LIST
									: ERRPIPE_DETAIL_NAME_QUOTED,
						      .object = ep_keep(c, "%.*s", (int)end, core) });
	return is_list && refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_LITERAL_QUOTES,
							 .certainty = ERRPIPE_LIKELY,
							 .detail = ERRPIPE_DETAIL_JSON_LIST });
}

/* --- what only a shell expands ------------------------------------------------------------------------------ */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of a name of a variable. */
static size_t name_length(const char *p)
{
	size_t length = 0;

	while (is_letter(p[length]) || (length && p[length] >= '0' && p[length] <= '9'))
		length++;
	return length;
}

static bool needs_shell(const char *text)
{
	if (text[0] == '~' && text[1] == '/')
		return true;
	for (text = strchr(text, '$'); text; text = strchr(text + 1, '$')) {
		if (is_letter(text[1]) || text[1] == '{' || text[1] == '(')
			return true;
	}
	return false;
}

/* Returns the value of what begins at *p, and moves *p after it; NULL: unknown. */
static const char *value_at(const struct ep_check *c, const char **p)
{
	bool braces = (*p)[1] == '{';
	const char *begin = *p + 1 + braces;
	size_t length = name_length(begin);
	char name[128];

	if (!length || length >= sizeof(name) || (braces && begin[length] != '}'))
		return NULL;
	memcpy(name, begin, length);
	name[length] = '\0';
	*p = begin + length + braces;
	return ep_variable(c, name);
}

/* Only $NAME, ${NAME} and ~ alone. Returns whether it was possible. */
static bool expand(const struct ep_check *c, const char *text, char *buf, size_t size)
{
	struct ep_line line = { buf, size, 0 };

	if (text[0] == '~' && text[1] == '/') {
		const char *home = ep_variable(c, "HOME");

		if (!home)
			return false;
		ep_add(&line, home);
		text++;
	}
	while (*text) {
		const char *value;

		if (*text != '$') {
			ep_add_char(&line, *text++);
			continue;
		}
		value = value_at(c, &text);
		if (!value)
			return false;
		ep_add(&line, value);
	}
	return ep_end(&line) < size;
}

/* The value of a variable is shown only if it leads to a program. */
static bool hint_expansion(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX];
	bool found;

	if (!needs_shell(link->path) || strpbrk(link->path, " \t"))
		return false;
	found = expand(c, link->path, path, sizeof(path)) && is_program(c, path, strlen(path));
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_EXPANDED,
					      .certainty = found ? ERRPIPE_CERTAIN : ERRPIPE_LIKELY,
					      .object = found ? ep_keep(c, "%s", path) : NULL });
}

/* --- a whole command in one word ---------------------------------------------------------------------------- */

static bool needs_syntax(const char *text)
{
	return strpbrk(text, "|&;<>$`*?\"'()") != NULL;
}

/* The length of the program's name at the beginning: up to one of the first blanks. 0: none. */
static size_t program_before_blank(struct ep_check *c, const char *text)
{
	enum { BLANKS = 8 };
	size_t length = strcspn(text, " \t");

	if (IS_AMONG(text, length, builtins))
		return length;
	for (int i = 0; i < BLANKS && text[length]; i++) {
		if (is_program(c, text, length))
			return length;
		length += 1 + strcspn(text + length + 1, " \t");
	}
	return 0;
}

/* Does the text after the first word look like arguments? */
static bool looks_like_arguments(const char *text, size_t first)
{
	const char *rest = text + first + strspn(text + first, " \t");

	return *rest == '-' || *rest == '/' || strncmp(rest, "./", 2) == 0 || IS_AMONG(text, first, launchers);
}

static bool hint_whole_command(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path;
	size_t first = strcspn(text, " \t"), length;
	bool is_builtin = IS_AMONG(text, first, builtins);

	if (!first || !text[first + strspn(text + first, " \t")])
		return false;
	length = program_before_blank(c, text);
	if (!length && looks_like_arguments(text, first))
		length = first;
	return length &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_WHOLE_COMMAND,
					      .certainty = ERRPIPE_LIKELY,
					      .detail = is_builtin || needs_syntax(text) ? ERRPIPE_DETAIL_SHELL_SYNTAX
											 : ERRPIPE_DETAIL_PLAIN_WORDS,
					      .object = ep_keep(c, "%.*s", (int)length, text) });
}

/* --- other words -------------------------------------------------------------------------------------------- */

/* An engine's option after the image's name, or arguments without a program. */
static bool hint_option(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path;

	return text[0] == '-' && text[1] &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_OPTION, .certainty = ERRPIPE_LIKELY });
}

static bool hint_builtin(struct ep_check *c, const struct errpipe_link *link)
{
	return c->ex->cause == ERRPIPE_CAUSE_NOT_IN_PATH && IS_AMONG(link->path, strlen(link->path), builtins) &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_SHELL_BUILTIN });
}

/* --- all of them -------------------------------------------------------------------------------------------- */

static bool is_missing(enum errpipe_cause cause)
{
	return cause == ERRPIPE_CAUSE_MISSING || cause == ERRPIPE_CAUSE_NOT_IN_PATH ||
	       cause == ERRPIPE_CAUSE_INTERPRETER_MISSING || cause == ERRPIPE_CAUSE_NAME_TOO_LONG ||
	       cause == ERRPIPE_CAUSE_PATH_TOO_LONG;
}

static bool is_typed(const struct errpipe_link *link)
{
	return link->kind == ERRPIPE_LINK_PROGRAM || link->kind == ERRPIPE_LINK_COMMAND;
}

/* An interpreter's name was not typed as a command, and the kernel has cut it at a blank. */
static const struct {
	bool (*give)(struct ep_check *c, const struct errpipe_link *link);
	bool for_interpreters;
} hints[] = {
	{ hint_quotes, false },	       { ep_hint_invisible, true }, { hint_expansion, false },
	{ hint_whole_command, false }, { hint_option, false },	    { ep_hint_path, false },
	{ ep_hint_place, true },       { hint_builtin, false },	    { ep_hint_similar, true },
	{ ep_hint_host, false },
};

void ep_hint_command(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_link *link = ex->broken < 0 ? NULL : &ex->link[ex->broken];

	if (!link || !is_missing(ex->cause) || ex->detail)
		return;
	c->steps = HINT_STEPS;
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		if ((is_typed(link) || hints[i].for_interpreters) && hints[i].give(c, link))
			return;
	}
}

/* SPDX-License-Identifier: MIT */
/* What is wrong with the command itself, as somebody typed it. Its file is missing; the most telling sign comes first. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "explain/hints/hints.h"

/* Look-ups for all hints of one command. */
enum { HINT_STEPS = 4000 };

/* env(1) has a PATH of its own, and the kernel searches none for an interpreter. */
const char *ep_searched(const struct ep_check *c)
{
	if (c->ex->link[c->ex->broken].kind == ERRPIPE_LINK_INTERPRETER)
		return NULL;
	return c->ex->cause == ERRPIPE_CAUSE_ENV_COMMAND_MISSING ? c->ex->object : c->question->search_path;
}

bool ep_is_command(struct ep_check *c, const char *text, size_t length)
{
	char name[PATH_MAX];

	if (!length || length >= sizeof(name))
		return false;
	memcpy(name, text, length);
	name[length] = '\0';
	return ep_is_searched(name, ep_searched(c)) ? ep_is_in_path(c, name) : ep_is_program(c, name);
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
	if (has_marks && ep_is_command(c, core, end))
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

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t ep_variable_length(const char *text)
{
	size_t length = 0;

	while (is_letter(text[length]) || (length && is_digit(text[length])))
		length++;
	return length;
}

/* $NAME, ${NAME}; Kubernetes' $(NAME), which is a command for shells; Windows' %NAME%. */
static const struct notation {
	const char *before, *after;
	enum errpipe_detail detail;
} notations[] = {
	{ "${", "}", ERRPIPE_DETAIL_NONE },
	{ "$(", ")", ERRPIPE_DETAIL_KUBERNETES },
	{ "%", "%", ERRPIPE_DETAIL_WINDOWS_VARIABLE },
	{ "$", "", ERRPIPE_DETAIL_NONE },
};

struct variable {
	const struct notation *notation;
	const char *name, *end;
	size_t length; /* of the name */
};

/* "$(pwd)" is a command, and "%Y%m" a date. */
static bool is_other_syntax(const struct variable *variable)
{
	if (variable->notation->detail == ERRPIPE_DETAIL_WINDOWS_VARIABLE)
		return variable->length < 3;
	for (size_t i = 0; i < variable->length; i++) {
		if (variable->notation->detail && variable->name[i] >= 'a' && variable->name[i] <= 'z')
			return true;
	}
	return false;
}

static bool read_variable(const char *text, struct variable *variable)
{
	for (size_t i = 0; i < sizeof(notations) / sizeof(*notations); i++) {
		const char *after = notations[i].after;

		if (!ep_begins_with(text, notations[i].before))
			continue;
		variable->notation = &notations[i];
		variable->name = text + strlen(notations[i].before);
		variable->length = ep_variable_length(variable->name);
		variable->end = variable->name + variable->length + strlen(after);
		if (variable->length && ep_begins_with(variable->name + variable->length, after))
			return !is_other_syntax(variable);
	}
	return false;
}

enum errpipe_detail ep_expansion(const char *text)
{
	struct variable variable;

	for (; *text; text++) {
		if (read_variable(text, &variable))
			return variable.notation->detail;
	}
	return ERRPIPE_DETAIL_NONE;
}

/* "~/bin", "~user/bin" */
static bool has_home(const char *text)
{
	return text[0] == '~' && text[1 + ep_variable_length(text + 1)] == '/';
}

static bool needs_expansion(const char *text)
{
	struct variable variable;

	if (has_home(text))
		return true;
	for (; *text; text++) {
		if (read_variable(text, &variable) || (text[0] == '$' && (text[1] == '{' || text[1] == '(')))
			return true;
	}
	return false;
}

/* "{{ .Values.command }}", "@bindir@/app" */
static bool is_template(const char *text)
{
	const char *braces = strstr(text, "{{"), *name = strchr(text, '@');
	size_t length = name ? ep_variable_length(name + 1) : 0;

	return (braces && strstr(braces, "}}")) || (length && name[1 + length] == '@');
}

static const char *value_of(const struct ep_check *c, const struct variable *variable)
{
	char name[128];

	if (variable->length >= sizeof(name))
		return NULL;
	memcpy(name, variable->name, variable->length);
	name[variable->length] = '\0';
	return ep_variable(c, name);
}

bool ep_expand(const struct ep_check *c, const char *text, char *buf, size_t size)
{
	struct ep_line line = { buf, size, 0 };
	struct variable variable;

	if (text[0] == '~' && (!text[1] || text[1] == '/')) {
		const char *home = ep_variable(c, "HOME");

		if (!home)
			return false;
		ep_add(&line, home);
		text++;
	}
	while (*text) {
		const char *value;

		if (!read_variable(text, &variable)) {
			if (*text == '$')
				return false;
			ep_add_char(&line, *text++);
			continue;
		}
		value = value_of(c, &variable);
		if (!value)
			return false;
		ep_add(&line, value);
		text = variable.end;
	}
	return ep_end(&line) < size;
}

/* The value of a variable is shown only if it leads to a program. */
static bool hint_expansion(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX];
	enum errpipe_detail detail = ep_expansion(link->path);
	bool found;

	if (is_template(link->path))
		detail = ERRPIPE_DETAIL_TEMPLATE;
	else if (!needs_expansion(link->path) || strpbrk(link->path, " \t"))
		return false;
	found = ep_expand(c, link->path, path, sizeof(path)) && ep_is_command(c, path, strlen(path));
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_EXPANDED,
					      .certainty = found ? ERRPIPE_CERTAIN : ERRPIPE_LIKELY,
					      .detail = detail,
					      .object = found ? ep_keep(c, "%s", path) : NULL });
}

/* --- other words -------------------------------------------------------------------------------------------- */

/* An engine's option after the image's name, or arguments without a program. */
static bool hint_option(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path;

	return text[0] == '-' && text[1] &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_OPTION, .certainty = ERRPIPE_LIKELY });
}

/* --- all of them -------------------------------------------------------------------------------------------- */

/* The kernel does not search PATH for an interpreter. */
static bool hint_relative(struct ep_check *c, const struct errpipe_link *link)
{
	return c->ex->cause == ERRPIPE_CAUSE_INTERPRETER_MISSING && *link->path != '/' &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_RELATIVE_INTERPRETER });
}

static bool is_missing(const struct errpipe_explanation *ex)
{
	switch (ex->cause) {
	case ERRPIPE_CAUSE_MISSING:
	case ERRPIPE_CAUSE_NOT_IN_PATH:
	case ERRPIPE_CAUSE_INTERPRETER_MISSING:
	case ERRPIPE_CAUSE_NAME_TOO_LONG:
	case ERRPIPE_CAUSE_PATH_TOO_LONG:
		return !ex->detail;
	case ERRPIPE_CAUSE_ENV_COMMAND_MISSING:
		return ex->detail == ERRPIPE_DETAIL_PATH_LACKS_IT;
	default:
		return false;
	}
}

/* The first line of a script has the names of interpreters, and of the commands of those that are env(1). */
static bool is_typed(const struct ep_check *c, const struct errpipe_link *link)
{
	if (link->kind == ERRPIPE_LINK_COMMAND)
		return c->ex->link[link->parent].kind != ERRPIPE_LINK_INTERPRETER;
	return link->kind == ERRPIPE_LINK_PROGRAM;
}

static const struct {
	bool (*give)(struct ep_check *c, const struct errpipe_link *link);
	bool for_lines;
} hints[] = {
	{ hint_quotes, true },	    { ep_hint_invisible, true }, { hint_expansion, true },
	{ ep_hint_words, false },   { ep_hint_notation, false }, { hint_option, false },
	{ ep_hint_path, false },    { ep_hint_place, true },	 { ep_hint_punctuation, true },
	{ ep_hint_builtin, false }, { ep_hint_similar, true },	 { ep_hint_entrypoint, false },
	{ hint_relative, true },    { ep_hint_host, false },
};

static void give_first(struct ep_check *c, const struct errpipe_link *link)
{
	bool typed = is_typed(c, link);

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		if ((typed || hints[i].for_lines) && hints[i].give(c, link))
			return;
	}
}

/* After env(1) has started, the certainty is that of its exit status. */
void ep_hint_command(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_link *link = ex->broken < 0 ? NULL : &ex->link[ex->broken];
	enum errpipe_certainty certainty = ex->certainty;

	if (!link || !is_missing(ex))
		return;
	c->steps = HINT_STEPS;
	give_first(c, link);
	if (ex->works)
		ex->certainty = certainty;
}

/* SPDX-License-Identifier: MIT */
/* What is wrong with the command itself, as somebody typed it. Its file is missing; the most telling sign comes first. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/hints/hints.h"

/* Look-ups for all hints of one command. */
enum { HINT_STEPS = 4000 };

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

/* "[npm,", "[npm,start]": a shell has removed the quotes. */
static bool is_bare_list(const char *text)
{
	size_t length = strlen(text);

	return *text == '[' && strchr(text, ',') && strchr(",]", text[length - 1]);
}

static bool hint_quotes(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path, *core = text;
	size_t length, end = end_before_marks(text);
	bool is_list = has_list(text) || (*text == '[' && quote_at(text + 1)) || is_bare_list(text);
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

/* --- other words -------------------------------------------------------------------------------------------- */

/* An engine's option after the image's name, or arguments without a program. */
static bool hint_option(struct ep_check *c, const struct errpipe_link *link)
{
	const char *text = link->path;
	size_t dash = ep_dash_length(text);

	return ((text[0] == '-' && text[1]) || (dash && text[dash])) &&
	       refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_OPTION,
					      .certainty = ERRPIPE_LIKELY,
					      .detail = dash ? ERRPIPE_DETAIL_DASH : ERRPIPE_DETAIL_NONE });
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
	case ERRPIPE_CAUSE_COMMAND_MISSING:
		return ex->detail == ERRPIPE_DETAIL_PATH_LACKS_IT;
	case ERRPIPE_CAUSE_ENV_ONE_ARGUMENT:
		return true;
	default:
		return false;
	}
}

/*
 * A name that somebody typed; in the first line of a script, that of an interpreter or of the command of env(1); there, a
 * text with blanks that env takes for a name.
 */
enum place { TYPED, LINE, ONE_ARGUMENT };

static enum place place_of(const struct ep_check *c, const struct errpipe_link *link)
{
	if (c->ex->cause == ERRPIPE_CAUSE_ENV_ONE_ARGUMENT)
		return ONE_ARGUMENT;
	if (link->kind == ERRPIPE_LINK_COMMAND)
		return c->ex->link[link->parent].kind == ERRPIPE_LINK_INTERPRETER ? LINE : TYPED;
	return link->kind == ERRPIPE_LINK_PROGRAM ? TYPED : LINE;
}

static const struct {
	bool (*give)(struct ep_check *c, const struct errpipe_link *link);
	enum place last; /* where it applies: there, and at the places before */
} hints[] = {
	{ hint_quotes, LINE },	       { ep_hint_invisible, LINE },
	{ ep_hint_look_alike, LINE },  { ep_hint_template, ONE_ARGUMENT },
	{ ep_hint_expansion, LINE },   { ep_hint_windows_line, LINE },
	{ ep_hint_words, TYPED },      { ep_hint_notation, TYPED },
	{ hint_option, TYPED },	       { ep_hint_path, LINE },
	{ ep_hint_place, LINE },       { ep_hint_punctuation, LINE },
	{ ep_hint_builtin, TYPED },    { ep_hint_root_prefix, LINE },
	{ ep_hint_similar, LINE },     { ep_hint_elsewhere, TYPED },
	{ ep_hint_entrypoint, TYPED }, { hint_relative, LINE },
	{ ep_hint_no_shell, LINE },    { ep_hint_host, TYPED },
};

static void give_first(struct ep_check *c, const struct errpipe_link *link)
{
	enum place place = place_of(c, link);

	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		if (place <= hints[i].last && hints[i].give(c, link))
			return;
	}
}

/* After env(1) has started, the certainty is that of its exit status. */
void ep_hint_command(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_link *link = ex->broken < 0 ? NULL : &ex->link[ex->broken];
	enum errpipe_certainty certainty = ex->certainty;

	ep_hint_directory(c);
	if (link && ex->cause == ERRPIPE_CAUSE_NOT_A_FILE && !ex->detail && !ex->object)
		ep_hint_instead(c, link);
	if (link && ex->cause == ERRPIPE_CAUSE_FILE_AS_DIRECTORY)
		ep_hint_file_as_directory(c);
	if (link && ex->cause == ERRPIPE_CAUSE_DANGLING_LINK)
		ep_hint_host_link(c);
	if (!link || !is_missing(ex))
		return;
	c->steps = HINT_STEPS;
	give_first(c, link);
	if (ex->works)
		ex->certainty = certainty;
}

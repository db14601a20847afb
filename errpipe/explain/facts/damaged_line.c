/* SPDX-License-Identifier: MIT */
/* A #! line that has lost a character, or that is not the very beginning of the file. */
#define _GNU_SOURCE
#include "explain/facts/span.h"

/* The last component of a path, without a version: "python" of "/usr/bin/python3.11". */
static struct ep_span base_of(struct ep_span path)
{
	for (size_t i = 0; i < path.size; i++) {
		if (path.at[i] == '/') {
			path = ep_after(path, i + 1);
			i = (size_t)-1;
		}
	}
	while (path.size && (ep_is_digit(path.at[path.size - 1]) || path.at[path.size - 1] == '.'))
		path.size--;
	return path;
}

static bool is_interpreter(struct ep_span name)
{
	static const char *const names[] = { "sh",  "bash", "dash", "ash",    "ksh",  "mksh", "zsh",   "fish",
					     "env", "perl", "ruby", "python", "pypy", "node", "php",   "tclsh",
					     "lua", "awk",  "gawk", "sed",    "make", "pwsh", "expect" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (ep_equals(name, names[i]))
			return true;
	}
	return false;
}

bool ep_is_interpreter(struct ep_span path)
{
	return is_interpreter(base_of(path));
}

/* An option, or the one word after env: nothing that a comment would go on with. */
static bool is_argument(struct ep_span path, struct ep_span argument)
{
	if (!argument.size || *argument.at == '-')
		return true;
	return ep_equals(base_of(path), "env") && ep_until(argument, " \t") == argument.size;
}

/* "/bin/sh -e": an absolute path in a directory of programs, the name of an interpreter, and an argument at most. */
static bool names_interpreter(struct ep_span line)
{
	struct ep_span path = { line.at, ep_until(line, " \t") };

	return ep_byte(path, 0) == '/' && ep_holds(path, "bin/") && !ep_holds(path, "!") &&
	       is_interpreter(base_of(path)) && is_argument(path, ep_trim(ep_after(line, path.size)));
}

/*
 * Marks that stand in place of "#!" before an interpreter. bash's history turns "!" into "\\!". "1", "3" and others are on the
 * same keys. "! /bin/x" is a command of a shell, and "# /bin/sh" a comment.
 */
static const struct mark {
	const char *mark;
	enum errpipe_detail detail;
	bool allows_blanks;
} marks[] = {
	{ "!", ERRPIPE_DETAIL_HASH_MISSING, false },
	{ "#", ERRPIPE_DETAIL_BANG_MISSING, false },
	{ "!#", ERRPIPE_DETAIL_BANG_BEFORE_HASH, true },
	{ "#\\!", ERRPIPE_DETAIL_BACKSLASH_INSIDE, true },
	{ "##!", ERRPIPE_DETAIL_HASH_TWICE, true },
	{ "#1", ERRPIPE_DETAIL_WRONG_MARK, false },
	{ "#|", ERRPIPE_DETAIL_WRONG_MARK, false },
	{ "3!", ERRPIPE_DETAIL_WRONG_MARK, true },
	{ "$!", ERRPIPE_DETAIL_WRONG_MARK, true },
	{ "@!", ERRPIPE_DETAIL_WRONG_MARK, true },
	{ "*!", ERRPIPE_DETAIL_WRONG_MARK, true },
	{ "\xc2\xa3!", ERRPIPE_DETAIL_WRONG_MARK, true },     /* pound sign */
	{ "\xc2\xa7!", ERRPIPE_DETAIL_WRONG_MARK, true },     /* section sign */
	{ "#\xef\xbc\x81", ERRPIPE_DETAIL_WRONG_MARK, true }, /* fullwidth "!" */
	{ "\xef\xbc\x83!", ERRPIPE_DETAIL_WRONG_MARK, true }, /* fullwidth "#" */
	{ "\xef\xbc\x83\xef\xbc\x81", ERRPIPE_DETAIL_WRONG_MARK, true },
};

static bool has_mark(struct ep_span line, const struct mark *mark, struct ep_damaged_line *found)
{
	struct ep_span rest = ep_after(line, strlen(mark->mark));

	found->detail = mark->detail;
	found->rest = ep_trim(rest);
	return ep_starts(line, mark->mark) && (mark->allows_blanks || ep_byte(rest, 0) == '/') &&
	       names_interpreter(found->rest);
}

static bool has_other_mark(struct ep_span line, struct ep_damaged_line *found)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (has_mark(line, &marks[i], found))
			return true;
	}
	return false;
}

/* "/bin/bash" alone, or "/usr/bin/env python3", and other lines: the whole mark is missing. With options, it is a command. */
static bool has_no_mark(struct ep_span line, struct ep_span rest, struct ep_damaged_line *found)
{
	const struct mark none = { "", ERRPIPE_DETAIL_WRONG_MARK, false };

	return ep_trim(rest).size && !ep_holds(line, " -") && has_mark(line, &none, found);
}

static bool has_blank_inside(struct ep_span line, struct ep_damaged_line *found)
{
	const struct mark bang = { "!", ERRPIPE_DETAIL_BLANK_INSIDE, true };
	struct ep_span rest = ep_after(line, 1);

	return ep_starts(line, "# ") && has_mark(ep_after(rest, ep_while(rest, " \t")), &bang, found);
}

/*
 * Editors and web pages leave a no-break space, a zero-width space or another byte order mark. Where a shell's echo does not
 * know -e or "\#", it prints them. "+", "> " and numbers come with text copied from a patch, a mail or a listing.
 */
static size_t length_of_litter(struct ep_span line)
{
	static const char *const litter[] = {
		" ", "\t", "\xc2\xa0", "\xe2\x80\x8b", "\xef\xbb\xbf", "-e ", "-n ", "\\", "\"",
		"'", "+",  "> ",       "$ ",	       "//",	       ";",   "1 ",  "1:",
	};
	size_t length = 0;

	for (size_t i = 0; i < sizeof(litter) / sizeof(*litter); i++) {
		if (!ep_starts(ep_after(line, length), litter[i]))
			continue;
		length += strlen(litter[i]);
		i = (size_t)-1;
	}
	return length;
}

/* "#!/", or blanks after "#!": what the kernel would take. */
static bool has_whole_mark(struct ep_span line, struct ep_span *rest)
{
	*rest = ep_trim(ep_after(line, 2));
	return ep_starts(line, "#!") && ep_byte(*rest, 0) == '/';
}

static bool is_late_in_line(struct ep_span line, struct ep_damaged_line *found)
{
	size_t litter = length_of_litter(line);
	char last = litter ? line.at[litter - 1] : '\0';

	found->detail = ERRPIPE_DETAIL_LATER_COLUMN;
	found->number = litter + 1;
	if (!litter || !has_whole_mark(ep_after(line, litter), &found->rest))
		return false;
	if ((last == '"' || last == '\'') && found->rest.at[found->rest.size - 1] == last)
		found->rest.size--;
	return true;
}

/* Only an argument that a comment would not go on with. */
static bool is_command(struct ep_span rest)
{
	struct ep_span path = { rest.at, ep_until(rest, " \t") };

	return is_argument(path, ep_trim(ep_after(rest, path.size)));
}

/*
 * Only after empty lines, comments and the fence of a code block, because a script can contain another script. After comments,
 * it may be one of them: "#!/bin/sh is not needed".
 */
static bool is_in_later_line(struct ep_span text, struct ep_damaged_line *found)
{
	bool after_comment = false;
	struct ep_span line;

	for (found->number = 1; ep_take_line(&text, &line); found->number++) {
		if (found->number > 1 && has_whole_mark(line, &found->rest) &&
		    (!after_comment || is_command(found->rest)))
			return true;
		line = ep_trim(line);
		after_comment = after_comment || ep_starts(line, "#");
		if (line.size && *line.at != '#' && !ep_starts(line, "```"))
			break;
	}
	return false;
}

/* An answer with words before the block of code. A shell's here-document may hold one as well. */
static bool is_in_code_block(struct ep_span text, struct ep_damaged_line *found)
{
	const struct ep_text whole = { .all = text };
	bool after_fence = false;
	struct ep_span line;

	for (found->number = 1; ep_take_line(&text, &line); found->number++) {
		if (after_fence && has_whole_mark(line, &found->rest))
			return !ep_is_shell(&whole);
		after_fence = ep_starts(line, "```");
	}
	return false;
}

bool ep_find_damaged_line(struct ep_span text, struct ep_damaged_line *found)
{
	struct ep_span rest = text, line;

	*found = (struct ep_damaged_line){ .number = 0 };
	if (!ep_take_line(&rest, &line))
		return false;
	if (has_other_mark(line, found) || has_no_mark(line, rest, found) || has_blank_inside(line, found) ||
	    is_late_in_line(line, found))
		return true;
	*found = (struct ep_damaged_line){ .detail = ERRPIPE_DETAIL_LATER_LINE };
	return is_in_later_line(text, found) || is_in_code_block(text, found);
}

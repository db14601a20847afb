/* SPDX-License-Identifier: MIT */
/* The first line of a script, parsed like load_script() in the kernel's fs/binfmt_script.c since Linux 5.1. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "explain/kernel/kernel.h"

enum { NAME = 2 }; /* after "#!" */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *line, size_t at, size_t end)
{
	while (at < end && is_blank(line[at]))
		at++;
	return at;
}

static size_t skip_word(const char *line, size_t at, size_t end)
{
	while (at < end && line[at] && !is_blank(line[at]))
		at++;
	return at;
}

/* A line feed after a NUL does not count (strnchr() in the kernel's lib/string.c). */
static size_t find_line_feed(const char *line)
{
	size_t length = strnlen(line, EP_HEAD_SIZE);
	const char *found = memchr(line, '\n', length);

	return found ? (size_t)(found - line) : EP_HEAD_SIZE;
}

/* Without a line feed, a NUL replaces the last byte that was read, and blanks before it become part of the argument. */
static size_t find_end(const char *line, size_t line_feed)
{
	size_t end = line_feed < EP_HEAD_SIZE ? line_feed : EP_HEAD_SIZE - 1;

	while (end > NAME && is_blank(line[end - 1]))
		end--;
	return end;
}

/*
 * No interpreter is named. If a NUL or the end of the file follows "#!", and no line feed, the kernel opens the empty
 * name, which is the working directory.
 */
static int bare(struct ep_check *c, const struct errpipe_link *link, int error)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){ .cause = ERRPIPE_CAUSE_BARE_INTERPRETER_LINE, .error = error });
}

static int too_long(struct ep_check *c, const struct errpipe_link *link)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_LONG_INTERPRETER_LINE,
				      .error = ENOEXEC,
				      .limit = EP_HEAD_SIZE,
			      });
}

int ep_script(struct ep_check *c, struct errpipe_link *link, const struct ep_head *head, struct ep_next *next)
{
	char line[EP_HEAD_SIZE + 1] = { 0 };
	size_t line_feed, end, name, name_end, argument;

	memcpy(line, head->bytes, EP_HEAD_SIZE);
	line_feed = find_line_feed(line);
	name = skip_blanks(line, NAME, line_feed);
	if (name == line_feed)
		return bare(c, link, ENOEXEC);
	if (skip_word(line, name, line_feed) == EP_HEAD_SIZE)
		return too_long(c, link);
	end = find_end(line, line_feed);
	if (name >= end)
		return bare(c, link, ENOEXEC);
	if (!line[name])
		return bare(c, link, EACCES);
	line[end] = '\0';
	name_end = skip_word(line, name, end);
	argument = skip_blanks(line, name_end, end);
	if (end == EP_HEAD_SIZE - 1 && head->bytes[end] && !is_blank(head->bytes[end]) && line_feed == EP_HEAD_SIZE)
		c->cut = link;
	/* Empty if the file ends in blanks there. */
	if (line[name_end] && argument < end)
		link->argument = ep_keep(c, "%s", line + argument);
	*next = (struct ep_next){
		ERRPIPE_LINK_INTERPRETER,
		ep_keep(c, "%.*s", (int)(name_end - name), line + name),
		false,
	};
	return 0;
}

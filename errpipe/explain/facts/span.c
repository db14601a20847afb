/* SPDX-License-Identifier: MIT */
/* Words and lines of a text that has no NUL at its end. */
#define _GNU_SOURCE
#include "explain/facts/span.h"

bool ep_starts_caseless(struct ep_span span, const char *word)
{
	size_t length = strlen(word);

	if (span.size < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (ep_lower(span.at[i]) != word[i])
			return false;
	}
	return true;
}

bool ep_holds(struct ep_span span, const char *word)
{
	for (; span.size; span = ep_after(span, 1)) {
		const char *next = memchr(span.at, *word, span.size);

		if (!next)
			return false;
		span = ep_after(span, next - span.at);
		if (ep_starts(span, word))
			return true;
	}
	return false;
}

/* A NUL is in no set. */
static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

size_t ep_until(struct ep_span span, const char *set)
{
	size_t i = 0;

	while (i < span.size && !is_in(span.at[i], set))
		i++;
	return i;
}

size_t ep_while(struct ep_span span, const char *set)
{
	size_t i = 0;

	while (i < span.size && is_in(span.at[i], set))
		i++;
	return i;
}

struct ep_span ep_trim(struct ep_span span)
{
	span = ep_after(span, ep_while(span, " \t\r\n"));
	while (span.size && is_in(span.at[span.size - 1], " \t\r\n"))
		span.size--;
	return span;
}

bool ep_take_line(struct ep_span *rest, struct ep_span *line)
{
	size_t length = ep_until(*rest, "\n");

	if (!rest->size)
		return false;
	*line = (struct ep_span){ rest->at, length };
	*rest = ep_after(*rest, length + 1);
	if (length && line->at[length - 1] == '\r')
		line->size--;
	return true;
}

struct ep_span ep_skip_comments(struct ep_span span)
{
	struct ep_span rest = span, line;

	while (ep_take_line(&rest, &line)) {
		line = ep_trim(line);
		if (line.size && *line.at != '#')
			break;
		span = rest;
	}
	return ep_after(span, ep_while(span, " \t"));
}

bool ep_has_ending(const char *path, const char *ending)
{
	size_t length = path ? strlen(path) : 0, n = strlen(ending);

	return length > n && memcmp(path + length - n, ending, n) == 0;
}

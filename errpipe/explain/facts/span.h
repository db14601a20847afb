/* SPDX-License-Identifier: MIT */
/* Bytes of a file that may be text. They have no NUL at the end, and may have some inside. */
#ifndef ERRPIPE_EXPLAIN_SPAN_H
#define ERRPIPE_EXPLAIN_SPAN_H

#include <string.h>

#include "explain/facts/facts.h"

#pragma GCC visibility push(hidden)

/* The classes of characters that do not depend on the locale. */
static inline bool ep_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool ep_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline char ep_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool ep_is_letter(char c)
{
	return ep_lower(c) >= 'a' && ep_lower(c) <= 'z';
}

/* Of a name in a programming language. */
static inline bool ep_is_name(char c)
{
	return ep_is_letter(c) || ep_is_digit(c) || c == '_';
}

/* The byte at that place, or 0. */
static inline char ep_byte(struct ep_span span, size_t at)
{
	return span.at && at < span.size ? span.at[at] : '\0';
}

static inline struct ep_span ep_after(struct ep_span span, size_t count)
{
	count = count < span.size ? count : span.size;
	return (struct ep_span){ span.at + count, span.size - count };
}

static inline bool ep_starts(struct ep_span span, const char *word)
{
	size_t length = strlen(word);

	return span.at && span.size >= length && memcmp(span.at, word, length) == 0;
}

static inline bool ep_equals(struct ep_span span, const char *word)
{
	return span.size == strlen(word) && ep_starts(span, word);
}

/* span.c: the same in any letter case; word is in lower case. */
bool ep_starts_caseless(struct ep_span span, const char *word);

/* span.c: does it hold the word? */
bool ep_holds(struct ep_span span, const char *word);

/* span.c: how many bytes up to the first that is one of these, or is none of these. */
size_t ep_until(struct ep_span span, const char *set);
size_t ep_while(struct ep_span span, const char *set);

/* span.c: without blanks at its ends. */
struct ep_span ep_trim(struct ep_span span);

/* span.c: take the next line off the rest, without its line feed and carriage return. Returns false at the end. */
bool ep_take_line(struct ep_span *rest, struct ep_span *line);

/* span.c: skip empty lines, and comments that begin with "#". */
struct ep_span ep_skip_comments(struct ep_span span);

/* span.c: does the name of the file end so? */
bool ep_has_ending(const char *path, const char *ending);

#pragma GCC visibility pop

#endif

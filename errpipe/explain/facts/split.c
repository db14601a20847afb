/* SPDX-License-Identifier: MIT */
/* Split a string into words like the option -S of env(1): build_argv() in coreutils' src/env.c, and its manual. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

static const char blanks[] = " \t\n\v\f\r";

static void add_byte(struct ep_words *words, char byte)
{
	if (words->used + 1 >= words->size) {
		words->is_full = true;
		return;
	}
	words->bytes[words->used++] = byte;
	words->bytes[words->used] = '\0';
}

/* Quotes, and an expansion, begin a word even if they add nothing to it. */
static void begin_word(struct ep_words *words)
{
	if (words->in_word)
		return;
	if (words->count == words->max || words->used + 2 >= words->size) {
		words->is_full = true;
		return;
	}
	if (words->count)
		words->used++; /* after the NUL of the last word */
	words->word[words->count++] = words->bytes + words->used;
	words->bytes[words->used] = '\0';
	words->in_word = true;
}

static void add(struct ep_words *words, char byte)
{
	begin_word(words);
	if (!words->is_full)
		add_byte(words, byte);
}

static enum ep_split_fault fault(struct ep_words *words, enum ep_split_fault fault, const char *at, size_t length)
{
	words->culprit = at;
	words->culprit_length = strnlen(at, length);
	return fault;
}

/* Returns 0 for an unknown sequence. */
static char escaped_byte(char c)
{
	static const char names[] = "\"#$'\\_fnrtv", bytes[] = "\"#$'\\ \f\n\r\t\v";
	const char *found = c ? strchr(names, c) : NULL;

	return found ? bytes[found - names] : '\0';
}

static enum ep_split_fault backslash(struct ep_words *words, const char **at, char quote)
{
	const char *text = *at;
	char c = text[1];

	*at += 2;
	if (quote == '\'' && c != '\\' && c != '\'') {
		*at = text + 1;
		add(words, '\\');
	} else if (c == 'c' && !quote) {
		*at = text + strlen(text);
	} else if (c == '_' && !quote) {
		words->in_word = false;
	} else if (escaped_byte(c)) {
		add(words, escaped_byte(c));
	} else {
		return fault(words, EP_SPLIT_BACKSLASH, text, 2);
	}
	return EP_SPLIT_DONE;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of the name in "${NAME}", or 0. */
static size_t name_length(const char *text)
{
	size_t length = 0;

	if (text[1] != '{' || !is_letter(text[2]))
		return 0;
	while (is_letter(text[2 + length]) || (text[2 + length] >= '0' && text[2 + length] <= '9'))
		length++;
	return text[2 + length] == '}' ? length : 0;
}

/* Only ${NAME}. A variable that is not set expands to nothing. */
static enum ep_split_fault expand(struct ep_words *words, const char **at, char *const *envp)
{
	const char *text = *at, *value = NULL;
	size_t length = name_length(text);

	if (!length)
		return fault(words, EP_SPLIT_VARIABLE, text, 16);
	if (!envp)
		return EP_SPLIT_UNKNOWN;
	for (; *envp && !value; envp++) {
		if (strncmp(*envp, text + 2, length) == 0 && (*envp)[length] == '=')
			value = *envp + length + 1;
	}
	if (value)
		begin_word(words);
	for (; value && *value && !words->is_full; value++)
		add_byte(words, *value);
	*at += length + 3;
	return EP_SPLIT_DONE;
}

static bool is_quote(char c, char quote)
{
	return (c == '\'' || c == '"') && (!quote || quote == c);
}

enum ep_split_fault ep_split(struct ep_words *words, const char *text, char *const *envp)
{
	enum ep_split_fault result = EP_SPLIT_DONE;
	char quote = '\0';

	while (!result && !words->is_full && *text) {
		if (is_quote(*text, quote)) {
			begin_word(words);
			quote = quote ? '\0' : *text;
			text++;
		} else if (!quote && strchr(blanks, *text)) {
			words->in_word = false;
			text++;
		} else if (*text == '#' && !words->in_word) {
			break;
		} else if (*text == '\\') {
			result = backslash(words, &text, quote);
		} else if (*text == '$' && quote != '\'') {
			result = expand(words, &text, envp);
		} else {
			add(words, *text++);
		}
	}
	if (words->is_full)
		return EP_SPLIT_UNKNOWN;
	return result || !quote ? result : EP_SPLIT_QUOTE;
}

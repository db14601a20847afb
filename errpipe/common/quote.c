/* SPDX-License-Identifier: MIT */
/* Quotes names, so that a reader sees blanks, carriage returns and invisible characters. */
#include <string.h>

#include "common.h"

/* Characters that look like a blank or like nothing, and those that change the direction of writing. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0xa0 },	{ 0xad, 0xad },	    { 0x34f, 0x34f },	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 }, { 0x1680, 0x1680 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x2000, 0x200f },
	{ 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
};

static bool is_hidden(uint32_t code)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	}
	return false;
}

/* Unicode has no characters among the surrogates of UTF-16, nor above its last plane. */
static bool is_character(uint32_t code)
{
	return code < 0xd800 || (code > 0xdfff && code <= 0x10ffff);
}

/* Decodes a UTF-8 character into *code. Returns its length, or 0 if the bytes are not one. */
static size_t decode(const unsigned char *p, uint32_t *code)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if ((*p & forms[i].mask) != forms[i].lead)
			continue;
		*code = *p & (0xff ^ forms[i].mask);
		for (size_t n = 1; n <= i; n++) {
			if ((p[n] & 0xc0) != 0x80)
				return 0;
			*code = *code << 6 | (p[n] & 0x3f);
		}
		return *code >= forms[i].least && is_character(*code) ? i + 1 : 0;
	}
	return 0;
}

/* If it cannot be seen, its bytes must be escaped one by one. */
size_t ep_visible(const char *p)
{
	uint32_t code;
	size_t length = decode((const unsigned char *)p, &code);

	return length && !is_hidden(code) ? length : 0;
}

/* Put a backslash before each visible character that is in special. */
static void add_visible(struct ep_line *line, const char *text, const char *special)
{
	while (*text) {
		size_t length = ep_visible(text);

		if (!length) {
			ep_add_escaped(line, *text++);
			continue;
		}
		if (strchr(special, *text))
			ep_add_char(line, '\\');
		while (length--)
			ep_add_char(line, *text++);
	}
}

void ep_add_visible(struct ep_line *line, const char *text)
{
	add_visible(line, text, "");
}

void ep_add_quoted(struct ep_line *line, const char *name)
{
	ep_add_char(line, '"');
	add_visible(line, name, "\"\\");
	ep_add_char(line, '"');
}

static bool is_all_visible(const char *word)
{
	for (size_t length; *word; word += length) {
		length = ep_visible(word);
		if (!length)
			return false;
	}
	return true;
}

/*
 * $'...' is in POSIX since 2024. Only a name with an escape needs it. A path that begins with "-" would be taken for an
 * option.
 */
void ep_add_word(struct ep_line *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*word == '-')
		ep_add(line, "./");
	if (*word && !word[strspn(word, plain)]) {
		ep_add(line, word);
		return;
	}
	if (!is_all_visible(word)) {
		ep_add(line, "$'");
		add_visible(line, word, "'\\");
	} else {
		ep_add_char(line, '\'');
		for (; *word; word++) {
			if (*word == '\'')
				ep_add(line, "'\\'");
			ep_add_char(line, *word);
		}
	}
	ep_add_char(line, '\'');
}

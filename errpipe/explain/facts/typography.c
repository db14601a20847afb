/* SPDX-License-Identifier: MIT */
/* Characters that look like those of ASCII: a word processor writes them, or a keyboard for another script. */
#define _GNU_SOURCE
#include "explain/facts/facts.h"

static size_t length_of(const char *text, const char *const *characters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ep_begins_with(text, characters[i]))
			return strlen(characters[i]);
	}
	return 0;
}

size_t ep_dash_length(const char *text)
{
	static const char *const dashes[] = { "\u2010", "\u2011", "\u2012", "\u2013",
					      "\u2014", "\u2015", "\u2212", "\uff0d" };

	return length_of(text, dashes, sizeof(dashes) / sizeof(*dashes));
}

size_t ep_other_blank_length(const char *text)
{
	static const char *const blanks[] = { "\u00a0", "\u2002", "\u2003", "\u2007", "\u2009", "\u202f", "\u3000" };

	return length_of(text, blanks, sizeof(blanks) / sizeof(*blanks));
}

bool ep_is_ascii(char byte)
{
	return (unsigned char)byte < 0x80;
}

const char *ep_not_in_option(const char *text, size_t length)
{
	for (const char *end = text + length; text < end; text++) {
		if (strchr(" \t\r;", *text) || !ep_is_ascii(*text))
			return text;
	}
	return NULL;
}

/* Letters of Cyrillic and Greek, each of two bytes. */
static const struct {
	char letter;
	const char *others;
} letters[] = {
	{ 'a', "\u0430\u03b1" }, { 'c', "\u0441\u03f2" }, { 'd', "\u0501" },	   { 'e', "\u0435" },
	{ 'h', "\u04bb" },	 { 'i', "\u0456\u03b9" }, { 'j', "\u0458\u03f3" }, { 'k', "\u043a\u03ba" },
	{ 'm', "\u043c" },	 { 'o', "\u043e\u03bf" }, { 'p', "\u0440\u03c1" }, { 'q', "\u051b" },
	{ 's', "\u0455" },	 { 't', "\u0442\u03c4" }, { 'u', "\u03c5" },	   { 'v', "\u03bd\u0475" },
	{ 'w', "\u051d\u03c9" }, { 'x', "\u0445\u03c7" }, { 'y', "\u0443\u03b3" }, { 'A', "\u0410\u0391" },
	{ 'B', "\u0412\u0392" }, { 'C', "\u0421\u03f9" }, { 'E', "\u0415\u0395" }, { 'H', "\u041d\u0397" },
	{ 'I', "\u0406\u0399" }, { 'J', "\u0408" },	  { 'K', "\u041a\u039a" }, { 'M', "\u041c\u039c" },
	{ 'N', "\u039d" },	 { 'O', "\u041e\u039f" }, { 'P', "\u0420\u03a1" }, { 'S', "\u0405" },
	{ 'T', "\u0422\u03a4" }, { 'X', "\u0425\u03a7" }, { 'Y', "\u04ae\u03a5" }, { 'Z', "\u0396" },
};

char ep_ascii_of(const char *text, size_t *length)
{
	*length = ep_dash_length(text);
	if (*length)
		return '-';
	*length = 2;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		for (const char *other = letters[i].others; *other; other += 2) {
			if (strncmp(text, other, 2) == 0)
				return letters[i].letter;
		}
	}
	*length = 1;
	return *text;
}

/* SPDX-License-Identifier: MIT */
/* A line of text, as people are told it. */
#include "internal.h"

void errpipe__add_char(struct errpipe__line *line, char c)
{
	if (line->buf && line->length + 1 < line->size)
		line->buf[line->length] = c;
	line->length++;
}

void errpipe__add(struct errpipe__line *line, const char *text)
{
	while (*text)
		errpipe__add_char(line, *text++);
}

void errpipe__add_number(struct errpipe__line *line, int n)
{
	char decimal[ERRPIPE__DECIMAL];

	errpipe__add(line, errpipe__decimal(decimal, n));
}

static void add_escaped(struct errpipe__line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	errpipe__add_char(line, '\\');
	switch (c) {
	case '\n':
		errpipe__add_char(line, 'n');
		break;
	case '\r':
		errpipe__add_char(line, 'r');
		break;
	case '\t':
		errpipe__add_char(line, 't');
		break;
	default:
		errpipe__add_char(line, 'x');
		errpipe__add_char(line, hex[c >> 4]);
		errpipe__add_char(line, hex[c & 15]);
	}
}

/* Control characters are ASCII's, and U+0080 to U+009f, which a terminal takes for escape sequences as well. */
void errpipe__add_path(struct errpipe__line *line, const char *path)
{
	const unsigned char *p = (const unsigned char *)path;

	for (; *p; p++) {
		if (*p < ' ' || *p == 0x7f) {
			add_escaped(line, *p);
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			add_escaped(line, *p++);
			add_escaped(line, *p);
		} else {
			errpipe__add_char(line, *p);
		}
	}
}

size_t errpipe__end(struct errpipe__line *line)
{
	if (line->buf && line->size)
		line->buf[line->length < line->size ? line->length : line->size - 1] = '\0';
	return line->length;
}

/* SPDX-License-Identifier: MIT */
/* Builds one line of text for people to read. */
#include "common.h"

void ep_add_char(struct ep_line *line, char c)
{
	if (line->buf && line->length + 1 < line->size)
		line->buf[line->length] = c;
	line->length++;
}

void ep_add(struct ep_line *line, const char *text)
{
	while (*text)
		ep_add_char(line, *text++);
}

void ep_add_number(struct ep_line *line, int n)
{
	char decimal[EP_DECIMAL];

	ep_add(line, ep_decimal(decimal, n));
}

void ep_add_escaped(struct ep_line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	ep_add_char(line, '\\');
	switch (c) {
	case '\n':
		ep_add_char(line, 'n');
		break;
	case '\r':
		ep_add_char(line, 'r');
		break;
	case '\t':
		ep_add_char(line, 't');
		break;
	default:
		ep_add_char(line, 'x');
		ep_add_char(line, hex[c >> 4]);
		ep_add_char(line, hex[c & 15]);
	}
}

/* Escapes ASCII's control characters, and U+0080 to U+009F because terminals obey those as well. */
void ep_add_path(struct ep_line *line, const char *path)
{
	const unsigned char *p = (const unsigned char *)path;

	for (; *p; p++) {
		if (*p < ' ' || *p == 0x7f) {
			ep_add_escaped(line, *p);
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			ep_add_escaped(line, *p++);
			ep_add_escaped(line, *p);
		} else {
			ep_add_char(line, *p);
		}
	}
}

size_t ep_end(struct ep_line *line)
{
	if (line->buf && line->size)
		line->buf[line->length < line->size ? line->length : line->size - 1] = '\0';
	return line->length;
}

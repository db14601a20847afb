/* SPDX-License-Identifier: MIT */
/*
 * The handlers that systemd-binfmt registers when the machine boots: binfmt.d(5). A handler that is there, but not in
 * binfmt_misc, was lost. The format of a line is the one that the kernel's Documentation/admin-guide/binfmt-misc.rst has.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "explain/facts/facts.h"

/* Each is a bound on hostile input. */
enum { FILES_MAX = 256, TEXT_SIZE = 4096, FIELDS = 7 };

enum { NAME = 0, TYPE, OFFSET, MAGIC, MASK, INTERPRETER };

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = c ? strchr(digits, c | ('A' ^ 'a')) : NULL;

	return digit ? digit - digits : -1;
}

/* Decode \xHH within the text. Returns the number of bytes. */
static size_t unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		int high = strncmp(p, "\\x", 2) == 0 ? hex_digit(p[2]) : -1;
		int low = high < 0 ? -1 : hex_digit(p[3]);

		*to++ = low < 0 ? *p : (char)(high << 4 | low);
		p += low < 0 ? 1 : 4;
	}
	return to - text;
}

/* ":name:type:offset:magic:mask:interpreter:flags", with any delimiter. Returns false if a field is missing. */
static bool split(char *line, char *field[FIELDS])
{
	const char delimiter[] = { *line, '\0' };

	if (!*line || *line == '#' || *line == ';')
		return false;
	line++;
	for (int i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, delimiter);
		if (!field[i])
			return false;
	}
	return true;
}

static bool takes(char *line, const struct ep_head *head)
{
	char *field[FIELDS];
	size_t size, masked;

	if (!split(line, field) || strcmp(field[TYPE], "M") != 0 ||
	    (*field[OFFSET] && strcmp(field[OFFSET], "0") != 0))
		return false;
	size = unescape(field[MAGIC]);
	masked = unescape(field[MASK]);
	if (!size || size > sizeof(head->bytes) || (masked && masked != size))
		return false;
	for (size_t i = 0; i < size; i++) {
		int mask = masked ? field[MASK][i] : 0xff;

		if ((head->bytes[i] ^ field[MAGIC][i]) & mask & 0xff)
			return false;
	}
	return access(field[INTERPRETER], X_OK) == 0;
}

struct search {
	struct ep_check *c;
	const struct ep_head *head;
	int directory;
	const char *path;  /* of the directory */
	const char *found; /* kept */
};

static int search_file(void *context, const char *name)
{
	struct search *search = context;
	size_t length = strlen(name);
	char text[TEXT_SIZE], *rest = text, *line;

	if (length < 5 || strcmp(name + length - 5, ".conf") != 0 ||
	    ep_read_text(search->directory, name, text, sizeof(text)) < 0)
		return 0;
	while ((line = strsep(&rest, "\n"))) {
		if (takes(line, search->head)) {
			search->found = ep_keep(search->c, "%s/%s", search->path, name);
			return 1;
		}
	}
	return 0;
}

const char *ep_find_configured(struct ep_check *c, const struct ep_head *head)
{
	static const char *const directories[] = { "/etc/binfmt.d", "/run/binfmt.d", "/usr/lib/binfmt.d" };
	struct search search = { .c = c, .head = head };

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories) && !search.found; i++) {
		search.path = directories[i];
		search.directory = ep_openat(AT_FDCWD, search.path, O_RDONLY | O_DIRECTORY);
		if (search.directory < 0)
			continue;
		ep_entries(search.directory, FILES_MAX, search_file, &search);
		close(search.directory);
	}
	return search.found;
}

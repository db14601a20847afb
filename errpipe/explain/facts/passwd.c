/* SPDX-License-Identifier: MIT */
/* The users of a root: passwd(5). */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "explain/facts/facts.h"

/* "NAME:PASSWORD:UID:..." */
static bool is_user(const char *line, uid_t uid)
{
	const char *colon = strchr(line, ':');
	char *end;
	unsigned long number;

	colon = colon ? strchr(colon + 1, ':') : NULL;
	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	number = strtoul(colon + 1, &end, 10);
	return *end == ':' && number == uid;
}

enum ep_answer ep_has_user(int fd, uid_t uid)
{
	enum { SIZE_MAX_READ = 16384 };
	char text[SIZE_MAX_READ + 1], *rest = text, *line;
	ssize_t n = ep_pread(fd, text, SIZE_MAX_READ, 0);

	if (n < 0 || n == SIZE_MAX_READ)
		return EP_NOT_KNOWN;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		if (is_user(line, uid))
			return EP_YES;
	}
	return EP_NO;
}

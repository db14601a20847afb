/* SPDX-License-Identifier: MIT */
/* May a few words of a file be shown? */
#define _GNU_SOURCE
#include "explain/facts/span.h"
#include "explain/hints/hints.h"

enum { QUOTE_MAX = 40 };

/* linux/capability.h: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH */
#define READS_ALL (UINT64_C(3) << 1)

/* The caller has read the file. If it has an access control list, only a user who may read every file may see it. */
static bool may_read(const struct errpipe_who *who, const struct errpipe_link *link)
{
	if (who->effective & READS_ALL)
		return true;
	if (!link->mode || link->acl)
		return false;
	if (who->uid == link->uid)
		return link->mode & S_IRUSR;
	return link->mode & (ep_is_in_group(who, link->gid) ? S_IRGRP : S_IROTH);
}

/* In lower case, with '\1' for a blank: no string of the library is such a phrase itself. */
static bool has_phrase(struct ep_span text)
{
	static const char *const phrases[] = {
		"not\1found",	    "no\1such\1file",	 "permission\1denied",
		"is\1a\1directory", "not\1a\1directory", "operation\1not\1",
		"open\1executable", "no\1such\1process", "container\1not\1running",
		"invalid\1process",
	};
	char copy[QUOTE_MAX];
	struct ep_span lower = { copy, text.size };

	for (size_t i = 0; i < text.size; i++)
		copy[i] = text.at[i] == ' ' ? '\1' : ep_lower(text.at[i]);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (ep_holds(lower, phrases[i]))
			return true;
	}
	return false;
}

const char *ep_quote(struct ep_check *c, const struct errpipe_link *link, struct ep_span text)
{
	if (!text.size || text.size > QUOTE_MAX || !may_read(&c->who, link) || has_phrase(text))
		return NULL;
	return ep_keep(c, "%.*s", (int)text.size, text.at);
}

/* SPDX-License-Identifier: MIT */
/* The finding of an explanation, and the strings that it holds. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain/finding.h"

struct ep_finding ep_finding_get(const struct errpipe_explanation *ex)
{
	return (struct ep_finding){
		.cause = ex->cause,
		.certainty = ex->certainty,
		.works = ex->works,
		.starts = ex->starts,
		.status = ex->status,
		.error = ex->error,
		.broken = ex->broken,
		.subject = ex->subject,
		.object = ex->object,
		.subject_here = ex->subject_here,
		.object_here = ex->object_here,
		.needer_here = ex->needer_here,
		.root_here = ex->root_here,
		.number = ex->number,
		.limit = ex->limit,
		.arguments = ex->arguments,
		.variables = ex->variables,
		.detail = ex->detail,
		.denied = ex->denied,
		.writers = ex->writers,
		.needs_libc = ex->needs_libc,
		.has_libc = ex->has_libc,
		.needer = ex->needer,
		.searched = ex->searched,
		.available = ex->available,
		.shadowing = ex->shadowing,
		.shadowed = ex->shadowed,
		.subject_content = ex->subject_content,
	};
}

/* The subject may be a file of the chain, such as a script. */
static const char *here_of(const struct errpipe_explanation *ex, const char *subject)
{
	for (int i = 0; i < ex->links && subject; i++) {
		if (strcmp(ex->link[i].path, subject) == 0)
			return ex->link[i].here;
	}
	return NULL;
}

void ep_finding_put(struct errpipe_explanation *ex, const struct ep_finding *finding)
{
	ex->cause = finding->cause;
	if (finding->certainty)
		ex->certainty = finding->certainty;
	ex->works = finding->works;
	ex->starts = finding->starts;
	ex->status = finding->status;
	ex->error = finding->error;
	ex->broken = finding->broken;
	ex->subject = finding->subject;
	ex->object = finding->object;
	ex->subject_here = finding->subject_here ? finding->subject_here : here_of(ex, finding->subject);
	ex->object_here = finding->object_here;
	ex->needer_here = finding->needer_here;
	ex->root_here = finding->root_here;
	ex->number = finding->number;
	ex->limit = finding->limit;
	ex->arguments = finding->arguments;
	ex->variables = finding->variables;
	ex->detail = finding->detail;
	ex->denied = finding->denied;
	ex->writers = finding->writers;
	ex->needs_libc = finding->needs_libc;
	ex->has_libc = finding->has_libc;
	ex->needer = finding->needer;
	ex->searched = finding->searched;
	ex->available = finding->available;
	ex->shadowing = finding->shadowing;
	ex->shadowed = finding->shadowed;
	ex->subject_content = finding->subject_content;
}

void ep_finding_clear(struct errpipe_explanation *ex)
{
	ep_finding_put(ex, &(struct ep_finding){ .works = 1, .starts = 1, .broken = -1 });
}

int ep_finding_set(struct ep_check *c, const struct errpipe_link *link, struct ep_finding finding)
{
	struct errpipe_explanation *ex = c->ex;

	/* A note about set-id bits is not a failure; a real cause may replace it. */
	if (ex->cause != ERRPIPE_CAUSE_NONE && ex->cause != ERRPIPE_CAUSE_SET_ID_IGNORED)
		return -1;
	finding.broken = link ? link - ex->link : -1;
	c->exec_error = finding.error;
	/* The kernel has started the program: no fault after that is one of its execve(2). */
	if (c->has_started) {
		finding.works = 1;
		finding.error = 0;
	}
	ep_finding_put(ex, &finding);
	return -1;
}

void ep_finding_refine(struct ep_check *c, struct ep_finding finding)
{
	struct ep_finding refined = ep_finding_get(c->ex);

	refined.cause = finding.cause;
	if (finding.certainty)
		refined.certainty = finding.certainty;
	if (finding.subject) {
		refined.subject = finding.subject;
		refined.subject_here = finding.subject_here;
	}
	refined.object = finding.object;
	refined.object_here = finding.object_here;
	refined.detail = finding.detail;
	if (finding.number)
		refined.number = finding.number;
	if (finding.available)
		refined.available = finding.available;
	refined.needs_libc = finding.needs_libc;
	refined.has_libc = finding.has_libc;
	ep_finding_put(c->ex, &refined);
}

const struct errpipe_link *ep_naming_script(const struct ep_check *c, const struct errpipe_link *link)
{
	if (link->kind == ERRPIPE_LINK_COMMAND)
		link = &c->ex->link[link->parent];
	return link->kind == ERRPIPE_LINK_INTERPRETER && link->parent >= 0 ? &c->ex->link[link->parent] : NULL;
}

const char *ep_keep(struct ep_check *c, const char *format, ...)
{
	struct errpipe_explanation *ex = c->ex;
	size_t room = sizeof(ex->strings) - ex->strings_used;
	char *string = ex->strings + ex->strings_used;
	va_list args;
	int length;

	/* The last byte is a NUL that is never overwritten. */
	if (room <= 1)
		return ex->strings + sizeof(ex->strings) - 1;
	va_start(args, format);
	length = vsnprintf(string, room - 1, format, args);
	va_end(args);
	if (length < 0)
		*string = '\0';
	ex->strings_used += strlen(string) + 1;
	return string;
}

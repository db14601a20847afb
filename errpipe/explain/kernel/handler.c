/* SPDX-License-Identifier: MIT */
/* Does binfmt_misc take the file? load_misc_binary() in the kernel's fs/binfmt_misc.c, which it tries before all others. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "explain/kernel/kernel.h"

int ep_take_handler(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head,
		    struct ep_next *next)
{
	struct ep_handler handler;

	ep_find_handler(link->path, head, &handler);
	if (handler.binfmt != ERRPIPE_BINFMT_ENABLED)
		return 0;
	if (handler.is_for_windows && link->format == ERRPIPE_FORMAT_TEXT)
		c->mistaken = link;
	c->ex->handler = ep_keep(c, "%s", handler.name);
	next->kind = ERRPIPE_LINK_HANDLER;
	next->path = ep_keep(c, "%s", handler.interpreter);
	next->opened = handler.opened;
	return 1;
}

/* The file in binfmt_misc that enables the handler: its own, or, if all of binfmt_misc is disabled, "status". */
static int handler_disabled(struct ep_check *c, const struct errpipe_link *link)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_HANDLER_DISABLED,
				      .error = ENOEXEC,
				      .object = c->ex->binfmt == ERRPIPE_BINFMT_DISABLED ? "status" : c->ex->handler,
			      });
}

/* WSL's init(8) sets both for each process, and usually one of them survives changes of the environment. */
static bool is_in_wsl(const struct ep_check *c)
{
	return ep_variable(c, "WSL_INTEROP") || ep_variable(c, "WSL_DISTRO_NAME");
}

/* Mono's handler also takes Windows programs. If it is newer than WSL's, or the only one, WSL's does not get them. */
static bool lacks_wsl_handler(struct ep_check *c, const struct errpipe_link *program)
{
	return program->format == ERRPIPE_FORMAT_PE && is_in_wsl(c) && !ep_handler_exists("WSLInterop") &&
	       !ep_handler_exists("WSLInterop-late");
}

void ep_handler_missing(struct ep_check *c, const struct errpipe_link *program)
{
	enum errpipe_detail detail = ERRPIPE_DETAIL_NONE;

	if (c->question->root != ERRPIPE_OWN_ROOT)
		detail = ERRPIPE_DETAIL_OTHER_ROOT;
	else if (lacks_wsl_handler(c, program))
		detail = ERRPIPE_DETAIL_WSL_HANDLER_LOST;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_HANDLER_MISSING, .detail = detail });
}

/* "41 49 02" */
static const char *hex_bytes(struct ep_check *c, const struct ep_head *head, unsigned first, unsigned last)
{
	char text[3 * (EP_HEAD_SIZE + 1)] = "";

	for (unsigned i = first; i <= last; i++)
		snprintf(text + 3 * (size_t)(i - first), 4, "%02x ", head->bytes[i]);
	return ep_keep(c, "%.*s", (int)(3 * (last - first) + 2), text);
}

/*
 * EI_PAD, which neither the kernel nor a loader reads (elf(5)), can be cleared. AppImages have "AI" and their type there:
 * https://github.com/AppImage/AppImageSpec
 */
static enum errpipe_detail kind_of_bytes(const struct ep_head *head, unsigned first, unsigned last)
{
	enum { PAD = 8, TYPE = 16 };

	if (first < PAD || last >= TYPE)
		return ERRPIPE_DETAIL_NONE;
	return memcmp(head->bytes + PAD, "AI", 2) == 0 && head->bytes[PAD + 2] <= 2 ? ERRPIPE_DETAIL_APPIMAGE
										    : ERRPIPE_DETAIL_PADDING;
}

static int handler_mismatch(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head,
			    const struct ep_handler *handler)
{
	c->ex->handler = ep_keep(c, "%s", handler->name);
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_HANDLER_MISMATCH,
				      .error = ENOEXEC,
				      .object = hex_bytes(c, head, handler->first, handler->last),
				      .number = handler->first,
				      .limit = handler->last - handler->first + 1,
				      .detail = kind_of_bytes(head, handler->first, handler->last),
			      });
}

/* In a container the host's handlers count, and usually they cannot be seen there. */
static bool may_be_hidden(const struct ep_check *c)
{
	return !c->question->report &&
	       (c->ex->binfmt == ERRPIPE_BINFMT_NOT_VISIBLE || c->ex->binfmt == ERRPIPE_BINFMT_NOT_MOUNTED);
}

/* The kernel looks at the machine before it looks for the loader, so ENOENT is not about that (load_elf_binary()). */
static bool must_be_hidden(const struct ep_check *c)
{
	const struct errpipe_report *report = c->question->report;

	return report && report->verdict == ERRPIPE_EXEC_FAILED && report->error == ENOENT &&
	       (c->ex->binfmt == ERRPIPE_BINFMT_NOT_VISIBLE || c->ex->binfmt == ERRPIPE_BINFMT_NOT_MOUNTED);
}

/* qemu-user: QEMU_LD_PREFIX, and Debian's own prefix, are another root for the loader and the libraries. */
bool ep_is_plain_emulator(struct ep_check *c, const struct errpipe_link *handler)
{
	const char *name = ep_last_name(handler->path);

	return ep_begins_with(name, "qemu-") && !ep_variable(c, "QEMU_LD_PREFIX") &&
	       !ep_exists(c, "/etc/qemu-binfmt") && !ep_exists(c, "/usr/gnemul");
}

int ep_foreign(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head)
{
	const struct ep_machine *machine = ep_machine(link->machine, link->elf_class, link->elf_data);
	struct ep_finding foreign = { .cause = ERRPIPE_CAUSE_OTHER_ARCHITECTURE, .error = ENOEXEC };
	struct ep_emulator_path path;
	enum ep_emulator emulator;
	struct ep_handler handler;
	const char *configured;

	ep_find_handler(link->path, head, &handler);
	c->ex->platform = machine ? machine->platform : NULL;
	c->ex->binfmt = handler.binfmt;
	if (handler.binfmt >= ERRPIPE_BINFMT_HANDLER_DISABLED)
		c->ex->handler = ep_keep(c, "%s", handler.name);
	if (handler.binfmt == ERRPIPE_BINFMT_HANDLER_DISABLED || handler.binfmt == ERRPIPE_BINFMT_DISABLED)
		return handler_disabled(c, link);
	if (must_be_hidden(c))
		return ep_finding_set(c, link,
				      (struct ep_finding){ .cause = ERRPIPE_CAUSE_HANDLER_HIDDEN,
							   .certainty = ERRPIPE_LIKELY,
							   .error = ENOENT });
	if (handler.binfmt == ERRPIPE_BINFMT_NO_HANDLER && handler.first)
		return handler_mismatch(c, link, head, &handler);
	if (link->kind == ERRPIPE_LINK_HANDLER)
		return ep_finding_set(c, link, foreign);
	emulator = machine ? ep_find_emulator(machine, &path) : EP_NO_EMULATOR;
	switch (emulator) {
	case EP_INSTALLED:
		foreign.detail = ERRPIPE_DETAIL_EMULATOR_INSTALLED;
		foreign.object = ep_keep(c, "%s", path.text);
		break;
	case EP_IN_PACKAGE:
		foreign.detail = ERRPIPE_DETAIL_EMULATOR_IN_PACKAGE;
		foreign.object = "qemu-user-static";
		break;
	case EP_NO_EMULATOR:
		break;
	}
	configured = handler.binfmt == ERRPIPE_BINFMT_NO_HANDLER ? ep_find_configured(c, head) : NULL;
	if (configured) {
		foreign.detail = ERRPIPE_DETAIL_EMULATOR_CONFIGURED;
		foreign.object = configured;
	}
	if (may_be_hidden(c))
		foreign.certainty = ERRPIPE_LIKELY;
	return ep_finding_set(c, link, foreign);
}

int ep_lost_handler(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head)
{
	struct ep_handler handler;

	ep_find_handler(link->path, head, &handler);
	if (handler.binfmt == ERRPIPE_BINFMT_HANDLER_DISABLED || handler.binfmt == ERRPIPE_BINFMT_DISABLED) {
		if (handler.is_for_windows && link->format == ERRPIPE_FORMAT_TEXT)
			return 0;
		c->ex->binfmt = handler.binfmt;
		c->ex->handler = ep_keep(c, "%s", handler.name);
		handler_disabled(c, link);
		return 1;
	}
	if (link->format != ERRPIPE_FORMAT_PE || !is_in_wsl(c) ||
	    (handler.binfmt != ERRPIPE_BINFMT_NO_HANDLER && handler.binfmt != ERRPIPE_BINFMT_NOT_MOUNTED))
		return 0;
	c->ex->binfmt = handler.binfmt;
	ep_finding_set(c, link,
		       (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_WSL_INTEROP_LOST,
			       .certainty = ERRPIPE_LIKELY,
			       .error = ENOEXEC,
		       });
	return 1;
}

/* SPDX-License-Identifier: MIT */
/* Does binfmt_misc take the file? load_misc_binary() in the kernel's fs/binfmt_misc.c, which it tries before all others. */
#define _GNU_SOURCE
#include "explain/kernel/kernel.h"

int ep_take_handler(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head,
		    struct ep_next *next)
{
	struct ep_handler handler;

	ep_find_handler(link->path, head, &handler);
	if (handler.binfmt != ERRPIPE_BINFMT_ENABLED)
		return 0;
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

/* In a container the host's handlers count, and usually they cannot be seen there. */
static bool may_be_hidden(const struct ep_check *c)
{
	return !c->question->report &&
	       (c->ex->binfmt == ERRPIPE_BINFMT_NOT_VISIBLE || c->ex->binfmt == ERRPIPE_BINFMT_NOT_MOUNTED);
}

int ep_foreign(struct ep_check *c, const struct errpipe_link *link, const struct ep_head *head)
{
	const struct ep_machine *machine = ep_machine(link->machine, link->elf_class, link->elf_data);
	struct ep_finding foreign = { .cause = ERRPIPE_CAUSE_OTHER_ARCHITECTURE, .error = ENOEXEC };
	struct ep_emulator_path path;
	enum ep_emulator emulator;
	struct ep_handler handler;

	ep_find_handler(link->path, head, &handler);
	c->ex->platform = machine ? machine->platform : NULL;
	c->ex->binfmt = handler.binfmt;
	if (handler.binfmt >= ERRPIPE_BINFMT_HANDLER_DISABLED)
		c->ex->handler = ep_keep(c, "%s", handler.name);
	if (handler.binfmt == ERRPIPE_BINFMT_HANDLER_DISABLED || handler.binfmt == ERRPIPE_BINFMT_DISABLED)
		return handler_disabled(c, link);
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
	if (may_be_hidden(c))
		foreign.certainty = ERRPIPE_LIKELY;
	return ep_finding_set(c, link, foreign);
}

/* SPDX-License-Identifier: MIT */
/* The security modules that are active. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

#define LANDLOCK_VERSION 1 /* LANDLOCK_CREATE_RULESET_VERSION, linux/landlock.h */

struct modules {
	char text[512];
	struct ep_line line;
};

/* Some modules do not decide what is executed. */
static void add_module(struct modules *modules, const char *name)
{
	static const char *const others[] = { "", "capability", "yama", "lockdown", "safesetid", "loadpin" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (strcmp(name, others[i]) == 0)
			return;
	}
	if (modules->line.length)
		ep_add(&modules->line, ", ");
	ep_add(&modules->line, name);
}

static void add_list(struct modules *modules, char *list)
{
	char *name;

	list[strcspn(list, "\n")] = '\0';
	while ((name = strsep(&list, ",")))
		add_module(modules, name);
}

static bool apparmor_is_enabled(void)
{
	char text[8];

	return ep_read_text(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof(text)) > 0 &&
	       *text == 'Y';
}

/* A container usually has no list. */
static void add_visible(struct modules *modules)
{
#ifdef SYS_landlock_create_ruleset
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION) >= 1)
		add_module(modules, "landlock");
#endif
	if (access("/sys/fs/selinux", F_OK) == 0)
		add_module(modules, "selinux");
	if (apparmor_is_enabled())
		add_module(modules, "apparmor");
}

const char *ep_read_modules(struct ep_check *c)
{
	struct modules modules;
	char list[512];

	modules.line = (struct ep_line){ modules.text, sizeof(modules.text), 0 };
	if (ep_read_text(AT_FDCWD, "/sys/kernel/security/lsm", list, sizeof(list)) > 0)
		add_list(&modules, list);
	else
		add_visible(&modules);
	ep_end(&modules.line);
	c->ex->modules = modules.line.length ? ep_keep(c, "%s", modules.text) : NULL;
	return c->ex->modules;
}

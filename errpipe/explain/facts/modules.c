/* SPDX-License-Identifier: MIT */
/* The security modules that are active. */
#define _GNU_SOURCE
#include <errno.h>
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
	static const char *const others[] = { "", "capability", "yama", "lockdown", "safesetid", "loadpin", "evm" };

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

/* "system_u:system_r:container_t:s0": containers hide selinuxfs, but not their own label. AppArmor's has " (enforce)". */
static bool has_selinux_label(void)
{
	char label[512];

	return ep_read_text(AT_FDCWD, "/proc/self/attr/current", label, sizeof(label)) > 0 && *label != ':' &&
	       strchr(label, ':') && !strchr(label, ' ');
}

/* A container usually has no list. */
static void add_visible(struct modules *modules)
{
#ifdef SYS_landlock_create_ruleset
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION) >= 1)
		add_module(modules, "landlock");
#endif
	if (access("/sys/fs/selinux", F_OK) == 0 || has_selinux_label())
		add_module(modules, "selinux");
	if (apparmor_is_enabled())
		add_module(modules, "apparmor");
}

/* --- those that give an errno ------------------------------------------------------------------ */

enum { GIVES_EACCES = 1, GIVES_EPERM = 2, GIVES_EPERM_NNP = 4 };
enum whom { ALL, SOME, HOOKS };

static const struct module {
	const char *name;
	unsigned errnos;
	enum whom whom;
} known[] = {
#define MODULE(name, errnos, whom, look) { name, errnos, whom },
#include "explain/errnos.def"
#undef MODULE
};

static const struct module *find_module(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	}
	return NULL;
}

/* A module that is not in the table may give anything. */
static bool gives(const struct ep_check *c, const char *name, int error, enum ep_refusal refusal)
{
	const struct module *module = find_module(name);
	unsigned errnos = error == EACCES ? GIVES_EACCES : error == EPERM ? GIVES_EPERM : 0;

	if (error == EPERM && c->who.no_new_privs)
		errnos |= GIVES_EPERM_NNP;
	if (!module)
		return errnos;
	return module->errnos & errnos && !(refusal == EP_GUESSED && module->whom == HOOKS);
}

static void read_modules(struct modules *modules)
{
	char list[512];

	modules->line = (struct ep_line){ modules->text, sizeof(modules->text), 0 };
	if (ep_read_text(AT_FDCWD, "/sys/kernel/security/lsm", list, sizeof(list)) > 0)
		add_list(modules, list);
	else
		add_visible(modules);
	ep_end(&modules->line);
}

static const char *keep(struct ep_check *c, const struct modules *modules)
{
	return modules->line.length ? ep_keep(c, "%s", modules->text) : NULL;
}

const char *ep_modules_for(struct ep_check *c, int error, enum ep_refusal refusal)
{
	struct modules all, some = { .line = { some.text, sizeof(some.text), 0 } };
	char *rest = all.text, *name;

	read_modules(&all);
	c->ex->modules = keep(c, &all);
	while ((name = strsep(&rest, ", "))) {
		if (*name && gives(c, name, error, refusal))
			add_module(&some, name);
	}
	ep_end(&some.line);
	return keep(c, &some);
}

/* SPDX-License-Identifier: MIT */
/*
 * binfmt_misc: emulators and interpreters that the kernel was told of. Its files are written by entry_status(), and
 * matched by search_binfmt_handler(), both in the kernel's fs/binfmt_misc.c.
 *
 * Since Linux 6.7 each user namespace can have its own. What /proc shows is that of whoever looks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "explain/explain.h"

#define DIRECTORY "/proc/sys/fs/binfmt_misc"

#define BINFMTFS_MAGIC 0x42494e4d /* linux/magic.h */

enum { MAX_HANDLERS = 256, FILE_SIZE = 4096 };

/* What one of its files says. */
struct entry {
	bool enabled, opened;
	const char *interpreter, *extension; /* NULL: it has none */
	const char *magic, *mask;	     /* in hexadecimal, or NULL */
	unsigned long offset;
};

static const char *behind(const char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 ? line + length : NULL;
}

static void parse_line(struct entry *entry, const char *line)
{
	const struct {
		const char *key, **value;
	} strings[] = {
		{ "interpreter ", &entry->interpreter },
		{ "extension .", &entry->extension },
		{ "magic ", &entry->magic },
		{ "mask ", &entry->mask },
	};
	const char *value;

	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		value = behind(line, strings[i].key);
		if (value)
			*strings[i].value = value;
	}
	if (strcmp(line, "enabled") == 0)
		entry->enabled = true;
	value = behind(line, "flags: ");
	if (value)
		entry->opened = strchr(value, 'F') != NULL;
	value = behind(line, "offset ");
	if (value)
		entry->offset = strtoul(value, NULL, 10);
}

/* The strings of the entry are in the text. */
static struct entry parse(char *text)
{
	struct entry entry = { .enabled = false };
	char *line;

	while ((line = strsep(&text, "\n")))
		parse_line(&entry, line);
	return entry;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = c ? strchr(digits, c) : NULL;

	return digit ? digit - digits : -1;
}

/* -1 for what is no number. */
static int hex_byte(const char *hex)
{
	int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);

	return low < 0 ? -1 : high << 4 | low;
}

static bool has_magic(const struct ep_head *head, const struct entry *entry)
{
	size_t size = strlen(entry->magic) / 2;

	if (entry->offset > sizeof(head->bytes) || size > sizeof(head->bytes) - entry->offset)
		return false;
	if (entry->mask && strlen(entry->mask) != strlen(entry->magic))
		return false;
	for (size_t i = 0; i < size; i++) {
		int magic = hex_byte(entry->magic + 2 * i);
		int mask = entry->mask ? hex_byte(entry->mask + 2 * i) : 0xff;

		if (magic < 0 || mask < 0 || ((head->bytes[entry->offset + i] ^ magic) & mask))
			return false;
	}
	return size > 0;
}

/* The last dot of the whole path counts, wherever it is. */
static bool has_extension(const char *path, const char *extension)
{
	const char *dot = strrchr(path, '.');

	return dot && *extension && strcmp(dot + 1, extension) == 0;
}

struct search {
	int directory;
	const char *path;
	const struct ep_head *head;
	struct ep_handler *handler;
};

static bool matches(const struct search *search, const struct entry *entry)
{
	if (!entry->interpreter || !*entry->interpreter)
		return false;
	if (entry->magic)
		return has_magic(search->head, entry);
	return entry->extension && has_extension(search->path, entry->extension);
}

static void take(struct ep_handler *handler, enum ep_binfmt binfmt, const char *name, const struct entry *entry)
{
	handler->binfmt = binfmt;
	handler->opened = entry->opened;
	snprintf(handler->name, sizeof(handler->name), "%s", name);
	snprintf(handler->interpreter, sizeof(handler->interpreter), "%s", entry->interpreter);
}

/*
 * The kernel tries the newest first, and that is the order of the directory, too (both tried on Linux 6.18): so the first
 * that is enabled is the one. Returns 1 then.
 */
static int look_at(void *context, const char *name)
{
	const struct search *search = context;
	char text[FILE_SIZE];
	struct entry entry;

	if (strcmp(name, "register") == 0 || strcmp(name, "status") == 0)
		return 0;
	if (ep_read_text(search->directory, name, text, sizeof(text)) < 0)
		return 0;
	entry = parse(text);
	if (!matches(search, &entry))
		return 0;
	if (entry.enabled)
		take(search->handler, EP_ENABLED, name, &entry);
	else if (search->handler->binfmt == EP_NO_HANDLER)
		take(search->handler, EP_DISABLED, name, &entry);
	return entry.enabled;
}

static bool all_are_disabled(int directory)
{
	char status[32];

	return ep_read_text(directory, "status", status, sizeof(status)) > 0 && behind(status, "disabled");
}

void ep_handler_in(int directory, const char *path, const struct ep_head *head, struct ep_handler *handler)
{
	int list = ep_openat(directory, ".", O_RDONLY | O_DIRECTORY);
	struct search search = { list, path, head, handler };

	handler->binfmt = EP_NO_HANDLER;
	if (list < 0) {
		handler->binfmt = EP_NOT_SEEN;
		return;
	}
	ep_entries(list, MAX_HANDLERS, look_at, &search);
	if (handler->binfmt != EP_NO_HANDLER && all_are_disabled(list))
		handler->binfmt = EP_ALL_DISABLED;
	close(list);
}

/*
 * O_PATH alone does not mount what systemd would mount there when it is used (follow_automount() in the kernel's
 * fs/namei.c): whoever execs does not either.
 */
static void find_handler(const char *path, const struct ep_head *head, struct ep_handler *handler)
{
	int directory = ep_openat(AT_FDCWD, DIRECTORY, O_PATH);
	struct statfs fs;

	if (directory < 0) {
		bool seen = directory == -ENOENT && access("/proc/sys/fs", F_OK) == 0;

		handler->binfmt = seen ? EP_NO_BINFMT : EP_NOT_SEEN;
		return;
	}
	if (fstatfs(directory, &fs) < 0 || (uint32_t)fs.f_type != BINFMTFS_MAGIC)
		handler->binfmt = EP_NOT_MOUNTED;
	else
		ep_handler_in(directory, path, head, handler);
	close(directory);
}

int ep_handler(struct ep_case *c, const struct errpipe_link *link, const struct ep_head *head, struct ep_next *next)
{
	struct ep_handler handler;

	find_handler(link->path, head, &handler);
	if (handler.binfmt != EP_ENABLED)
		return 0;
	next->kind = ERRPIPE_LINK_HANDLER;
	next->path = ep_keep(c, "%s", handler.interpreter);
	next->opened = handler.opened;
	return 1;
}

static const char *in_words(struct ep_case *c, const struct ep_handler *handler)
{
	static const char *const words[] = {
		[EP_NO_BINFMT] = "this kernel has no binfmt_misc",
		[EP_NOT_SEEN] = "binfmt_misc cannot be looked at",
		[EP_NOT_MOUNTED] = "binfmt_misc is not mounted",
		[EP_NO_HANDLER] = "binfmt_misc has no handler for it",
		[EP_ALL_DISABLED] = "binfmt_misc is disabled",
		[EP_ENABLED] = "binfmt_misc has a handler for it now",
	};

	if (handler->binfmt == EP_DISABLED)
		return ep_keep(c, "its handler %s is disabled", handler->name);
	return words[handler->binfmt];
}

/* e_machine of what qemu-user emulates, and Debian's qemu-user-static with it. */
static bool qemu_has(unsigned machine)
{
	static const unsigned short machines[] = {
		2,	/* sparc */
		3,	/* i386 */
		4,	/* m68k */
		8,	/* mips */
		15,	/* hppa */
		18,	/* sparc32plus */
		20,	/* ppc */
		21,	/* ppc64 */
		22,	/* s390x */
		40,	/* arm */
		42,	/* sh4 */
		43,	/* sparc64 */
		62,	/* x86_64 */
		92,	/* or1k */
		94,	/* xtensa */
		164,	/* hexagon */
		183,	/* aarch64 */
		189,	/* microblaze */
		243,	/* riscv */
		258,	/* loongarch */
		0x9026, /* alpha */
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (machines[i] == machine)
			return true;
	}
	return false;
}

static bool is_installed(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/usr/bin/qemu-%s-static", name);
	return access(path, X_OK) == 0;
}

/* To run what was made for this machine, or to emulate the other one. */
static const char *advice(struct ep_case *c, const struct errpipe_link *link, const struct ep_machine *machine)
{
	const struct ep_machine *host = ep_host_machine();
	const char *native = host->platform ? ep_keep(c, "use the program, or image, for %s (--platform %s)",
						      host->platform, host->platform)
					    : "use a program for this machine";

	if (!machine || !qemu_has(link->machine))
		return native;
	if (is_installed(machine->name))
		return ep_keep(c, "%s, or let binfmt_misc know of /usr/bin/qemu-%s-static", native, machine->name);
	return ep_keep(c, "%s, or install qemu-user-static (Debian), which emulates %s", native, machine->name);
}

int ep_foreign(struct ep_case *c, const struct errpipe_link *link, const struct ep_head *head)
{
	const struct ep_machine *machine = ep_machine(link->machine, link->elf_class, link->elf_data);
	struct ep_handler handler;

	find_handler(link->path, head, &handler);
	c->ex->platform = machine ? machine->platform : NULL;
	c->ex->binfmt = in_words(c, &handler);
	if (handler.binfmt == EP_DISABLED || handler.binfmt == EP_ALL_DISABLED)
		return ep_broken(c, link, ERRPIPE_CAUSE_HANDLER_DISABLED, ENOEXEC, NULL,
				 handler.binfmt == EP_DISABLED ? ep_keep(c, "%s", handler.name) : "status", 0, 0);
	ep_broken(c, link, ERRPIPE_CAUSE_OTHER_ARCHITECTURE, ENOEXEC, NULL, advice(c, link, machine), 0, 0);
	/* In a container the host's handlers count, and mostly cannot be seen. */
	if (!c->question->report && (handler.binfmt == EP_NOT_SEEN || handler.binfmt == EP_NOT_MOUNTED))
		c->ex->certainty = ERRPIPE_LIKELY;
	return -1;
}

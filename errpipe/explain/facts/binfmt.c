/* SPDX-License-Identifier: MIT */
/*
 * binfmt_misc: handlers that were registered with the kernel. entry_status() writes its files, and search_binfmt_handler()
 * matches them, both in the kernel's fs/binfmt_misc.c.
 *
 * Since Linux 6.7 each user namespace can have its own. /proc shows that of the caller.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "explain/facts/facts.h"

#define DIRECTORY "/proc/sys/fs/binfmt_misc"

#define BINFMTFS_MAGIC 0x42494e4d /* linux/magic.h */

enum { MAX_HANDLERS = 256, FILE_SIZE = 4096 };

/* The content of one of its files. */
struct entry {
	bool enabled, opened;
	const char *interpreter, *extension; /* NULL: it has none */
	const char *magic, *mask;	     /* in hexadecimal, or NULL */
	unsigned long offset;
};

static const char *value_of(const char *line, const char *key)
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
		value = value_of(line, strings[i].key);
		if (value)
			*strings[i].value = value;
	}
	if (strcmp(line, "enabled") == 0)
		entry->enabled = true;
	value = value_of(line, "flags: ");
	if (value)
		entry->opened = strchr(value, 'F') != NULL;
	value = value_of(line, "offset ");
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

/* Returns -1 if it is not a number. */
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

/* ELF's e_ident has its class and byte order at 4 and 5, and is followed by e_type and e_machine. */
enum { IDENT_VERSION = 6, MACHINE = 18, MACHINE_END = 20 };

/*
 * Does only an unimportant part of the header differ: the ABI, the padding and the type, 7 to 17? That the machine does not
 * differ shows that the handler was meant for it.
 */
static bool nearly_has_magic(const struct ep_head *head, const struct entry *entry, struct ep_handler *handler)
{
	unsigned first = 0, last = 0;

	if (entry->offset || strlen(entry->magic) / 2 < MACHINE_END || memcmp(entry->magic, "7f454c46", 8) != 0 ||
	    (entry->mask && strlen(entry->mask) != strlen(entry->magic)))
		return false;
	for (unsigned i = 0; i < strlen(entry->magic) / 2 && i < sizeof(head->bytes); i++) {
		int magic = hex_byte(entry->magic + 2 * (size_t)i);
		int mask = entry->mask ? hex_byte(entry->mask + 2 * (size_t)i) : 0xff;

		if (magic < 0 || mask < 0)
			return false;
		if (!((head->bytes[i] ^ magic) & mask))
			continue;
		if (i <= IDENT_VERSION || i >= MACHINE)
			return false;
		first = first ? first : i;
		last = i;
	}
	handler->first = first;
	handler->last = last;
	return first;
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

static void take(struct ep_handler *handler, enum errpipe_binfmt binfmt, const char *name, const struct entry *entry)
{
	handler->binfmt = binfmt;
	handler->opened = entry->opened;
	handler->is_for_windows = entry->magic && !entry->offset && strcmp(entry->magic, "4d5a") == 0;
	snprintf(handler->name, sizeof(handler->name), "%s", name);
	snprintf(handler->interpreter, sizeof(handler->interpreter), "%s", entry->interpreter);
}

/* Only if no other handler is for the file. */
static void note_near(const struct search *search, const char *name, const struct entry *entry)
{
	struct ep_handler *handler = search->handler;

	if (entry->enabled && entry->magic && entry->interpreter && handler->binfmt == ERRPIPE_BINFMT_NO_HANDLER &&
	    !handler->first && nearly_has_magic(search->head, entry, handler))
		snprintf(handler->name, sizeof(handler->name), "%s", name);
}

/*
 * The kernel tries the newest first, and the directory has the same order (both tried on Linux 6.18). Therefore the first
 * one that is enabled counts. Returns 1 for that.
 */
static int match_entry(void *context, const char *name)
{
	const struct search *search = context;
	char text[FILE_SIZE];
	struct entry entry;

	if (strcmp(name, "register") == 0 || strcmp(name, "status") == 0)
		return 0;
	if (ep_read_text(search->directory, name, text, sizeof(text)) < 0)
		return 0;
	entry = parse(text);
	if (!matches(search, &entry)) {
		note_near(search, name, &entry);
		return 0;
	}
	if (entry.enabled)
		take(search->handler, ERRPIPE_BINFMT_ENABLED, name, &entry);
	else if (search->handler->binfmt == ERRPIPE_BINFMT_NO_HANDLER)
		take(search->handler, ERRPIPE_BINFMT_HANDLER_DISABLED, name, &entry);
	return entry.enabled;
}

static bool all_are_disabled(int directory)
{
	char status[32];

	return ep_read_text(directory, "status", status, sizeof(status)) > 0 && value_of(status, "disabled");
}

void ep_handler_in(int directory, const char *path, const struct ep_head *head, struct ep_handler *handler)
{
	int list = ep_openat(directory, ".", O_RDONLY | O_DIRECTORY);
	struct search search = { list, path, head, handler };

	handler->binfmt = ERRPIPE_BINFMT_NO_HANDLER;
	handler->first = handler->last = 0;
	if (list < 0) {
		handler->binfmt = ERRPIPE_BINFMT_NOT_VISIBLE;
		return;
	}
	ep_entries(list, MAX_HANDLERS, match_entry, &search);
	if (handler->binfmt != ERRPIPE_BINFMT_NO_HANDLER && all_are_disabled(list))
		handler->binfmt = ERRPIPE_BINFMT_DISABLED;
	close(list);
}

/*
 * O_PATH alone does not trigger systemd's automount (follow_automount() in the kernel's fs/namei.c), and neither does an
 * exec.
 */
void ep_find_handler(const char *path, const struct ep_head *head, struct ep_handler *handler)
{
	int directory = ep_openat(AT_FDCWD, DIRECTORY, O_PATH);
	struct statfs fs;

	if (directory < 0) {
		bool seen = directory == -ENOENT && access("/proc/sys/fs", F_OK) == 0;

		handler->binfmt = seen ? ERRPIPE_BINFMT_NONE : ERRPIPE_BINFMT_NOT_VISIBLE;
		return;
	}
	if (fstatfs(directory, &fs) < 0 || (uint32_t)fs.f_type != BINFMTFS_MAGIC)
		handler->binfmt = ERRPIPE_BINFMT_NOT_MOUNTED;
	else
		ep_handler_in(directory, path, head, handler);
	close(directory);
}

bool ep_handler_exists(const char *name)
{
	char path[sizeof(DIRECTORY) + NAME_MAX + 1];

	return snprintf(path, sizeof(path), DIRECTORY "/%s", name) < (int)sizeof(path) && access(path, F_OK) == 0;
}

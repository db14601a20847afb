/* SPDX-License-Identifier: MIT */
/* The capabilities of a file, and the names of all. */
#define _GNU_SOURCE
#include <sys/xattr.h>

#include "explain/facts/facts.h"

static const char *const names[] = {
#define C(name) "cap_" #name,
#include "dmz/capability.def"
};

enum { NAMES = sizeof(names) / sizeof(*names) };

uint64_t ep_known_capabilities(void)
{
	return (UINT64_C(1) << NAMES) - 1;
}

const char *ep_capability_names(struct ep_check *c, uint64_t set)
{
	char text[NAMES * 25];
	struct ep_line line = { text, sizeof(text), 0 };

	for (int cap = 0; cap < NAMES; cap++) {
		if (!(set >> cap & 1))
			continue;
		if (line.length)
			ep_add(&line, ", ");
		ep_add(&line, names[cap]);
	}
	ep_end(&line);
	return ep_keep(c, "%s", text);
}

static uint64_t little_endian(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint64_t)p[3] << 24;
}

/*
 * The extended attribute is struct vfs_cap_data in linux/capability.h. Where it does not count because it belongs to
 * another user namespace, the kernel shows it as version 3, with that namespace's root (cap_inode_getsecurity() in
 * security/commoncap.c).
 */
static bool parse(const unsigned char *data, ssize_t size, struct ep_capabilities *file)
{
	static const ssize_t sizes[] = { 0, 12, 20 };
	unsigned version = size > 3 ? data[3] : 0;

	if (version < 1 || version > 2 || size != sizes[version])
		return false;
	file->effective = data[0] & 1;
	file->permitted = little_endian(data + 4);
	file->inheritable = little_endian(data + 8);
	if (version == 2) {
		file->permitted |= little_endian(data + 12) << 32;
		file->inheritable |= little_endian(data + 16) << 32;
	}
	return true;
}

bool ep_file_capabilities(int path_fd, struct ep_capabilities *file)
{
	unsigned char data[64] = { 0 };

	return parse(data, getxattr(ep_fd_path(path_fd).text, "security.capability", data, sizeof(data)), file);
}

/* SPDX-License-Identifier: MIT */
/* What the file would give to the process: capabilities and ids. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "explain/explain.h"

static const char *const names[] = {
#define C(name) "cap_" #name,
#include "dmz/capability.def"
};

enum { NAMES = sizeof(names) / sizeof(*names) };

static const char *in_words(struct ep_case *c, uint64_t set)
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

struct capabilities {
	bool effective;
	uint64_t permitted, inheritable;
};

static uint64_t little_endian(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint64_t)p[3] << 24;
}

/*
 * The extended attribute is struct vfs_cap_data in linux/capability.h. The kernel shows it as of version 3, with its own
 * root, to those for whom it does not count: they belong to another user namespace (cap_inode_getsecurity() in
 * security/commoncap.c).
 */
static bool parse(const unsigned char *data, ssize_t size, struct capabilities *file)
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

static bool has_capabilities(int path_fd, struct capabilities *file)
{
	char path[sizeof("/proc/self/fd/") + EP_DECIMAL];
	unsigned char data[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	return parse(data, getxattr(path, "security.capability", data, sizeof(data)), file);
}

/*
 * bprm_caps_from_vfs_caps() in the kernel's security/commoncap.c. That comes before anything that is different for root,
 * and no_new_privs makes no difference to it; a nosuid mount does (get_file_caps() there).
 */
static int check_capabilities(struct ep_case *c, const struct errpipe_link *link, int path_fd)
{
	const struct errpipe_who *who = &c->who;
	const uint64_t known = (UINT64_C(1) << NAMES) - 1;
	struct capabilities file;
	uint64_t missing;

	if (link->nosuid || !has_capabilities(path_fd, &file) || !file.effective)
		return 0;
	missing = file.permitted & ~who->bounding & ~(who->inheritable & file.inheritable) & known;
	if (!missing)
		return 0;
	return ep_broken(c, link, ERRPIPE_CAUSE_FILE_CAPABILITIES, EPERM, NULL, in_words(c, missing), 0, 0);
}

/* bprm_fill_uid() in the kernel's fs/exec.c. Set-group-id counts only with the group's x bit. */
static bool changes_ids(const struct errpipe_who *who, const struct errpipe_link *link)
{
	const mode_t setgid = S_ISGID | S_IXGRP;

	return (link->mode & S_ISUID && link->uid != who->uid) ||
	       ((link->mode & setgid) == setgid && link->gid != who->gid);
}

static void check_ids(struct ep_case *c, const struct errpipe_link *link)
{
	const char *reason = link->nosuid ? "its file system is mounted nosuid" : "the process has no_new_privs set";

	if (!changes_ids(&c->who, link) || !(link->nosuid || c->who.no_new_privs))
		return;
	ep_broken(c, link, ERRPIPE_CAUSE_SET_ID_IGNORED, 0, NULL, reason, 0, 0);
	c->ex->works = 1;
}

int ep_credentials(struct ep_case *c, struct errpipe_link *link, int path_fd)
{
	if (check_capabilities(c, link, path_fd) < 0)
		return -1;
	check_ids(c, link);
	return 0;
}

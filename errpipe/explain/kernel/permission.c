/* SPDX-License-Identifier: MIT */
/* May somebody execute a file, or search a directory? As acl_permission_check() in the kernel's fs/namei.c has it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "explain/explain.h"

/* linux/capability.h */
#define DAC_OVERRIDE	(UINT64_C(1) << 1)
#define DAC_READ_SEARCH (UINT64_C(1) << 2)

enum { X = 1 };

/* linux/posix_acl_xattr.h: little-endian on every machine. */
enum { ACL_VERSION = 2, ACL_HEADER = 4, ACL_ENTRY = 8, ACL_SIZE = ACL_HEADER + 1024 * ACL_ENTRY };
enum { USER_OBJ = 0x01, USER = 0x02, GROUP_OBJ = 0x04, GROUP = 0x08, MASK = 0x10, OTHER = 0x20 };

/* Who it is to the file, and what that gives. */
struct standing {
	enum { OWNER, NAMED_USER, OWNING_GROUP, NAMED_GROUP, OTHERS } as;
	unsigned id;
	bool may, masked, listed;
};

struct proc_path {
	char text[sizeof("/proc/self/fd/") + EP_DECIMAL];
};

static struct proc_path proc_path(int fd)
{
	struct proc_path path;

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

static unsigned little_endian(const unsigned char *p, int bytes)
{
	unsigned n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

static bool is_in_group(const struct errpipe_who *who, gid_t gid)
{
	if (who->gid == gid)
		return true;
	for (size_t i = 0; i < who->groups_count; i++) {
		if (who->groups[i] == gid)
			return true;
	}
	return false;
}

static ssize_t read_acl(int fd, unsigned char *bytes, size_t size)
{
	ssize_t n = getxattr(proc_path(fd).text, "system.posix_acl_access", bytes, size);

	if (n < ACL_HEADER || little_endian(bytes, ACL_HEADER) != ACL_VERSION)
		return 0;
	return n;
}

struct entry {
	unsigned tag, permissions, id;
};

static struct entry entry_at(const unsigned char *p)
{
	return (struct entry){ little_endian(p, 2), little_endian(p + 2, 2), little_endian(p + 4, 4) };
}

static bool mask_allows(const unsigned char *acl, const unsigned char *end)
{
	for (const unsigned char *p = acl; end - p >= ACL_ENTRY; p += ACL_ENTRY) {
		struct entry entry = entry_at(p);

		if (entry.tag == MASK)
			return entry.permissions & X;
	}
	return true;
}

/* Does the entry speak of who? Then *as is what for. */
static bool is_about(const struct entry *entry, const struct errpipe_who *who, const struct stat *st,
		     struct standing *as)
{
	switch (entry->tag) {
	case USER:
		*as = (struct standing){ .as = NAMED_USER, .id = entry->id };
		return entry->id == who->uid;
	case GROUP_OBJ:
		*as = (struct standing){ .as = OWNING_GROUP, .id = st->st_gid };
		return is_in_group(who, st->st_gid);
	case GROUP:
		*as = (struct standing){ .as = NAMED_GROUP, .id = entry->id };
		return is_in_group(who, entry->id);
	case OTHER:
		*as = (struct standing){ .as = OTHERS, .id = who->uid };
		return true;
	default:
		return false;
	}
}

/*
 * posix_acl_permission() in the kernel's fs/posix_acl.c. The entries are sorted. A user's own counts at once, of groups
 * any one that allows it, and others only for who is in none.
 */
static struct standing by_acl(const unsigned char *acl, size_t size, const struct errpipe_who *who,
			      const struct stat *st)
{
	const unsigned char *end = acl + size;
	struct standing first = { .as = OTHERS, .id = who->uid }, now;
	bool found = false;

	for (const unsigned char *p = acl + ACL_HEADER; end - p >= ACL_ENTRY; p += ACL_ENTRY) {
		struct entry entry = entry_at(p);

		if (!is_about(&entry, who, st, &now) || (found && now.as == OTHERS))
			continue;
		now.may = entry.permissions & X;
		now.masked = now.may && !mask_allows(p, end);
		now.may = now.may && !now.masked;
		if (!found || now.may)
			first = now;
		if (now.may || now.as == NAMED_USER)
			break;
		found = true;
	}
	first.listed = true;
	return first;
}

static struct standing by_mode(const struct errpipe_who *who, const struct stat *st)
{
	if (st->st_uid == who->uid)
		return (struct standing){ .as = OWNER, .id = who->uid, .may = st->st_mode & S_IXUSR };
	if (is_in_group(who, st->st_gid))
		return (struct standing){ .as = OWNING_GROUP, .id = st->st_gid, .may = st->st_mode & S_IXGRP };
	return (struct standing){ .as = OTHERS, .id = who->uid, .may = st->st_mode & S_IXOTH };
}

/* Of a file with a list, the group's bits are the list's mask; without any of these the kernel does not look at it. */
static struct standing standing(const struct errpipe_who *who, int fd, const struct stat *st)
{
	unsigned char acl[ACL_SIZE];
	ssize_t n = 0;

	if (st->st_uid != who->uid && st->st_mode & S_IRWXG)
		n = read_acl(fd, acl, sizeof(acl));
	return n > 0 ? by_acl(acl, n, who, st) : by_mode(who, st);
}

/* generic_permission() in fs/namei.c */
static bool is_overridden(const struct errpipe_who *who, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return who->effective & (DAC_OVERRIDE | DAC_READ_SEARCH);
	return who->effective & DAC_OVERRIDE && st->st_mode & 0111;
}

static const char *in_words(struct ep_case *c, const struct standing *standing, const char *more)
{
	static const char *const words[] = {
		[OWNER] = "its owner (uid %u)%s%s",
		[NAMED_USER] = "user %u in its access control list%s%s",
		[OWNING_GROUP] = "its group (gid %u)%s%s",
		[NAMED_GROUP] = "group %u in its access control list%s%s",
		[OTHERS] = "others (uid %u is neither its owner nor in its group%s%s)",
	};
	static const char listed[] =
		"others (uid %u is neither its owner nor in its group or access control list%s%s)";

	return ep_keep(c, standing->as == OTHERS && standing->listed ? listed : words[standing->as], standing->id,
		       standing->masked ? ", by the mask of that list" : "", more);
}

const char *ep_may_not(struct ep_case *c, int fd, const struct stat *st)
{
	const struct standing now = standing(&c->who, fd, st);

	if (now.may || is_overridden(&c->who, st))
		return NULL;
	if (c->who.effective & DAC_OVERRIDE)
		return "anyone, root included";
	return in_words(c, &now, c->who.uid == 0 && now.as == OTHERS ? ", and lacks CAP_DAC_OVERRIDE" : "");
}

enum answer { YES, NO, NO_ANSWER };

static enum answer answer(long ret)
{
	if (ret == 0)
		return YES;
	return errno == EACCES ? NO : NO_ANSWER;
}

/* faccessat(2): the older call is about the real ids, and about the capabilities that an exec would give those. */
static bool old_call_is_right(const struct errpipe_who *who)
{
	const uint64_t dac = DAC_OVERRIDE | DAC_READ_SEARCH;

	return getuid() == who->uid && getgid() == who->gid && (who->effective & dac) == (who->uid == 0 ? dac : 0);
}

/* EPERM is no answer: older seccomp profiles of containers say that to each call that they do not know. */
static enum answer ask_kernel(struct ep_case *c, int fd)
{
	enum answer said = NO_ANSWER;

	if (!c->own_identity)
		return NO_ANSWER;
#ifdef SYS_faccessat2
	said = answer(syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS));
#endif
	if (said == NO_ANSWER && old_call_is_right(&c->who))
		said = answer(syscall(SYS_faccessat, AT_FDCWD, proc_path(fd).text, X_OK));
	return said;
}

/* user_namespaces(7): capabilities are not for files whose owner or group has no number there. */
static const char *beyond_capabilities(struct ep_case *c, int fd, const struct stat *st)
{
	enum { OVERFLOW = 65534 }; /* proc_sys_kernel(5): overflowuid, by default */
	const struct standing now = standing(&c->who, fd, st);

	if (now.may || (st->st_uid != OVERFLOW && st->st_gid != OVERFLOW))
		return NULL;
	return in_words(c, &now, ", and its owner is not mapped in this user namespace");
}

enum ep_access ep_access(struct ep_case *c, int fd, const struct stat *st, const char **whom)
{
	enum answer said = ask_kernel(c, fd);

	if (said == YES)
		return EP_MAY;
	*whom = ep_may_not(c, fd, st);
	if (!*whom && said == NO)
		*whom = beyond_capabilities(c, fd, st);
	if (*whom)
		return EP_MAY_NOT;
	return said == NO ? EP_REFUSED : EP_MAY;
}

bool ep_has_acl(int fd)
{
	return getxattr(proc_path(fd).text, "system.posix_acl_access", NULL, 0) > 0;
}

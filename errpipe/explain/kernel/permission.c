/* SPDX-License-Identifier: MIT */
/* May the process execute a file, or search a directory? acl_permission_check() in the kernel's fs/namei.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/kernel/kernel.h"

/* linux/capability.h */
#define DAC_OVERRIDE	(UINT64_C(1) << 1)
#define DAC_READ_SEARCH (UINT64_C(1) << 2)

enum { X = 1, R = 4 };

/* The process's class for the file, and whether that class may execute it. */
struct standing {
	struct errpipe_denied denied;
	bool may;
};

bool ep_is_in_group(const struct errpipe_who *who, gid_t gid)
{
	if (who->gid == gid)
		return true;
	for (size_t i = 0; i < who->groups_count; i++) {
		if (who->groups[i] == gid)
			return true;
	}
	return false;
}

static struct errpipe_denied denied_as(enum errpipe_class as, const struct errpipe_who *who, const struct stat *st)
{
	return (struct errpipe_denied){ .as = as, .uid = who->uid, .gid = st->st_gid, .mode = st->st_mode };
}

/* The mask comes after the entries that it limits. */
static bool mask_allows(const struct ep_acl *acl, size_t from, unsigned want)
{
	for (size_t i = from; i < acl->entries; i++) {
		struct ep_acl_entry entry = ep_acl_entry(acl, i);

		if (entry.tag == EP_ACL_MASK)
			return entry.permissions & want;
	}
	return true;
}

/* Does this entry apply to who? If so, *denied tells in which class. */
static bool applies(const struct ep_acl_entry *entry, const struct errpipe_who *who, const struct stat *st,
		    struct errpipe_denied *denied)
{
	switch (entry->tag) {
	case EP_ACL_USER:
		*denied = denied_as(ERRPIPE_CLASS_USER, who, st);
		return entry->id == who->uid;
	case EP_ACL_GROUP_OBJ:
		*denied = denied_as(ERRPIPE_CLASS_GROUP, who, st);
		return ep_is_in_group(who, st->st_gid);
	case EP_ACL_GROUP:
		*denied = denied_as(ERRPIPE_CLASS_NAMED_GROUP, who, st);
		denied->gid = entry->id;
		return ep_is_in_group(who, entry->id);
	case EP_ACL_OTHER:
		*denied = denied_as(ERRPIPE_CLASS_OTHER, who, st);
		return true;
	default:
		return false;
	}
}

/*
 * posix_acl_permission() in the kernel's fs/posix_acl.c. The entries are sorted. A user's own entry decides at once. Of
 * the groups any one may allow it. The entry for others is only for processes in none of these.
 */
static struct standing by_acl(const struct ep_acl *acl, const struct errpipe_who *who, const struct stat *st,
			      unsigned want)
{
	struct standing first = { denied_as(ERRPIPE_CLASS_OTHER, who, st), false }, now;
	bool found = false;

	for (size_t i = 0; i < acl->entries; i++) {
		struct ep_acl_entry entry = ep_acl_entry(acl, i);

		if (!applies(&entry, who, st, &now.denied) || (found && now.denied.as == ERRPIPE_CLASS_OTHER))
			continue;
		now.may = entry.permissions & want;
		now.denied.mask = now.may && !mask_allows(acl, i, want);
		now.may = now.may && !now.denied.mask;
		if (!found || now.may)
			first = now;
		if (now.may || now.denied.as == ERRPIPE_CLASS_USER)
			break;
		found = true;
	}
	first.denied.acl = 1;
	return first;
}

static struct standing by_mode(const struct errpipe_who *who, const struct stat *st, unsigned want)
{
	if (st->st_uid == who->uid)
		return (struct standing){ denied_as(ERRPIPE_CLASS_OWNER, who, st), st->st_mode & want << 6 };
	if (ep_is_in_group(who, st->st_gid))
		return (struct standing){ denied_as(ERRPIPE_CLASS_GROUP, who, st), st->st_mode & want << 3 };
	return (struct standing){ denied_as(ERRPIPE_CLASS_OTHER, who, st), st->st_mode & want };
}

/* With a list, the group's mode bits are the list's mask. If none of them is set, the kernel ignores the list. */
static struct standing standing(const struct errpipe_who *who, int path_fd, const struct stat *st, unsigned want)
{
	struct ep_acl acl = { .entries = 0 };

	if (st->st_uid != who->uid && st->st_mode & S_IRWXG)
		ep_read_acl(path_fd, &acl);
	return acl.entries ? by_acl(&acl, who, st, want) : by_mode(who, st, want);
}

/* generic_permission() in fs/namei.c */
static bool is_overridden(const struct errpipe_who *who, const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return who->effective & (DAC_OVERRIDE | DAC_READ_SEARCH);
	return who->effective & DAC_OVERRIDE && st->st_mode & 0111;
}

static bool why_denied(struct ep_check *c, int path_fd, const struct stat *st, struct ep_finding *finding)
{
	const struct standing now = standing(&c->who, path_fd, st, X);

	if (now.may || is_overridden(&c->who, st))
		return false;
	finding->denied = now.denied;
	if (c->who.effective & DAC_OVERRIDE)
		finding->denied = denied_as(ERRPIPE_CLASS_ANYONE, &c->who, st);
	else if (c->who.uid == 0 && now.denied.as == ERRPIPE_CLASS_OTHER)
		finding->detail = ERRPIPE_DETAIL_NO_DAC_OVERRIDE;
	return true;
}

static enum ep_answer answer(long ret)
{
	if (ret == 0)
		return EP_YES;
	return errno == EACCES ? EP_NO : EP_NOT_KNOWN;
}

/* faccessat(2): the older call is about the real ids, and about the capabilities that an exec would give those. */
static bool old_call_is_right(const struct errpipe_who *who)
{
	const uint64_t dac = DAC_OVERRIDE | DAC_READ_SEARCH;

	return getuid() == who->uid && getgid() == who->gid && (who->effective & dac) == (who->uid == 0 ? dac : 0);
}

/* EPERM is not an answer: older seccomp profiles of containers return it for every call that they do not know. */
static enum ep_answer ask_kernel(struct ep_check *c, int path_fd)
{
	enum ep_answer said = EP_NOT_KNOWN;

	if (!c->own_identity)
		return EP_NOT_KNOWN;
#ifdef SYS_faccessat2
	said = answer(syscall(SYS_faccessat2, path_fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS));
#endif
	if (said == EP_NOT_KNOWN && old_call_is_right(&c->who))
		said = answer(syscall(SYS_faccessat, AT_FDCWD, ep_fd_path(path_fd).text, X_OK));
	return said;
}

/* user_namespaces(7): capabilities do not apply to files whose owner or group is not mapped there. */
static bool is_beyond_capabilities(struct ep_check *c, int path_fd, const struct stat *st, struct ep_finding *finding)
{
	enum { OVERFLOW = 65534 }; /* proc_sys_kernel(5): overflowuid, by default */
	const struct standing now = standing(&c->who, path_fd, st, X);

	if (now.may || (st->st_uid != OVERFLOW && st->st_gid != OVERFLOW))
		return false;
	finding->denied = now.denied;
	finding->detail = ERRPIPE_DETAIL_UNMAPPED_OWNER;
	return true;
}

enum ep_access ep_access(struct ep_check *c, int path_fd, const struct stat *st, struct ep_finding *finding)
{
	enum ep_answer said = ask_kernel(c, path_fd);

	if (said == EP_YES)
		return EP_MAY;
	if (why_denied(c, path_fd, st, finding) || (said == EP_NO && is_beyond_capabilities(c, path_fd, st, finding)))
		return EP_MAY_NOT;
	return said == EP_NO ? EP_REFUSED : EP_MAY;
}

bool ep_may_read(struct ep_check *c, int path_fd, const struct stat *st, struct errpipe_denied *denied)
{
	const struct standing now = standing(&c->who, path_fd, st, R);

	*denied = now.denied;
	return c->who.effective & (DAC_OVERRIDE | DAC_READ_SEARCH) || now.may;
}

/* capabilities(7): the exec gives root those of its bounding set. */
bool ep_may_read_all(const struct errpipe_who *who)
{
	uint64_t capabilities = who->effective | (who->uid == 0 ? who->bounding : 0);

	return capabilities & (DAC_OVERRIDE | DAC_READ_SEARCH);
}

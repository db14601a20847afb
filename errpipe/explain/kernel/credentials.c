/* SPDX-License-Identifier: MIT */
/*
 * The capabilities and ids that the file would give to the process: bprm_creds_from_file() in the kernel's fs/exec.c, and
 * security/commoncap.c.
 */
#define _GNU_SOURCE
#include "explain/kernel/kernel.h"

/*
 * bprm_caps_from_vfs_caps() in security/commoncap.c. That comes before the rules for root, and no_new_privs does not
 * change it. A nosuid mount does (get_file_caps() there).
 */
static int check_capabilities(struct ep_check *c, const struct errpipe_link *link, int path_fd)
{
	const struct errpipe_who *who = &c->who;
	struct ep_capabilities file;
	uint64_t missing;

	if (link->nosuid || !ep_file_capabilities(path_fd, &file) || !file.effective)
		return 0;
	missing = file.permitted & ~who->bounding & ~(who->inheritable & file.inheritable) & ep_known_capabilities();
	if (!missing)
		return 0;
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_FILE_CAPABILITIES,
				      .error = EPERM,
				      .object = ep_capability_names(c, missing),
			      });
}

/* bprm_fill_uid() in fs/exec.c. The set-group-id bit counts only together with the group's x bit. */
bool ep_changes_ids(const struct errpipe_who *who, const struct errpipe_link *link)
{
	const mode_t setgid = S_ISGID | S_IXGRP;

	return (link->mode & S_ISUID && link->uid != who->uid) ||
	       ((link->mode & setgid) == setgid && link->gid != who->gid);
}

static void check_ids(struct ep_check *c, const struct errpipe_link *link)
{
	if (!ep_changes_ids(&c->who, link) || !(link->nosuid || c->who.no_new_privs))
		return;
	ep_finding_set(c, link,
		       (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_SET_ID_IGNORED,
			       .works = 1,
			       .starts = 1,
			       .detail = c->who.no_new_privs ? ERRPIPE_DETAIL_NO_NEW_PRIVS : ERRPIPE_DETAIL_NOSUID,
		       });
}

int ep_credentials(struct ep_check *c, struct errpipe_link *link, int path_fd)
{
	if (check_capabilities(c, link, path_fd) < 0)
		return -1;
	check_ids(c, link);
	return 0;
}

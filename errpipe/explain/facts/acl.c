/* SPDX-License-Identifier: MIT */
/* Access control lists, as linux/posix_acl_xattr.h has them: little-endian on every machine. */
#define _GNU_SOURCE
#include <sys/xattr.h>

#include "explain/facts/facts.h"

enum { VERSION = 2, HEADER_SIZE = 4, ENTRY_SIZE = 8 };

static unsigned little_endian(const unsigned char *p, int bytes)
{
	unsigned n = 0;

	while (bytes--)
		n = n << 8 | p[bytes];
	return n;
}

void ep_read_acl(int path_fd, struct ep_acl *acl)
{
	ssize_t n = getxattr(ep_fd_path(path_fd).text, "system.posix_acl_access", acl->bytes, sizeof(acl->bytes));

	if (n < HEADER_SIZE || little_endian(acl->bytes, HEADER_SIZE) != VERSION)
		acl->entries = 0;
	else
		acl->entries = (n - HEADER_SIZE) / ENTRY_SIZE;
}

struct ep_acl_entry ep_acl_entry(const struct ep_acl *acl, size_t index)
{
	const unsigned char *p = acl->bytes + HEADER_SIZE + index * ENTRY_SIZE;

	return (struct ep_acl_entry){ little_endian(p, 2), little_endian(p + 2, 2), little_endian(p + 4, 4) };
}

bool ep_has_acl(int path_fd)
{
	return getxattr(ep_fd_path(path_fd).text, "system.posix_acl_access", NULL, 0) > 0;
}

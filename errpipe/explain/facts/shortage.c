/* SPDX-License-Identifier: MIT */
/* Does the calling process itself lack descriptors or memory? Then an error says nothing about the exec. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "explain/facts/facts.h"

/*
 * A file system can return EMFILE of its own. The descriptors that were open at that moment may be closed again, so it
 * takes more than one to show that the limit was not reached.
 */
static bool is_out_of_descriptors(const struct ep_check *c)
{
	int fd[8], n = 0;
	bool is_out;

	while (n < 8 && (fd[n] = fcntl(c->root, F_DUPFD_CLOEXEC, 3)) >= 0)
		n++;
	is_out = n < 8;
	while (n > 0)
		close(fd[--n]);
	return is_out;
}

bool ep_is_own_lack(const struct ep_check *c, int error)
{
	return error == ENFILE || error == ENOMEM || (error == EMFILE && is_out_of_descriptors(c));
}

uint64_t ep_own_limit(int error)
{
	struct rlimit limit;

	if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur;
}

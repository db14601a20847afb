/* SPDX-License-Identifier: MIT */
/* ETXTBSY: deny_write_access() in the kernel's include/linux/fs.h, which do_open_execat() in fs/exec.c calls. */
#define _GNU_SOURCE
#include "explain/kernel/kernel.h"

int ep_busy(struct ep_check *c, const struct errpipe_link *link, const struct errpipe_writers *writers)
{
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_TEXT_BUSY,
				      .error = ETXTBSY,
				      .writers = *writers,
				      .detail = writers->count ? 0 : ERRPIPE_DETAIL_WRITER_NOT_VISIBLE,
			      });
}

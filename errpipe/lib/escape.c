/* SPDX-License-Identifier: MIT */
#include "internal.h"

size_t errpipe_escape(char *buf, size_t size, const char *text)
{
	struct ep_line line = { buf, size, 0 };

	if (text)
		ep_add_path(&line, text);
	return ep_end(&line);
}

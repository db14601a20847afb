/* SPDX-License-Identifier: MIT */
#include "internal.h"

size_t errpipe_escape(char *buf, size_t size, const char *text)
{
	struct ep_line line = { buf, size, 0 };

	if (text)
		ep_add_path(&line, text);
	return ep_end(&line);
}

size_t errpipe_quote(char *buf, size_t size, const char *name)
{
	struct ep_line line = { buf, size, 0 };

	if (name)
		ep_add_quoted(&line, name);
	return ep_end(&line);
}

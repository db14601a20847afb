/* SPDX-License-Identifier: MIT */
/* The environment of the program. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

const char *ep_variable(const struct ep_check *c, const char *name)
{
	char *const *env = c->question->envp;
	size_t length = strlen(name);

	for (; env && *env; env++) {
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	}
	return NULL;
}

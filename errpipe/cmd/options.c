/* SPDX-License-Identifier: MIT */
/* The values of options that more than one subcommand has. */
#include <string.h>

#include "cmd.h"

int find_policy(const char *name)
{
	static const char *const policies[] = {
#define POLICY(id, go, name, ...) [ERRPIPE_##id] = name,
#include "dmz/policy.def"
	};

	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (strcmp(policies[i], name) == 0)
			return i;
	}
	name_failure(0, "unknown policy", name, ": use posix, dockerd, runc or systemd");
	return -1;
}

int find_yes_or_no(const char *name)
{
	if (strcmp(name, "yes") == 0)
		return 1;
	if (strcmp(name, "no") == 0)
		return 0;
	name_failure(0, "--explain takes yes or no, not", name, "");
	return -1;
}

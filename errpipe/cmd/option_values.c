/* SPDX-License-Identifier: MIT */
/* The values of options that more than one subcommand has. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

const char *take_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || number >= UINT32_MAX)
		return NULL;
	*id = number;
	return end;
}

const char *capability_name(unsigned number)
{
	static const char *const names[] = {
#define C(name) "cap_" #name,
#include "dmz/capability.def"
	};

	return number < sizeof(names) / sizeof(*names) ? names[number] : NULL;
}

uint64_t capability_bit(const char *name)
{
	for (unsigned i = 0; is_upper(name) && capability_name(i); i++) {
		if (strcasecmp(capability_name(i), name) == 0)
			return UINT64_C(1) << i;
	}
	return 0;
}

bool is_upper(const char *name)
{
	return !strpbrk(name, "abcdefghijklmnopqrstuvwxyz");
}

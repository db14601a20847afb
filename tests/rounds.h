/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#include <stdbool.h>
#include <stdlib.h>

/*
 * ERRPIPE_LONG=1 in the environment: loops that look for something at random go round as often as is worth the wait of a
 * person. ERRPIPE_SLOW=1: not often, where everything is slower, and where a build is not the first that runs the test.
 */
static inline bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static inline bool is_slow(void)
{
	return is_set("ERRPIPE_SLOW") && !is_set("ERRPIPE_LONG");
}

static inline int rounds(int count)
{
	return is_set("ERRPIPE_LONG") ? count : is_slow() ? count * 3 / 100 : count / 5;
}

#endif

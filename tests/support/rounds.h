/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#include <stdbool.h>
#include <stdlib.h>

/*
 * Two environment variables decide how many rounds random tests run.
 *
 * ERRPIPE_LONG=1: all rounds, for people who have the time.
 * ERRPIPE_SLOW=1: few rounds, because everything is slower or another build has run the test already.
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

/* SPDX-License-Identifier: MIT */
/* The words of an explanation. */
#ifndef SAID_H
#define SAID_H

#include <check.h>
#include <string.h>

#include "errpipe_explain.h"

/* The finding or the advice has these words. */
static inline void assert_said(const struct errpipe_explanation *ex, const char *words)
{
	char finding[4096], advice[4096];

	errpipe_finding(finding, sizeof(finding), ex);
	errpipe_advice(advice, sizeof(advice), ex);
	ck_assert_msg(strstr(finding, words) || strstr(advice, words), "'%s' is neither in '%s' nor in '%s'", words,
		      finding, advice);
}

#endif

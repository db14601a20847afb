/* SPDX-License-Identifier: MIT */
/* text.c, for explain.c. */
#ifndef ERRPIPE_EXPLAIN_TEXT_H
#define ERRPIPE_EXPLAIN_TEXT_H

#include "explain/finding.h"

#pragma GCC visibility push(hidden)

/* The words for the broken link in the picture of the chain, kept. */
const char *ep_broken_words(struct ep_check *c);

#pragma GCC visibility pop

#endif

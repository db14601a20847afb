/* SPDX-License-Identifier: MIT */
/* judge.c, for explain.c. */
#ifndef ERRPIPE_EXPLAIN_JUDGE_H
#define ERRPIPE_EXPLAIN_JUDGE_H

#include "explain/finding.h"

#pragma GCC visibility push(hidden)

/* Does the report, which may be NULL, say that an exec failed? */
bool ep_has_failed(const struct errpipe_report *report);

/* Compare the finding with the report. If they disagree, change the finding or its certainty. */
void ep_judge_finding(struct ep_check *c);

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>

#include "dmz/record.h"
#include "internal.h"

/* Sums instead of shifts, because the contracts in tests/prove can be proved only for those. */
static unsigned le16(const unsigned char *p)
{
	return p[0] + p[1] * 0x100u;
}

static unsigned le32(const unsigned char *p)
{
	return le16(p) + le16(p + 2) * 0x10000u;
}

/* seccomp(2) can refuse a system call without an errno. A step of the caller's own always has an errno. */
static bool possible(unsigned step, unsigned error)
{
	if (error > DMZ_ERROR_MAX)
		return false;
	if (step >= DMZ_STEP_CALLER && step <= DMZ_STEP_CALLER_LAST)
		return error;
	if (step >= DMZ_STEP_SETUP && step <= DMZ_STEP_SETUP_LAST)
		return true;
	switch (step) {
#define STEP(id, number, systemd, words, document) case number:
#define STEPS(id, first, last, document)
#include "dmz/steps.def"
		return true;
	default:
		return false;
	}
}

int errpipe_decode(const void *bytes, size_t size, struct errpipe_report *report)
{
	const unsigned char *p = bytes;
	unsigned machine, step, error;

	if (!report || (!bytes && size))
		return -EFAULT;
	if (size != DMZ_RECORD_SIZE || le32(p) != DMZ_MAGIC || le32(p + 12) != 0)
		return -EPROTO;
	machine = le16(p + 4);
	step = le16(p + 6);
	error = le32(p + 8);
	if (!machine || !possible(step, error))
		return -EPROTO;

	*report = (struct errpipe_report){
		.verdict = step == DMZ_STEP_EXEC ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED,
		.error = ep_host_errno(machine, error),
		.raw_error = error,
		.machine = machine,
		.step = step,
		.status = -1,
	};
	return 0;
}

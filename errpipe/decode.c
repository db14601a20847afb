/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>

#include "../dmz/record.h"
#include "internal.h"

static unsigned le32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (unsigned)p[3] << 24;
}

/* A system call can be refused without an error, by seccomp(2). A step of the caller's has one. */
static bool possible(unsigned step, unsigned error)
{
	if (error > DMZ_ERROR_MAX)
		return false;
	if (step >= DMZ_STEP_CALLER && step <= DMZ_STEP_CALLER_LAST)
		return error;
	return step == DMZ_STEP_EXEC || step == DMZ_STEP_FCNTL || step == DMZ_STEP_STUB;
}

int errpipe_decode(const void *bytes, size_t size, struct errpipe_report *report)
{
	const unsigned char *p = bytes;
	unsigned machine, step, error;

	if (size != DMZ_RECORD_SIZE || le32(p) != DMZ_MAGIC || le32(p + 12) != 0)
		return -EPROTO;
	machine = le32(p + 4) & 0xffff;
	step = le32(p + 4) >> 16;
	error = le32(p + 8);
	if (!machine || !possible(step, error))
		return -EPROTO;

	*report = (struct errpipe_report){
		.verdict = step == DMZ_STEP_EXEC ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED,
		.error = errpipe__host_errno(machine, error),
		.raw_error = error,
		.machine = machine,
		.step = step,
		.status = -1,
	};
	return 0;
}

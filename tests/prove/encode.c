/* SPDX-License-Identifier: MIT */
/* Check that DMZ_RECORD() makes the bytes of docs/protocol.md, for every machine with every step, and for every error. */
#include <stdio.h>
#include <string.h>

#include "../../dmz/record.h"

#undef DMZ_MACHINE
#define DMZ_MACHINE machine

static unsigned half(const unsigned char *p)
{
	return p[0] + 0x100u * p[1];
}

static unsigned word(const unsigned char *p)
{
	return half(p) + 0x10000u * half(p + 2);
}

static int is_wrong(unsigned machine, unsigned step, unsigned error)
{
	const unsigned record[] = DMZ_RECORD(step, error);
	unsigned char bytes[DMZ_RECORD_SIZE];

	memcpy(bytes, record, sizeof(record));
	return memcmp(bytes, "dmz\1", 4) != 0 || half(bytes + 4) != machine || half(bytes + 6) != step ||
	       word(bytes + 8) != error || word(bytes + 12) != 0;
}

int main(void)
{
	unsigned long wrong = 0;

	for (unsigned machine = 0; machine <= 0xffff; machine++)
		for (unsigned step = 0; step <= 0xffff; step++)
			wrong += is_wrong(machine, step, step % (DMZ_ERROR_MAX + 1));
	printf("%lu wrong\n", wrong);
	return wrong != 0;
}

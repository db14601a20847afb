/* SPDX-License-Identifier: MIT */
/* The decoder with every input of every size, for Frama-C's Eva. If the size is not that of a record, no byte may be read. */
#include <__fc_builtin.h>

#include "../../errpipe/lib/decode.c"

void every_input(void)
{
	unsigned char bytes[DMZ_RECORD_SIZE];
	struct errpipe_report report = { 0 };
	size_t size = sizeof(bytes);
	const void *from = bytes;
	int ret;

	Frama_C_make_unknown((char *)bytes, sizeof(bytes));
	switch (Frama_C_interval(0, 2)) {
	case 0:
		size = Frama_C_unsigned_long_interval(0, sizeof(bytes) - 1);
		from = bytes + sizeof(bytes);
		break;
	case 1:
		size = Frama_C_unsigned_long_interval(sizeof(bytes) + 1, (size_t)-1);
		from = bytes + sizeof(bytes);
	}
	ret = errpipe_decode(from, size, &report);
	//@ assert ret == 0 || ret == -EPROTO;
	//@ assert report.machine <= 0xffff && report.step <= 0xffff;
}

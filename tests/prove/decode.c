/* SPDX-License-Identifier: MIT */
/* The decoder's contracts, for Frama-C's WP. */
#include "../../errpipe/errpipe.h"
#include "../../errpipe/lib/internal.h"
#include "../../dmz/record.h"
#include <errno.h>

#define half(p) ((p)[0] + 0x100 * (p)[1])
#define word(p) (half(p) + 0x10000 * half((p) + 2))

/*@ predicate step_exists(integer step) =
  @	step == 0 || step == 1 || 0x4000 <= step <= 0xffff;
  @ predicate callers(integer step) = 0x8000 <= step <= 0xfffe;
  @ predicate may_be(integer step, integer error) =
  @	0 <= error <= 4095 && step_exists(step) && (callers(step) ==> error != 0);
  @ predicate is_record(unsigned char *p) =
  @	p[0] == 'd' && p[1] == 'm' && p[2] == 'z' && p[3] == 1 &&
  @	half(p + 4) != 0 && may_be(half(p + 6), word(p + 8)) && word(p + 12) == 0;
  @*/

/*@ requires \valid_read(p + (0 .. 1));
  @ assigns \nothing;
  @ ensures \result == half(p);
  @*/
static unsigned le16(const unsigned char *p);

/*@ requires \valid_read(p + (0 .. 3));
  @ assigns \nothing;
  @ ensures \result == word(p);
  @*/
static unsigned le32(const unsigned char *p);

/*@ assigns \nothing;
  @ ensures \result != 0 <==> may_be(step, error);
  @*/
static bool possible(unsigned step, unsigned error);

/*@ requires raw <= 4095;
  @ assigns \nothing;
  @ ensures 0 <= \result <= 65535;
  @*/
int ep_host_errno(unsigned machine, unsigned raw);

/*@ requires bytes != \null && size == 16 ==> \valid_read((unsigned char *)bytes + (0 .. 15));
  @ requires \valid(report);
  @ requires bytes != \null && size == 16 ==> \separated(report, (unsigned char *)bytes + (0 .. 15));
  @ assigns *report;
  @ behavior a_record:
  @	assumes bytes != \null && size == 16 && is_record((unsigned char *)bytes);
  @	ensures \result == 0;
  @	ensures report->machine == half((unsigned char *)bytes + 4);
  @	ensures report->step == half((unsigned char *)bytes + 6);
  @	ensures report->raw_error == word((unsigned char *)bytes + 8);
  @	ensures report->verdict == (report->step == 0 ? ERRPIPE_EXEC_FAILED : ERRPIPE_SETUP_FAILED);
  @	ensures 0 <= report->error <= 65535;
  @	ensures report->status == -1;
  @ behavior anything_else:
  @	assumes size == 0 || (bytes != \null && (size != 16 || !is_record((unsigned char *)bytes)));
  @	assigns \nothing;
  @	ensures \result == -EPROTO;
  @ behavior nothing:
  @	assumes size != 0 && bytes == \null;
  @	assigns \nothing;
  @	ensures \result == -EFAULT;
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
int errpipe_decode(const void *bytes, size_t size, struct errpipe_report *report);

#include "../../errpipe/lib/decode.c"

/* The table of docs/protocol.md, word by word. encode.c checks that DMZ_RECORD() makes the same bytes. */
/*@ requires \valid(bytes + (0 .. 15));
  @ requires 1 <= machine <= 0xffff && may_be(step, error);
  @ assigns bytes[0 .. 15];
  @ ensures half(bytes + 4) == machine;
  @ ensures half(bytes + 6) == step;
  @ ensures word(bytes + 8) == error;
  @ ensures word(bytes + 12) == 0;
  @ ensures is_record(bytes);
  @*/
static void encode(unsigned char *bytes, unsigned machine, unsigned step, unsigned error)
{
	bytes[0] = 'd';
	bytes[1] = 'm';
	bytes[2] = 'z';
	bytes[3] = 1;
	bytes[4] = machine % 0x100;
	bytes[5] = machine / 0x100;
	bytes[6] = step % 0x100;
	bytes[7] = step / 0x100;
	bytes[8] = error % 0x100;
	bytes[9] = error / 0x100;
	bytes[10] = bytes[11] = 0;
	bytes[12] = bytes[13] = bytes[14] = bytes[15] = 0;
}

/*@ requires 1 <= machine <= 0xffff && may_be(step, error);
  @ requires \valid(report);
  @ assigns *report;
  @ ensures \result == 0;
  @ ensures report->machine == machine && report->step == step && report->raw_error == error;
  @*/
int round_trip(unsigned machine, unsigned step, unsigned error, struct errpipe_report *report)
{
	unsigned char bytes[DMZ_RECORD_SIZE];

	encode(bytes, machine, step, error);
	return errpipe_decode(bytes, sizeof(bytes), report);
}

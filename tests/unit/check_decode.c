/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "errpipe.h"
#include "suite.h"

/* A record from x86-64: ENOEXEC in step 0. */
static const unsigned char valid[16] = { 'd', 'm', 'z', 1, 62, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0 };

/* x86-64 stands for all machines with the generic errno numbers, which this host has as well. */
enum { EM_X86_64 = 62, EM_MIPS = 8, EM_ALPHA = 0x9026, EM_SPARCV9 = 43, EM_PARISC = 15 };

static void put16(unsigned char *p, unsigned value)
{
	p[0] = value;
	p[1] = value >> 8;
}

static int decode_with(unsigned machine, unsigned step, unsigned error, struct errpipe_report *report)
{
	unsigned char bytes[16];

	memcpy(bytes, valid, sizeof(bytes));
	put16(bytes + 4, machine);
	put16(bytes + 6, step);
	put16(bytes + 8, error);
	put16(bytes + 10, error >> 16);
	return errpipe_decode(bytes, sizeof(bytes), report);
}

/* A refused record must leave the report unchanged. */
static void assert_refused(const void *bytes, size_t size)
{
	struct errpipe_report report, before;

	memset(&report, 0x5a, sizeof(report));
	before = report;
	ck_assert_int_eq(errpipe_decode(bytes, size, &report), -EPROTO);
	ck_assert_mem_eq(&report, &before, sizeof(report));
}

START_TEST(a_valid_record)
{
	struct errpipe_report report;

	ck_assert_int_eq(errpipe_decode(valid, sizeof(valid), &report), 0);
	ck_assert_int_eq(report.verdict, ERRPIPE_EXEC_FAILED);
	ck_assert_int_eq(report.error, ENOEXEC);
	ck_assert_int_eq(report.raw_error, 8);
	ck_assert_uint_eq(report.machine, EM_X86_64);
	ck_assert_uint_eq(report.step, ERRPIPE_STEP_EXEC);
	ck_assert_int_eq(report.status, -1);
}
END_TEST

/* The allocation has the exact size, so that a sanitizer reports a read beyond it. */
START_TEST(every_length)
{
	size_t size = _i;
	unsigned char *bytes = malloc(size ? size : 1);
	struct errpipe_report report;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = valid[i % sizeof(valid)];

	if (size == sizeof(valid))
		ck_assert_int_eq(errpipe_decode(bytes, size, &report), 0);
	else
		assert_refused(bytes, size);
	free(bytes);
}
END_TEST

START_TEST(no_bytes_at_all)
{
	assert_refused(NULL, 0);
	assert_refused(valid, (size_t)-1);
}
END_TEST

/* May this byte of the valid record have this value? */
static bool may_be(int offset, unsigned char value)
{
	switch (offset) {
	case 4: /* machine: any but 0 */
		return value != 0;
	case 5:
		return true;
	case 6: /* step: low byte 1 is the stub's fcntl */
		return value <= 1;
	case 7: /* high byte of the step: from 0x40 on those of a setup, from 0x80 on the caller's own */
		return value == 0 || value >= 0x40;
	case 8: /* error: up to 4095; 0 is a refusal without an errno */
		return true;
	case 9:
		return value <= 0x0f;
	default:
		return value == valid[offset];
	}
}

START_TEST(every_value_of_each_byte)
{
	for (int value = 0; value < 256; value++) {
		unsigned char bytes[16];
		struct errpipe_report report;

		memcpy(bytes, valid, sizeof(bytes));
		bytes[_i] = value;
		if (may_be(_i, value))
			ck_assert_msg(errpipe_decode(bytes, sizeof(bytes), &report) == 0, "byte %d = %d", _i, value);
		else
			assert_refused(bytes, sizeof(bytes));
	}
}
END_TEST

START_TEST(every_step)
{
	struct errpipe_report report;

	for (unsigned step = 0; step <= 0xffff; step++) {
		bool reserved = step > ERRPIPE_STEP_FCNTL && step < ERRPIPE_STEP_SETUP;
		bool callers = step >= ERRPIPE_STEP_CALLER && step <= ERRPIPE_STEP_CALLER_LAST;

		ck_assert_int_eq(decode_with(EM_X86_64, step, ENOENT, &report), reserved ? -EPROTO : 0);
		if (!reserved) {
			ck_assert_uint_eq(report.step, step);
			ck_assert_int_eq(report.verdict, step ? ERRPIPE_SETUP_FAILED : ERRPIPE_EXEC_FAILED);
		}
		/* A system call can be refused without an errno. */
		ck_assert_int_eq(decode_with(EM_X86_64, step, 0, &report), reserved || callers ? -EPROTO : 0);
	}
}
END_TEST

START_TEST(every_error)
{
	struct errpipe_report report;

	for (unsigned error = 0; error < 0x20000; error++) {
		ck_assert_int_eq(decode_with(EM_X86_64, 0, error, &report), error <= 4095 ? 0 : -EPROTO);
		if (error <= 4095)
			ck_assert_int_eq(report.raw_error, error);
	}
	ck_assert_int_eq(decode_with(EM_X86_64, 0, 0xffffffff, &report), -EPROTO);
	ck_assert_int_eq(decode_with(EM_X86_64, 0, -ENOENT, &report), -EPROTO);
}
END_TEST

/* The writer's number and this host's, taken from asm/errno.h. */
static const struct {
	unsigned machine;
	int raw, error;
} foreign[] = {
	{ EM_X86_64, 40, ELOOP },
	{ EM_MIPS, 90, ELOOP },
	{ EM_ALPHA, 62, ELOOP },
	{ EM_SPARCV9, 62, ELOOP },
	{ EM_PARISC, 249, ELOOP },
	{ EM_MIPS, 78, ENAMETOOLONG },
	{ EM_PARISC, 248, ENAMETOOLONG },
	{ EM_ALPHA, 35, EAGAIN },
	{ EM_MIPS, 84, ELIBBAD },
	{ EM_MIPS, 1133, EDQUOT },
	{ EM_SPARCV9, 112, ELIBBAD },
	{ EM_MIPS, 8, ENOEXEC },
	{ EM_MIPS, 4000, 0 },
	{ EM_MIPS, 0, 0 },
};

START_TEST(numbers_of_another_machine)
{
	struct errpipe_report report;

	ck_assert_int_eq(decode_with(foreign[_i].machine, 0, foreign[_i].raw, &report), 0);
	ck_assert_int_eq(report.error, foreign[_i].error);
	ck_assert_int_eq(report.raw_error, foreign[_i].raw);
	ck_assert_uint_eq(report.machine, foreign[_i].machine);
}
END_TEST

/* A machine unknown to this version has the generic numbers, like every new architecture. */
START_TEST(an_unknown_machine)
{
	struct errpipe_report report;

	ck_assert_int_eq(decode_with(0xfffe, 0, 40, &report), 0);
	ck_assert_int_eq(report.error, 40);
}
END_TEST

static Suite *decode_suite(void)
{
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("decode");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, a_valid_record);
	tcase_add_loop_test(tcase, every_length, 0, 65);
	tcase_add_test(tcase, no_bytes_at_all);
	tcase_add_loop_test(tcase, every_value_of_each_byte, 0, 16);
	tcase_add_test(tcase, every_step);
	tcase_add_test(tcase, every_error);
	tcase_add_loop_test(tcase, numbers_of_another_machine, 0, sizeof(foreign) / sizeof(*foreign));
	tcase_add_test(tcase, an_unknown_machine);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return run_suite(decode_suite());
}

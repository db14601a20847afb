/* SPDX-License-Identifier: MIT */
/* The level of the x86-64 psABI that this processor has, as glibc's loader sees it (get_isa_level() in its isa-level.c). */
#define _GNU_SOURCE
#include "explain/facts/facts.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* Bits of CPUID, by leaf and register. */
#define V2_1_C                                                                                                       \
	(1U << 0 | 1U << 9 | 1U << 13 | 1U << 19 | 1U << 20 | 1U << 23)	   /* SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT */
#define V2_80000001 (1U << 0)						   /* LAHF */
#define V3_1_C	    (1U << 12 | 1U << 22 | 1U << 27 | 1U << 28 | 1U << 29) /* FMA MOVBE OSXSAVE AVX F16C */
#define V3_7_B	    (1U << 3 | 1U << 5 | 1U << 8)			   /* BMI1 AVX2 BMI2 */
#define V3_80000001 (1U << 5)						   /* LZCNT */
#define V4_7_B	    (1U << 16 | 1U << 17 | 1U << 28 | 1U << 30 | 1U << 31) /* AVX512 F DQ CD BW VL */

/* Which registers the kernel saves: XCR0. */
enum { YMM = 0x06, ZMM = 0xe6 };

static bool has(unsigned bits, unsigned wanted)
{
	return (bits & wanted) == wanted;
}

static unsigned saved_registers(void)
{
	unsigned low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

unsigned ep_cpu_level(void)
{
	unsigned a, b, c1 = 0, b7 = 0, c8 = 0, d, saved;

	if (!__get_cpuid(1, &a, &b, &c1, &d) || !__get_cpuid(0x80000001, &a, &b, &c8, &d))
		return 0;
	if (!has(c1, V2_1_C) || !has(c8, V2_80000001))
		return 1;
	if (!__get_cpuid_count(7, 0, &a, &b7, &d, &d) || !has(c1, V3_1_C) || !has(b7, V3_7_B) ||
	    !has(c8, V3_80000001))
		return 2;
	saved = saved_registers();
	if (!has(saved, YMM))
		return 2;
	return has(b7, V4_7_B) && has(saved, ZMM) ? 4 : 3;
}
#else
unsigned ep_cpu_level(void)
{
	return 0;
}
#endif

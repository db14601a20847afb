/* SPDX-License-Identifier: MIT */
/*
 * The record: 16 bytes with the reason why an exec failed. docs/protocol.md is the specification.
 *
 * It is four little-endian words in one write(2), so that a pipe carries all of them or none:
 *
 *	0	magic: 'd' 'm' 'z' and the version
 *	4	machine in the low half, step in the high half
 *	8	error: the errno in the numbering of the writer's ABI
 *	12	zero
 *
 * The stub and the library write it, and the library reads it. All use the layout below.
 */
#ifndef DMZ_RECORD_H
#define DMZ_RECORD_H

#define DMZ_RECORD_SIZE 16
#define DMZ_ERROR_MAX	4095 /* MAX_ERRNO in include/linux/err.h */
#define DMZ_MAGIC	('d' | 'm' << 8 | 'z' << 16 | 1 << 24)

/* The step that failed. */
enum {
#define STEP(id, number, systemd, words, document) DMZ_STEP_##id = number,
#define STEPS(id, first, last, document)	   DMZ_STEP_##id = first, DMZ_STEP_##id##_LAST = last,
#include "steps.def"
};

enum {
#define MACHINE(id, number, family) DMZ_MACHINE_##id = number,
#include "machines.def"
};

/* The machine that this code is compiled for. A record names its errno numbering by that. */
#if defined(__x86_64__)
#define DMZ_MACHINE DMZ_MACHINE_X86_64
#elif defined(__i386__)
#define DMZ_MACHINE DMZ_MACHINE_386
#elif defined(__aarch64__)
#define DMZ_MACHINE DMZ_MACHINE_AARCH64
#elif defined(__arm__)
#define DMZ_MACHINE DMZ_MACHINE_ARM
#elif defined(__riscv)
#define DMZ_MACHINE DMZ_MACHINE_RISCV
#elif defined(__s390__)
#define DMZ_MACHINE DMZ_MACHINE_S390
#elif defined(__powerpc64__)
#define DMZ_MACHINE DMZ_MACHINE_PPC64
#elif defined(__powerpc__)
#define DMZ_MACHINE DMZ_MACHINE_PPC
#elif defined(__mips__)
#define DMZ_MACHINE DMZ_MACHINE_MIPS
#elif defined(__loongarch__)
#define DMZ_MACHINE DMZ_MACHINE_LOONGARCH
#elif defined(__alpha__)
#define DMZ_MACHINE DMZ_MACHINE_ALPHA
#elif defined(__sparc__) && defined(__arch64__)
#define DMZ_MACHINE DMZ_MACHINE_SPARCV9
#elif defined(__sparc__)
#define DMZ_MACHINE DMZ_MACHINE_SPARC
#elif defined(__hppa__)
#define DMZ_MACHINE DMZ_MACHINE_PARISC
#elif defined(__m68k__)
#define DMZ_MACHINE DMZ_MACHINE_68K
#elif defined(__sh__)
#define DMZ_MACHINE DMZ_MACHINE_SH
#else
#error "unknown machine: add its macro here and its number to dmz/machines.def"
#endif

/*
 * Host order to little-endian and back. DMZ_WORD combines two halves, which keeps the code short on a mips that lacks an
 * instruction to swap bytes.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define DMZ_LE32(x)	    ((unsigned)(x))
#define DMZ_WORD(low, high) ((unsigned)(low) | (unsigned)(high) << 16)
#else
#define DMZ_LE32(x)	    __builtin_bswap32((unsigned)(x))
#define DMZ_WORD(low, high) ((unsigned)__builtin_bswap16(low) << 16 | __builtin_bswap16(high))
#endif

/* An initializer for unsigned[4]. */
#define DMZ_RECORD(step, error)                                                                                      \
	{                                                                                                            \
		DMZ_LE32(DMZ_MAGIC), DMZ_WORD(DMZ_MACHINE, step), DMZ_WORD(error, 0), 0                              \
	}

#endif

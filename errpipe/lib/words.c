/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "errpipe.h"
#include "internal.h"

/* The columns of errno.def. powerpc has the numbers of the generic family and one more, so it needs no column. */
enum family { GENERIC, MIPS, ALPHA, SPARC, PARISC, POWERPC };
enum { COLUMNS = POWERPC };

#if defined(__mips__)
#define HOST MIPS
#elif defined(__alpha__)
#define HOST ALPHA
#elif defined(__sparc__)
#define HOST SPARC
#elif defined(__hppa__)
#define HOST PARISC
#elif defined(__powerpc__)
#define HOST POWERPC
#else
#define HOST GENERIC
#endif

/* As large as the longest name and the longest words, each with its NUL. */
union longest_name {
#define E(name, words, generic, mips, alpha, sparc, parisc) char of_##name[sizeof(#name)];
#include "dmz/errno.def"
};

union longest_words {
#define E(name, words, generic, mips, alpha, sparc, parisc) char of_##name[sizeof(words)];
#include "dmz/errno.def"
};

/* Arrays, not pointers to strings: those would have to be relocated in every process. */
static const struct row {
	unsigned short number[COLUMNS];
	char name[sizeof(union longest_name)];
	char words[sizeof(union longest_words)];
} table[] = {
#define E(name, words, generic, mips, alpha, sparc, parisc) { { generic, mips, alpha, sparc, parisc }, #name, words },
#include "dmz/errno.def"
};

/*
 * Trap: the generic column's EDEADLOCK is powerpc's. The other machines of that family have an EDEADLOCK that is
 * EDEADLK, and their kernel and C library know no 58.
 */
enum { POWERPC_EDEADLOCK = 58, GENERIC_EDEADLK = 35 };

static unsigned number(const struct row *row, enum family family)
{
	if (family == POWERPC)
		return row->number[GENERIC];
	if (family == GENERIC && row->number[GENERIC] == POWERPC_EDEADLOCK)
		return GENERIC_EDEADLK;
	return row->number[family];
}

static const struct row *find(enum family family, unsigned error)
{
	size_t i;

	if (error == 0)
		return NULL;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (number(&table[i], family) == error)
			return &table[i];
	return NULL;
}

const char *errpipe_strerror(int error)
{
	static const char prefix[] = "errno ";
	static __thread char unknown[sizeof(prefix) - 1 + EP_DECIMAL];
	const struct row *row = find(HOST, error);
	char *decimal;

	if (row)
		return row->words;
	decimal = ep_decimal(unknown + sizeof(prefix) - 1, error);
	return memcpy(decimal - (sizeof(prefix) - 1), prefix, sizeof(prefix) - 1);
}

const char *errpipe_errname(int error)
{
	const struct row *row = find(HOST, error);

	return row ? row->name : NULL;
}

static enum family family_of(unsigned machine)
{
	static const struct {
		unsigned machine;
		enum family family;
	} families[] = {
		{ 8, MIPS },	   /* EM_MIPS */
		{ 10, MIPS },	   /* EM_MIPS_RS3_LE */
		{ 41, ALPHA },	   /* EM_FAKE_ALPHA, reserved but not used */
		{ 0x9026, ALPHA }, /* EM_ALPHA */
		{ 2, SPARC },	   /* EM_SPARC */
		{ 18, SPARC },	   /* EM_SPARC32PLUS */
		{ 43, SPARC },	   /* EM_SPARCV9 */
		{ 15, PARISC },	   /* EM_PARISC */
		{ 20, POWERPC },   /* EM_PPC */
		{ 21, POWERPC },   /* EM_PPC64 */
	};
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].machine == machine)
			return families[i].family;
	return GENERIC;
}

int ep_host_errno(unsigned machine, unsigned raw)
{
	enum family family = family_of(machine);
	const struct row *row;

	if (family == HOST)
		return raw;
	row = find(family, raw);
	return row ? number(row, HOST) : 0;
}

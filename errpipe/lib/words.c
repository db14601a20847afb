/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dmz/record.h"
#include "errpipe.h"
#include "internal.h"

/* The columns of errno.def. powerpc needs no column: it has the generic numbers and one more. */
enum family { GENERIC, MIPS, ALPHA, SPARC, PARISC, POWERPC };
enum { COLUMNS = POWERPC };

static enum family family_of(unsigned machine)
{
	switch (machine) {
#define MACHINE(id, number, family)                                                                                  \
	case number:                                                                                                 \
		return family;
#include "dmz/machines.def"
	default:
		return GENERIC;
	}
}

/* As large as the longest name and the longest words, each with its NUL. */
union longest_name {
#define E(name, words, generic, mips, alpha, sparc, parisc) char of_##name[sizeof(#name)];
#include "dmz/errno.def"
};

union longest_words {
#define E(name, words, generic, mips, alpha, sparc, parisc) char of_##name[sizeof(words)];
#include "dmz/errno.def"
};

/* Arrays instead of pointers, because pointers would have to be relocated in every process. */
static const struct row {
	unsigned short number[COLUMNS];
	char name[sizeof(union longest_name)];
	char words[sizeof(union longest_words)];
} table[] = {
#define E(name, words, generic, mips, alpha, sparc, parisc) { { generic, mips, alpha, sparc, parisc }, #name, words },
#include "dmz/errno.def"
};

/*
 * Trap: the EDEADLOCK of the generic column is powerpc's. On the other machines of that family EDEADLOCK equals EDEADLK,
 * and kernel and C library do not use 58.
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
	const struct row *row = find(family_of(DMZ_MACHINE), error);
	char *decimal;

	if (row)
		return row->words;
	decimal = ep_decimal(unknown + sizeof(prefix) - 1, error);
	return memcpy(decimal - (sizeof(prefix) - 1), prefix, sizeof(prefix) - 1);
}

const char *errpipe_errname(int error)
{
	const struct row *row = find(family_of(DMZ_MACHINE), error);

	return row ? row->name : NULL;
}

int ep_host_errno(unsigned machine, unsigned raw)
{
	enum family family = family_of(machine), host = family_of(DMZ_MACHINE);
	const struct row *row;

	if (family == host)
		return raw;
	row = find(family, raw);
	return row ? number(row, host) : 0;
}

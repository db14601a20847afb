/* SPDX-License-Identifier: MIT */
/* The symbols that a program or library defines and needs. */
#ifndef ERRPIPE_EXPLAIN_SYMBOLS_H
#define ERRPIPE_EXPLAIN_SYMBOLS_H

#include "explain/facts/dynamic.h"

#pragma GCC visibility push(hidden)

/* Room for the hash tables of all objects, in the byte order of this machine. */
struct ep_symbol_room {
	uint32_t *words;
	size_t used, max;
};

/* DT_GNU_HASH: https://sourceware.org/legacy-ml/binutils/2006-10/msg00377.html. It lists the symbols that the object defines. */
struct ep_symbols {
	const uint32_t *bucket, *chain;
	uint32_t buckets, chains;
	uint32_t first; /* the index of the first symbol in it. Earlier symbols are not defined */
};

/* Returns false if the object does not have such a table, or the room is too small for it. */
bool ep_object_symbols(struct ep_object *object, struct ep_symbols *symbols, struct ep_symbol_room *room);

/* Hash a name as the table does. */
uint32_t ep_symbol_hash(const char *name);

/* Does the object define a symbol whose name has this hash? With 31 bits, two names hardly ever share one. */
bool ep_symbols_have(const struct ep_symbols *symbols, uint32_t hash);

/*
 * The symbols that the object needs and does not define. Optional ones (STB_WEAK) are left out, and those of some versions: bit N of
 * left_out is for the version with index N, and its last bit for that and all higher ones.
 */
enum { EP_VERSION_LAST = 63 };
typedef int ep_each_symbol(void *context, uint32_t index, const char *name);

/* Call each() for every symbol until it returns nonzero. Returns false if some cannot be read. */
bool ep_object_undefined(struct ep_object *object, const struct ep_symbols *symbols, uint64_t left_out,
			 ep_each_symbol *each, void *context);

/*
 * The same for copy relocations (R_X86_64_COPY and the like): the program defines these variables, but a library has to define
 * them as well. Files with many relocations are skipped.
 */
void ep_object_copied(struct ep_object *object, uint64_t left_out, ep_each_symbol *each, void *context);

/* The name of a symbol, valid until the next call about this object; or NULL. */
const char *ep_object_symbol_name(struct ep_object *object, uint32_t index);

/* Are all its symbols bound before it starts, functions included? */
bool ep_object_binds_now(const struct ep_object *object);

/* Does the loader bind this symbol before the program starts? now: it binds all symbols. */
bool ep_object_binds(struct ep_object *object, uint32_t index, bool now);

#pragma GCC visibility pop

#endif

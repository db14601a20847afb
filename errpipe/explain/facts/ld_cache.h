/* SPDX-License-Identifier: MIT */
/* glibc's cache of libraries. */
#ifndef ERRPIPE_EXPLAIN_LD_CACHE_H
#define ERRPIPE_EXPLAIN_LD_CACHE_H

#include "explain/facts/facts.h"

#pragma GCC visibility push(hidden)

struct ep_cache {
	void *memory;
	size_t memory_size;
	const unsigned char *bytes; /* of the table, from its magic on */
	size_t size;
	unsigned order; /* ELFDATA2LSB or ELFDATA2MSB */
	uint32_t count;
	uint64_t hwcaps, hwcaps_count;
};

/* Returns false if the file cannot be read, or has a format that is not known. Call ep_cache_forget() in any case. */
bool ep_cache_read(struct ep_cache *cache, int fd, uint64_t size, unsigned order);
void ep_cache_forget(struct ep_cache *cache);

/*
 * The path of a library, or NULL. kind: the flags of its entry; 0: unknown, any library of a glibc. level: 1 to 3 if the CPU
 * has x86-64-v2 to v4, else 0.
 */
const char *ep_cache_find(const struct ep_cache *cache, const char *name, int kind, unsigned level);

/* Get the entry with this index. *name is NULL if it is of another kind. Returns false after the last entry. */
bool ep_cache_entry(const struct ep_cache *cache, uint32_t index, int kind, const char **name, const char **path);

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* malloc(3) and its kin, which can be made to fail. libc and all libraries use the program's own definitions as well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenes.h"

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

long allocation_to_fail;
bool allocations_fail_ever_after;
long *allocations_made;

static bool fails(void)
{
	long n;

	if (!allocations_made)
		return false;
	n = ++*allocations_made;
	if (n != allocation_to_fail && !(allocations_fail_ever_after && n > allocation_to_fail))
		return false;
	errno = ENOMEM;
	return allocation_to_fail;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

/* SPDX-License-Identifier: MIT */
/*
 * ld.so.cache, for libFuzzer. The input:
 *
 *	level of the processor, byte order (1 byte each), flags of the libraries (2)
 *	size (1) and the name to look for
 *	the rest: the file
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "explain/facts/ld_cache.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	struct input input = { bytes, size };
	unsigned level = take(&input) % 4, order = 1 + take(&input) % 2, kind = take_16(&input);
	struct input name_bytes = take_part(&input, take(&input));
	char *name = string_of(&name_bytes);
	struct ep_cache cache;
	const char *path, *other;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || (input.size && pwrite(fd, input.bytes, input.size, 0) != (ssize_t)input.size))
		give_up("memfd");
	if (ep_cache_read(&cache, fd, input.size, order)) {
		path = ep_cache_find(&cache, name, kind, level);
		must(!path || !*path || memmem(input.bytes, input.size, path, strlen(path) + 1),
		     "a path is in the file");
		must(ep_cache_find(&cache, name, kind, level) == path, "it is always the same");
		for (uint32_t i = 0; i < 64 && ep_cache_entry(&cache, i, kind, &other, &path); i++)
			must(!other || !*other || memmem(input.bytes, input.size, other, strlen(other) + 1),
			     "a name is in the file");
	}
	ep_cache_forget(&cache);
	must(!cache.memory, "no memory is left");
	free(name);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * /etc/ld.so.cache, in which glibc's loader looks up names (sysdeps/generic/dl-cache.h and elf/dl-cache.c in glibc). Read are
 * the format "glibc-ld.so.cache1.1", and a file that has an older table before it.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "explain/facts/elf_file.h"
#include "explain/facts/ld_cache.h"

static const char magic[] = "glibc-ld.so.cache1.1", old_magic[] = "ld.so-1.7.0";

enum {
	MAGIC = 20,
	OLD_HEADER = 16, /* magic of 12 bytes with its NUL, and the number of entries */
	OLD_ENTRY = 12,
	HEADER = 48,
	ENTRY = 24,
	COUNT_AT = 20,
	FLAGS_AT = 28,
	EXTENSION_AT = 32,
	SECTION = 16,
	LARGEST = 1 << 25
};

#define EXTENSION_MAGIC 0xeaa42174
enum { SECTION_HWCAPS = 1 };

/* An entry for a subdirectory of glibc-hwcaps: bit 62; its name's number is in the lower half. */
#define HWCAP_EXTENSION(hwcap) (((hwcap) >> 62 & 1) != 0 && ((hwcap) >> 63) == 0)

static uint64_t number(const struct ep_cache *cache, uint64_t at, unsigned size)
{
	return at + size <= cache->size ? ep_elf_number(cache->bytes + at, size, cache->order) : 0;
}

/* A string, or "" if it does not end in the file. */
static const char *string(const struct ep_cache *cache, uint64_t at)
{
	if (at >= cache->size || !memchr(cache->bytes + at, '\0', cache->size - at))
		return "";
	return (const char *)cache->bytes + at;
}

/* --- opening ------------------------------------------------------------------------------------------------ */

static void skip_old_table(struct ep_cache *cache)
{
	uint64_t size;

	if (cache->size < OLD_HEADER || memcmp(cache->bytes, old_magic, sizeof(old_magic) - 1) != 0)
		return;
	size = OLD_HEADER + number(cache, OLD_HEADER - 4, 4) * OLD_ENTRY;
	size = (size + 7) / 8 * 8;
	if (size > cache->size)
		size = cache->size;
	cache->bytes += size;
	cache->size -= size;
}

/* The byte order of the file is in its flags; it is 0 in files of glibc before 2.33. */
static bool is_of_order(const struct ep_cache *cache)
{
	unsigned flags = cache->bytes[FLAGS_AT] & 3;

	return flags == 0 || flags == (cache->order == ELFDATA2MSB ? 3 : 2);
}

static void find_hwcaps(struct ep_cache *cache)
{
	uint64_t at = number(cache, EXTENSION_AT, 4), sections;

	if (!at || number(cache, at, 4) != EXTENSION_MAGIC)
		return;
	sections = number(cache, at + 4, 4);
	for (uint64_t i = 0; i < sections && i < 64; i++) {
		uint64_t section = at + 8 + i * SECTION;

		if (number(cache, section, 4) != SECTION_HWCAPS)
			continue;
		cache->hwcaps = number(cache, section + 8, 4);
		cache->hwcaps_count = number(cache, section + 12, 4) / 4;
	}
}

bool ep_cache_read(struct ep_cache *cache, int fd, uint64_t size, unsigned order)
{
	ssize_t n;

	*cache = (struct ep_cache){ .order = order };
	if (size < HEADER || size > LARGEST)
		return false;
	cache->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (cache->memory == MAP_FAILED) {
		cache->memory = NULL;
		return false;
	}
	cache->memory_size = size;
	n = ep_pread(fd, cache->memory, size, 0);
	cache->bytes = cache->memory;
	cache->size = n < 0 ? 0 : n;
	skip_old_table(cache);
	if (cache->size < HEADER || memcmp(cache->bytes, magic, MAGIC) != 0 || !is_of_order(cache))
		return false;
	cache->count = number(cache, COUNT_AT, 4);
	if (cache->count > (cache->size - HEADER) / ENTRY)
		return false;
	find_hwcaps(cache);
	return true;
}

void ep_cache_forget(struct ep_cache *cache)
{
	if (cache->memory)
		munmap(cache->memory, cache->memory_size);
	cache->memory = NULL;
}

/* --- looking up --------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t take_number(const char **p)
{
	uint32_t value = 0;

	for (; is_digit(**p); (*p)++)
		value = value * 10 + (**p - '0');
	return value;
}

/* The order of the entries: numbers in a name count as such, and a digit is after everything else. */
static int compare(const char *a, const char *b)
{
	while (*a) {
		if (is_digit(*a) && is_digit(*b)) {
			uint32_t x = take_number(&a), y = take_number(&b);

			if (x != y)
				return (int32_t)(x - y) < 0 ? -1 : 1;
		} else if (is_digit(*a) || is_digit(*b)) {
			return is_digit(*a) ? 1 : -1;
		} else if (*a != *b) {
			return *a < *b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return *b ? -1 : 0;
}

static uint64_t entry_at(uint32_t index)
{
	return HEADER + (uint64_t)index * ENTRY;
}

static const char *key(const struct ep_cache *cache, uint32_t index)
{
	return string(cache, number(cache, entry_at(index) + 4, 4));
}

/* The first entry of that name; count: none. The largest name comes first. */
static uint32_t find_first(const struct ep_cache *cache, const char *name)
{
	uint32_t left = 0, right = cache->count;

	while (left < right) {
		uint32_t middle = left + (right - left) / 2;

		if (compare(name, key(cache, middle)) < 0)
			left = middle + 1;
		else
			right = middle;
	}
	return left;
}

static bool is_of_kind(const struct ep_cache *cache, uint32_t index, int kind)
{
	int flags = number(cache, entry_at(index), 4);

	return flags == 1 || (kind ? flags == kind : (flags & 0xff) == 3);
}

/* 1 to 3: x86-64-v2 to v4. 0: another name. */
static unsigned level_of(const struct ep_cache *cache, uint32_t index)
{
	static const char begin[] = "x86-64-v";
	const char *name;

	if (index >= cache->hwcaps_count)
		return 0;
	name = string(cache, number(cache, cache->hwcaps + index * UINT64_C(4), 4));
	if (strncmp(name, begin, sizeof(begin) - 1) != 0 || name[sizeof(begin) - 1] < '2' ||
	    name[sizeof(begin) - 1] > '4')
		return 0;
	return name[sizeof(begin) - 1] - '1';
}

/*
 * The entries with subdirectories come before the plain one, and the loader takes the highest level that the CPU has. An
 * entry with other bits is for processors of the time before that; whether it fits is unknown, so the plain one counts.
 */
const char *ep_cache_find(const struct ep_cache *cache, const char *name, int kind, unsigned level)
{
	const char *best = NULL, *older = NULL;
	unsigned best_level = 0;

	for (uint32_t i = find_first(cache, name); i < cache->count && compare(name, key(cache, i)) == 0; i++) {
		uint64_t hwcap = number(cache, entry_at(i) + 16, 8);
		const char *path = string(cache, number(cache, entry_at(i) + 8, 4));
		unsigned of = HWCAP_EXTENSION(hwcap) ? level_of(cache, (uint32_t)hwcap) : 0;

		if (!is_of_kind(cache, i, kind))
			continue;
		if (!hwcap)
			return best ? best : path;
		if (of && of <= level && of > best_level) {
			best = path;
			best_level = of;
		}
		if (!HWCAP_EXTENSION(hwcap) && !older)
			older = path;
	}
	return best ? best : older;
}

bool ep_cache_entry(const struct ep_cache *cache, uint32_t index, int kind, const char **name, const char **path)
{
	if (index >= cache->count)
		return false;
	*name = is_of_kind(cache, index, kind) ? key(cache, index) : NULL;
	*path = string(cache, number(cache, entry_at(index) + 8, 4));
	return true;
}

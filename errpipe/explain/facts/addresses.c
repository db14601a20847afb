/* SPDX-License-Identifier: MIT */
/* The addresses that a process can have: TASK_SIZE in the kernel's arch/ARCH/include/asm/processor.h. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17; older kernels take the address as a hint, which is enough here */
#endif

/* Every process of that machine has the addresses below sure, and none has those from highest on. */
struct range {
	unsigned machine, elf_class;
	uint64_t sure, highest;
};

static struct range range_of(const struct errpipe_link *link)
{
	static const struct range ranges[] = {
		/* Page tables of 4 levels, and of 5. */
		{ EM_X86_64, ELFCLASS64, (UINT64_C(1) << 47) - 4096, (UINT64_C(1) << 56) - 4096 },
		/* IA32_PAGE_OFFSET, and the least that 32-bit kernels have (CONFIG_VMSPLIT_1G). */
		{ EM_X86_64, ELFCLASS32, 0xffffe000, 0xffffe000 },
		{ EM_386, ELFCLASS32, 0x40000000, 0xffffe000 },
		{ EM_AARCH64, ELFCLASS64, UINT64_C(1) << 36, UINT64_C(1) << 52 },
		{ 243 /* EM_RISCV */, ELFCLASS64, UINT64_C(1) << 37, UINT64_C(1) << 56 },
	};
	static const struct range any32 = { 0, 0, UINT64_C(1) << 29, UINT64_C(1) << 32 },
				  any64 = { 0, 0, UINT64_C(1) << 35, UINT64_MAX };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		if (ranges[i].machine == link->machine && ranges[i].elf_class == link->elf_class)
			return ranges[i];
	}
	return link->elf_class == ELFCLASS32 ? any32 : any64;
}

/* Trap: the mmap(3) of the thread sanitizer ignores an address that it does not like. On s390, mmap(2) takes a struct. */
#if defined(SYS_mmap2)
#define MMAP(at, size, flags) (void *)syscall(SYS_mmap2, at, size, PROT_NONE, flags, -1, 0)
#elif defined(SYS_mmap) && !defined(__s390__)
#define MMAP(at, size, flags) (void *)syscall(SYS_mmap, at, size, PROT_NONE, flags, -1, (off_t)0)
#else
#define MMAP(at, size, flags) mmap(at, size, PROT_NONE, flags, -1, 0)
#endif

static void *map(void *at, size_t size, int flags)
{
	void *mapped = MMAP(at, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags);

	if (mapped != MAP_FAILED)
		syscall(SYS_munmap, mapped, size);
	return mapped;
}

/* Map a page there for a moment. If no page can be mapped anywhere, the answer is not known. */
static bool can_be_mapped(uint64_t address)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at = (void *)(uintptr_t)(address & ~(uint64_t)(page - 1)), *mapped;

	if (map(NULL, page, 0) == MAP_FAILED)
		return true;
	mapped = map(at, page, MAP_FIXED_NOREPLACE);
	return mapped == at || (mapped == MAP_FAILED && errno == EEXIST);
}

bool ep_is_beyond_addresses(const struct errpipe_link *link, uint64_t address)
{
	struct range range = range_of(link);
	bool has_our_addresses = sizeof(void *) == (link->elf_class == ELFCLASS64 ? 8 : 4);

	if (address < range.sure || address >= range.highest)
		return address >= range.highest;
	return has_our_addresses && !can_be_mapped(address);
}

/*
 * Without a hint, the kernel maps within 4 levels of page tables. A dynamic program begins at two thirds of that
 * (ELF_ET_DYN_BASE), or at most 2^32 pages above it (mmap_rnd_bits), and its loader goes below.
 */
uint64_t ep_room(const struct errpipe_link *link, uint64_t alignment)
{
	const uint64_t window = (UINT64_C(1) << 47) - 4096, base = window / 3 * 2, random = UINT64_C(1) << 44;

	if (link->machine != EM_X86_64 || link->elf_class != ELFCLASS64)
		return UINT64_MAX;
	if (link->kind == ERRPIPE_LINK_LOADER)
		return link[-1].type == ET_DYN ? base + random : window;
	return link->dynamic ? window - (base & ~(alignment - 1)) : window;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * A dynamic program begins at ELF_ET_DYN_BASE, which is 4 MiB for many machines of 32 bits. Others go where mmap(2) finds room. The
 * stack's limit can lower the place from which it searches to a sixth of all addresses (mmap_base()).
 */
struct ep_bases ep_bases(const struct errpipe_link *link, uint64_t size)
{
	struct range range = range_of(link);
	bool wide = link->elf_class == ELFCLASS64, x86_64 = wide && link->machine == EM_X86_64;
	uint64_t highest = x86_64 ? range.sure : range.highest;

	if (!link->dynamic || link->kind == ERRPIPE_LINK_LOADER)
		return (struct ep_bases){ minus(range.sure / 32, size), minus(highest, size) };
	if (x86_64)
		return (struct ep_bases){ range.sure / 3 * 2, range.sure / 3 * 2 + (UINT64_C(1) << 44) };
	return (struct ep_bases){ wide ? range.sure / 2 : 4 << 20, highest };
}

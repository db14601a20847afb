/* SPDX-License-Identifier: MIT */
/* The headers of an ELF file of any class and byte order. */
#ifndef ERRPIPE_EXPLAIN_ELF_FILE_H
#define ERRPIPE_EXPLAIN_ELF_FILE_H

#include <elf.h>

#include "explain/facts/facts.h"

#pragma GCC visibility push(hidden)

/* A field of a header. */
struct ep_field {
	unsigned char at, size;
};

/* Where things are in the headers of a class. */
struct ep_layout {
	unsigned header_size, segment_size;
	struct ep_field entry, phoff, flags, phentsize, phnum;
	struct ep_field shoff, shentsize, shstrndx, sh_offset;
	struct ep_field p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align;
};

/* An ELF file. The buffer holds some of its program headers. */
struct ep_elf {
	int fd;
	const struct ep_head *head;
	const struct ep_layout *layout;
	unsigned order;
	unsigned count, segment_size; /* of program headers; as the file has it */
	uint64_t entry, table;
	unsigned first, loaded; /* in the buffer */
	int error;		/* of reading them, or 0 */
	unsigned char buffer[4096];
};

struct ep_segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, alignment;
};

/* A number of that many bytes. order: ELFDATA2LSB or ELFDATA2MSB. */
uint64_t ep_elf_number(const unsigned char *bytes, unsigned size, unsigned order);

/* Fill in the members of the link that identify an ELF file. */
void ep_elf_identify(struct errpipe_link *link, const struct ep_head *head);

/* Call ep_elf_identify() for the link first. */
void ep_elf_open(struct ep_elf *elf, const struct errpipe_link *link, int fd, const struct ep_head *head);

/* e_flags */
uint64_t ep_elf_flags(const struct ep_elf *elf);

/* How many bytes a header of that class has. */
unsigned ep_elf_header_size(unsigned elf_class);

/* How many bytes of program headers there should be. */
unsigned ep_elf_table_size(const struct ep_elf *elf);

/* The fault of the program headers, with its number and limit. 0: none. */
enum errpipe_detail ep_elf_wrong_headers(const struct ep_elf *elf, uint64_t *number, uint64_t *limit);

/* Does the file have all of them? */
bool ep_elf_has_headers(struct ep_elf *elf);

/* The first program header of that type from that index on. Returns its index, or -1: none. */
int ep_elf_find(struct ep_elf *elf, unsigned index, uint32_t type, struct ep_segment *segment);

/* Where the names of its sections are. Returns false if it has none, or if its headers are cut off. */
bool ep_elf_section_names(const struct ep_elf *elf, uint64_t *offset);

/* Is its code left out, as objcopy --only-keep-debug does? Then sections describe what is missing. */
bool ep_elf_is_debug_file(struct ep_elf *elf);

/* Does it name a loader? */
bool ep_elf_has_loader(struct ep_elf *elf);

#pragma GCC visibility pop

#endif

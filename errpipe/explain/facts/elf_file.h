/* SPDX-License-Identifier: MIT */
/* Reading the headers of an ELF file of any class and byte order, for elf.c and segments.c. */
#ifndef ERRPIPE_EXPLAIN_ELF_FILE_H
#define ERRPIPE_EXPLAIN_ELF_FILE_H

#include <elf.h>

#include "explain/explain.h"

#pragma GCC visibility push(hidden)

/* A field of a header. */
struct ep_field {
	unsigned char at, size;
};

/* Where things are in the headers of a class. */
struct ep_layout {
	unsigned header_size, segment_size;
	struct ep_field entry, phoff, flags, phentsize, phnum;
	struct ep_field p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align;
};

/* An ELF file, and its program headers, of which some are in the buffer. */
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

/* Such as 6012, of what runs here; or 0: not known. What stable versions have got from later ones does not show. */
unsigned ep_kernel_version(void);

/* Fill in of the link what the header says of its kind. */
void ep_elf_identify(struct errpipe_link *link, const struct ep_head *head);

/* The link is identified. */
void ep_elf_open(struct ep_elf *elf, const struct errpipe_link *link, int fd, const struct ep_head *head);

/* e_flags */
uint64_t ep_elf_flags(const struct ep_elf *elf);

/* How many bytes a header of that class has. */
unsigned ep_elf_header_size(unsigned elf_class);

/* How many bytes of program headers there should be. */
unsigned ep_elf_table_size(const struct ep_elf *elf);

/* load_elf_phdrs() in the kernel's fs/binfmt_elf.c: what is wrong with them, kept. NULL: nothing. */
const char *ep_elf_wrong_headers(struct ep_case *c, const struct ep_elf *elf);

/* Does the file go on to the last of them? */
bool ep_elf_has_headers(struct ep_elf *elf);

/* The first program header of that type from that index on. Returns its index, or -1: none. */
int ep_elf_find(struct ep_elf *elf, unsigned index, uint32_t type, struct ep_segment *segment);

/* Does it name a loader? Also of a program that cannot be run here, as far as its headers can be read. */
bool ep_elf_has_loader(struct ep_elf *elf);

#pragma GCC visibility pop

#endif

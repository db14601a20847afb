/* SPDX-License-Identifier: MIT */
/* Reading the headers of an ELF file of any class and byte order, for elf.c and segments.c. */
#ifndef ERRPIPE_EXPLAIN_ELF_FILE_H
#define ERRPIPE_EXPLAIN_ELF_FILE_H

#include <elf.h>

#include "explain/explain.h"

#pragma GCC visibility push(hidden)

/* A field of a header. */
struct errpipe__field {
	unsigned char at, size;
};

/* Where things are in the headers of a class. */
struct errpipe__layout {
	unsigned header_size, segment_size;
	struct errpipe__field entry, phoff, flags, phentsize, phnum;
	struct errpipe__field p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz, p_align;
};

/* An ELF file, and its program headers, of which some are in the buffer. */
struct errpipe__elf {
	int fd;
	const struct errpipe__head *head;
	const struct errpipe__layout *layout;
	unsigned order;
	unsigned count, segment_size; /* of program headers; as the file has it */
	uint64_t entry, table;
	unsigned first, loaded; /* in the buffer */
	int error;		/* of reading them, or 0 */
	unsigned char buffer[4096];
};

struct errpipe__segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size, alignment;
};

/* Such as 6012, of what runs here; or 0: not known. What stable versions have got from later ones does not show. */
unsigned errpipe__kernel_version(void);

/* Fill in of the link what the header says of its kind. */
void errpipe__elf_identify(struct errpipe_link *link, const struct errpipe__head *head);

/* The link is identified. */
void errpipe__elf_open(struct errpipe__elf *elf, const struct errpipe_link *link, int fd,
		       const struct errpipe__head *head);

/* e_flags */
uint64_t errpipe__elf_flags(const struct errpipe__elf *elf);

/* How many bytes a header of that class has. */
unsigned errpipe__elf_header_size(unsigned elf_class);

/* How many bytes of program headers there should be. */
unsigned errpipe__elf_table_size(const struct errpipe__elf *elf);

/* load_elf_phdrs() in the kernel's fs/binfmt_elf.c: what is wrong with them, kept. NULL: nothing. */
const char *errpipe__elf_wrong_headers(struct errpipe__case *c, const struct errpipe__elf *elf);

/* Does the file go on to the last of them? */
bool errpipe__elf_has_headers(struct errpipe__elf *elf);

/* The first program header of that type from that index on. Returns its index, or -1: none. */
int errpipe__elf_find(struct errpipe__elf *elf, unsigned index, uint32_t type, struct errpipe__segment *segment);

/* Does it name a loader? Also of a program that cannot be run here, as far as its headers can be read. */
bool errpipe__elf_has_loader(struct errpipe__elf *elf);

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/* What a loader reads in a program or library: the dynamic section, the versions and the notes. */
#ifndef ERRPIPE_EXPLAIN_DYNAMIC_H
#define ERRPIPE_EXPLAIN_DYNAMIC_H

#include "explain/facts/elf_file.h"

#pragma GCC visibility push(hidden)

/* Entries of the dynamic section of which the last one counts. */
enum ep_tag {
	EP_STRTAB,
	EP_SONAME,
	EP_RPATH,
	EP_RUNPATH,
	EP_FLAGS_1,
	EP_VERNEED,
	EP_VERDEF,
	EP_AUDIT,
	EP_DEPAUDIT,
	EP_SYMTAB,
	EP_GNU_HASH,
	EP_VERSYM,
	EP_FLAGS,
	EP_BIND_NOW,
	EP_RELA,
	EP_RELASZ,
	EP_RELACOUNT,
	EP_REL,
	EP_RELSZ,
	EP_JMPREL,
	EP_PLTRELSZ,
	EP_PLTREL,
	EP_TAGS
};

/* Why a library is named in the dynamic section. musl ignores the last two. */
enum ep_need {
	EP_NEEDED,
	EP_FILTER,   /* it is needed as well */
	EP_AUXILIARY /* it is taken if it is there */
};

enum { EP_LOADS_MAX = 16, EP_NEEDED_MAX = 256, EP_WINDOWS = 8, EP_WINDOW = 8192 };

/* A part of the file. */
struct ep_window {
	uint64_t at;
	size_t size;
	unsigned char bytes[EP_WINDOW];
};

/* An ELF file as its loader sees it. */
struct ep_object {
	struct ep_elf elf;
	struct ep_head head;
	unsigned elf_class, order, machine, type;
	struct ep_segment load[EP_LOADS_MAX];
	unsigned loads;
	bool has_dynamic;
	uint64_t dynamic_at; /* in the file */
	bool is_odd;	     /* too large for the room here, or a string or table that cannot be read */

	unsigned tags; /* one bit for each enum ep_tag that it has */
	uint64_t value[EP_TAGS];
	unsigned needed;
	struct {
		uint64_t name; /* for ep_object_string() */
		enum ep_need need;
	} needs[EP_NEEDED_MAX];

	unsigned window_next;
	struct ep_window window[EP_WINDOWS];
};

/* What is wrong with the header of a library, in the order in which glibc looks (open_verify() in its elf/dl-load.c). */
enum ep_header {
	EP_HEADER_OK,
	EP_HEADER_SHORT,   /* too few bytes */
	EP_HEADER_NOT_ELF, /* another magic */
	EP_HEADER_CLASS,   /* 32-bit instead of 64-bit, or the other way round */
	EP_HEADER_MACHINE, /* another machine, or the other byte order */
	EP_HEADER_SYSTEM,  /* another operating system */
	EP_HEADER_TYPE	   /* neither a program nor a library, or damaged */
};

/* What all files of one process have in common. */
struct ep_kind {
	unsigned elf_class, order, machine;
};

/*
 * Read the header. The file has to be of that kind, unless that is NULL. Returns a negative errno, or an enum ep_header;
 * then the members up to type are set.
 */
int ep_object_header(struct ep_object *object, int fd, const struct ep_kind *kind);

/* Read the program headers and the dynamic section. */
void ep_object_read(struct ep_object *object);

/* A table or string at an address: where it is in the file. UINT64_MAX: nowhere. */
uint64_t ep_object_offset(const struct ep_object *object, uint64_t address);

bool ep_object_has(const struct ep_object *object, enum ep_tag tag);

/*
 * A string of the dynamic section, by its offset in the table of strings. It is valid until the next call about this object.
 * NULL: it cannot be read.
 */
const char *ep_object_string(struct ep_object *object, uint64_t offset);

/* The same of a tag. NULL: the object does not have it. */
const char *ep_object_tag_string(struct ep_object *object, enum ep_tag tag);

/* A version that the object needs of a file, or that it defines. */
struct ep_version {
	const char *file; /* NULL: it defines it */
	const char *name;
	uint32_t hash;
	bool is_weak;
	unsigned index; /* of a version that it needs: the number that its symbols have in DT_VERSYM */
};

enum { EP_VERSION_HIDDEN = 0x8000 }; /* a flag in DT_VERSYM */

/* Call each for all versions that it needs, or defines, until it returns nonzero. */
typedef int ep_each_version(void *context, const struct ep_version *version);
void ep_object_needs(struct ep_object *object, ep_each_version *each, void *context);
void ep_object_defines(struct ep_object *object, ep_each_version *each, void *context);

/* x86: the instruction sets that it needs: bit 0 is the baseline, bit N is x86-64-vN+1. 0: it does not say. */
uint32_t ep_object_isa_needed(struct ep_object *object);

/* The kernel that its ABI tag asks for: 6 << 16 | 12 << 8 for Linux 6.12. 0: it has none; UINT32_MAX: another system's. */
uint32_t ep_object_abi_tag(struct ep_object *object);

#pragma GCC visibility pop

#endif

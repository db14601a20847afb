/* SPDX-License-Identifier: MIT */
/* The part of linux/elf.h that dmz/_dmz.c uses, for Frama-C. */
#ifndef MODEL_ELF_H
#define MODEL_ELF_H

typedef struct {
	unsigned char bytes[64];
} Elf64_Ehdr;

typedef struct {
	unsigned p_type, p_flags;
	unsigned long p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} Elf64_Phdr;

#endif

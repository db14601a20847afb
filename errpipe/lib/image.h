/* SPDX-License-Identifier: MIT */
/* Build the list of a setup: actions (dmz/action.h) and the data that they point to, after a copy of the stub. */
#ifndef ERRPIPE_IMAGE_H
#define ERRPIPE_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmz/action.h"

/* Of this machine, as the stub is. */
#if __SIZEOF_LONG__ == 8
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr program_header;
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr program_header;
#endif

#pragma GCC visibility push(hidden)

/*
 * The list is built twice by the same code: first to measure it, without memory, and then to write it. After the first
 * error nothing more is added.
 */
struct ep_image {
	unsigned char *bytes; /* mapped; NULL while measuring */
	size_t size;
	uintptr_t base;	     /* the address at which the bytes will be read */
	size_t actions;	     /* offset of the first action */
	size_t action, data; /* offsets of the next ones */
	int error;	     /* a negative errno, and the step that is wrong */
	unsigned step;
};

/* Where the actions will run: in the stub, which is always at the same address, or in this process and its forks. */
enum ep_place { EP_IN_STUB, EP_HERE };

void ep_image_measure(struct ep_image *image);
/* Allocate the measured size. Returns 0, or a negative errno. After success, call ep_image_free(). */
int ep_image_allocate(struct ep_image *image, enum ep_place place);
void ep_image_free(struct ep_image *image);

void ep_image_refuse(struct ep_image *image, unsigned step, int error);
void ep_image_call(struct ep_image *image, unsigned step, unsigned flags, long number, const long arg[6]);
/* Copy bytes into the image. Returns the address of the copy, as an argument of a call. */
long ep_image_copy(struct ep_image *image, const void *bytes, size_t size);

/* Perform the actions in this process. Returns 0, or a negative errno and the step. */
int ep_image_perform(const struct ep_image *image, unsigned *step);

#pragma GCC visibility pop

#endif

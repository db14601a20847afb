/* SPDX-License-Identifier: MIT */
/* The constant strings of a loader. */
#ifndef ERRPIPE_EXPLAIN_LOADER_TEXT_H
#define ERRPIPE_EXPLAIN_LOADER_TEXT_H

#include "explain/facts/dynamic.h"

#pragma GCC visibility push(hidden)

enum ep_loader_sign {
	EP_SIGN_GLIBC = 1,
	EP_SIGN_MUSL = 2,
	EP_SIGN_ISA_LEVEL = 4, /* checks the level of the CPU */
	EP_SIGN_HWCAPS = 8,    /* looks in subdirectories of glibc-hwcaps */
	EP_SIGN_ABI_TAG = 16,  /* compares ABI tags with the kernel */
	EP_SIGN_NIXOS_STUB = 32,
	EP_SIGN_GCOMPAT = 64, /* glibc's interface on musl, by gcompat */
	EP_SIGN_NO_PIE = 128  /* takes no program for a library, even if it is position-independent */
};

enum { EP_DIRECTORIES_MAX = 8 };

struct ep_loader_text {
	unsigned signs;
	char directory[EP_DIRECTORIES_MAX][256]; /* that are searched by default, without a slash at the end */
	unsigned directories;
	char cache[256], preload[256]; /* its paths of ld.so.cache and ld.so.preload; "": unknown */
	char list[256];		       /* musl: the path of its list of directories; "": unknown */
	bool in_list;		       /* the string before was one of these directories */
	char bytes[8192];
};

/* The object was read by ep_object_read(). */
void ep_loader_text(struct ep_loader_text *loader, struct ep_object *object);

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Symbols that no library defines. The loader binds variables before the program starts, and functions only if the file says
 * so (BIND_NOW). musl's loader binds all.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

enum { STATUS_OF_SYMBOLS = 127, LONGEST_NAME = 40 };

static bool has_symbol(const struct ep_walk *w, int index, const struct ep_walk_symbol *symbol)
{
	return !(symbol->is_copied && index == symbol->owner) &&
	       ep_symbols_have(&w->loaded[index].symbols, symbol->hash);
}

/* The files that had the symbols before this one often have it as well. They come first in the order. */
static bool is_defined(const struct ep_walk *w, const struct ep_walk_symbol *symbol, int *order)
{
	for (int i = 0; i < w->count; i++) {
		int index = order[i];

		if (!has_symbol(w, index, symbol))
			continue;
		memmove(order + 1, order, i * sizeof(*order));
		*order = index;
		return true;
	}
	return false;
}

/* Does the loader bind the symbol at once? If so, *name is the symbol's name, kept. */
static bool must_have(struct ep_walk *w, const struct ep_walk_symbol *symbol, const char **name)
{
	const struct ep_loaded *loaded = &w->loaded[symbol->owner];
	bool now = w->is_musl || w->binds_now || loaded->binds_now, must = false;
	struct ep_readable file;
	const char *text;

	if (ep_walk_open(w, loaded->path, &file) < 0 || file.fd < 0)
		return false;
	if (ep_object_header(&w->object, file.fd, &w->kind) == EP_HEADER_OK) {
		ep_object_read(&w->object);
		must = ep_object_binds(&w->object, symbol->index, now);
	}
	text = must ? ep_object_symbol_name(&w->object, symbol->index) : NULL;
	if (text)
		*name = ep_keep(w->c, "%.*s%s", LONGEST_NAME, text, strlen(text) > LONGEST_NAME ? "..." : "");
	close(file.fd);
	return text;
}

static bool needs_glibc(const struct ep_walk *w, const struct ep_loaded *loaded)
{
	for (unsigned i = 0; i < loaded->names; i++) {
		if (strcmp(w->name[loaded->first_name + i].name, "libc.so.6") == 0)
			return true;
	}
	return false;
}

static int symbol_missing(struct ep_walk *w, int owner, const char *name)
{
	const struct ep_loaded *loaded = &w->loaded[owner];
	bool of_glibc = w->is_musl && needs_glibc(w, loaded);
	struct ep_finding finding = {
		.cause = of_glibc ? ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC : ERRPIPE_CAUSE_SYMBOL_MISSING,
		.detail = of_glibc ? ERRPIPE_DETAIL_OTHER_LOADER : ERRPIPE_DETAIL_NONE,
		.status = STATUS_OF_SYMBOLS,
		.subject = name,
		.needer = ep_walk_tell(w, loaded->path),
		.needs_libc = of_glibc ? ep_libc_name(EP_GLIBC) : NULL,
		.has_libc = of_glibc ? ep_libc_name(EP_MUSL) : NULL,
	};

	if (loaded->library >= 0)
		w->c->ex->library[loaded->library].fault = finding.cause;
	return ep_finding_set(w->c, w->running->link, finding);
}

/* glibc begins with the last file, musl with the first library, and then the program. */
static int owner_at(const struct ep_walk *w, int i)
{
	return w->is_musl ? (i + 1) % w->count : w->count - 1 - i;
}

static int check_owner(struct ep_walk *w, int owner, int *order, unsigned *tries)
{
	enum { TRIES_MAX = 16 };
	const char *name;

	for (unsigned i = w->loaded[owner].first_symbol; i < w->symbols && w->symbol[i].owner == owner; i++) {
		if (is_defined(w, &w->symbol[i], order))
			continue;
		if (++*tries > TRIES_MAX)
			return 0;
		if (must_have(w, &w->symbol[i], &name))
			return symbol_missing(w, owner, name);
	}
	return 0;
}

int ep_walk_symbols(struct ep_walk *w)
{
	int order[EP_LOADED_MAX] = { 0 };
	unsigned tries = 0;

	if (!w->certain || w->lacks_symbols)
		return 0;
	for (int i = 0; i < w->count; i++)
		order[i] = i;
	for (int i = 0; i < w->count; i++) {
		if (check_owner(w, owner_at(w, i), order, &tries) < 0)
			return -1;
	}
	return 0;
}

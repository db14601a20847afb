/* SPDX-License-Identifier: MIT */
/*
 * The constant strings of a loader show its C library, and the directories that were built into it. Distributions differ
 * in these, and a loader can be of another C library than its name shows.
 */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/dynamic.h"
#include "explain/facts/loader_text.h"

/* A sign at the beginning of one of its strings. */
static const struct {
	const char *text;
	enum ep_loader_sign sign;
} signs[] = {
	{ "error while loading shared libraries", EP_SIGN_GLIBC },
	{ "Error loading shared library", EP_SIGN_MUSL },
	{ "CPU ISA level is lower than required", EP_SIGN_ISA_LEVEL },
	{ "--glibc-hwcaps-prepend", EP_SIGN_HWCAPS },
	{ "cannot dynamically load position-independent executable", EP_SIGN_NO_PIE },
	{ "FATAL: kernel too old", EP_SIGN_ABI_TAG },
	{ "libgcompat", EP_SIGN_GCOMPAT },
	{ "/lib/libgcompat", EP_SIGN_GCOMPAT },
	{ "Could not start dynamically linked executable", EP_SIGN_NIXOS_STUB },
	{ "NixOS cannot run", EP_SIGN_NIXOS_STUB },
};

static void take_signs(struct ep_loader_text *loader, const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t size = strlen(signs[i].text);

		if (*text == *signs[i].text && length >= size && memcmp(text, signs[i].text, size) == 0)
			loader->signs |= signs[i].sign;
	}
}

/* "/lib/x86_64-linux-gnu/" of "/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/": side by side. */
static bool is_directory(const char *text, size_t length)
{
	if (length <= 4 || *text != '/' || text[length - 1] != '/')
		return false;
	for (size_t i = 0; i + 4 < length; i++) {
		if (memcmp(text + i, "/lib", 4) == 0)
			return true;
	}
	return false;
}

/* The strings follow each other, with one NUL between them. */
static void take_directory(struct ep_loader_text *loader, const char *text, size_t length, bool follows)
{
	bool is_next = loader->in_list && follows;

	loader->in_list = is_directory(text, length) && (!loader->directories || is_next) &&
			  loader->directories < EP_DIRECTORIES_MAX && length < sizeof(loader->directory[0]);
	if (!loader->in_list)
		return;
	memcpy(loader->directory[loader->directories], text, length - 1);
	loader->directory[loader->directories++][length - 1] = '\0';
}

static void take_path(char *to, size_t size, const char *text, size_t length, const char *end)
{
	size_t tail = strlen(end);

	if (*to || length >= size || length <= tail || *text != '/' || memcmp(text + length - tail, end, tail) != 0)
		return;
	memcpy(to, text, length);
	to[length] = '\0';
}

/* musl has a format for the path of its list of directories: "%.*s/etc/ld-musl-x86_64.path". */
static void take_list(struct ep_loader_text *loader, const char *text, size_t length)
{
	static const char before[] = "%.*s";
	size_t size = sizeof(before) - 1;

	if (length > size && memcmp(text, before, size) == 0)
		take_path(loader->list, sizeof(loader->list), text + size, length - size, ".path");
}

static void take_string(struct ep_loader_text *loader, const char *text, size_t length, bool follows)
{
	enum { SHORTEST = 5 };

	if (length < SHORTEST) {
		loader->in_list = false;
		return;
	}
	take_signs(loader, text, length);
	take_directory(loader, text, length, follows);
	if (text[length - 1] == 'e')
		take_path(loader->cache, sizeof(loader->cache), text, length, "/ld.so.cache");
	if (text[length - 1] == 'd')
		take_path(loader->preload, sizeof(loader->preload), text, length, "/ld.so.preload");
	if (text[length - 1] == 'h')
		take_list(loader, text, length);
}

/* All strings that end within the bytes. Returns how many bytes these are. */
static size_t take_strings(struct ep_loader_text *loader, const char *bytes, size_t size)
{
	const char *p = bytes, *end = bytes + size;
	bool follows = true;

	while (p < end) {
		const char *nul = memchr(p, '\0', end - p);

		if (!nul)
			break;
		if (nul != p)
			take_string(loader, p, nul - p, follows);
		follows = nul != p;
		p = nul + 1;
	}
	return p - bytes;
}

/* A part of the file. A string that is not complete in one piece is the beginning of the next one. */
static void read_part(struct ep_loader_text *loader, int fd, uint64_t at, uint64_t size)
{
	enum { LARGEST = 1 << 20 };
	uint64_t end = size < LARGEST ? at + size : at + LARGEST;
	size_t there = 0;

	loader->in_list = false;
	while (at < end) {
		uint64_t room = sizeof(loader->bytes) - there, left = end - at;
		ssize_t n = ep_pread(fd, loader->bytes + there, room < left ? room : left, at);
		size_t taken;

		if (n <= 0)
			return;
		at += n;
		there += n;
		taken = take_strings(loader, loader->bytes, there);
		if (!taken && there == sizeof(loader->bytes))
			taken = there; /* not a string */
		there -= taken;
		memmove(loader->bytes, loader->bytes + taken, there);
	}
}

/* Constants are in segments that can neither be written nor executed. Older linkers put them beside the code. */
static void read_segments(struct ep_loader_text *loader, struct ep_object *object, bool code)
{
	for (unsigned i = 0; i < object->loads; i++) {
		const struct ep_segment *load = &object->load[i];

		if (!(load->flags & PF_W) && !(load->flags & PF_X) != code)
			read_part(loader, object->elf.fd, load->offset, load->file_size);
	}
}

void ep_loader_text(struct ep_loader_text *loader, struct ep_object *object)
{
	loader->signs = 0;
	loader->directories = 0;
	*loader->cache = *loader->preload = *loader->list = '\0';
	read_segments(loader, object, false);
	if (!loader->signs)
		read_segments(loader, object, true);
}

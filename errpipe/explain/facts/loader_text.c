/* SPDX-License-Identifier: MIT */
/*
 * The constant strings of a loader show its C library, and the directories that were built into it. Distributions differ
 * in these, and a loader can be of another C library than its name shows.
 */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/dynamic.h"
#include "explain/facts/loader_text.h"

/* A sign within one of its strings. */
static const struct {
	const char *text;
	enum ep_loader_sign sign;
} signs[] = {
	{ "error while loading shared libraries", EP_SIGN_GLIBC },
	{ "Error loading shared library", EP_SIGN_MUSL },
	{ "CPU ISA level is lower than required", EP_SIGN_ISA_LEVEL },
	{ "--glibc-hwcaps-prepend", EP_SIGN_HWCAPS },
	{ "FATAL: kernel too old", EP_SIGN_ABI_TAG },
	{ "NixOS cannot run", EP_SIGN_NIXOS_STUB },
	{ "libgcompat", EP_SIGN_GCOMPAT },
};

static bool contains(const char *text, size_t length, const char *part)
{
	size_t size = strlen(part);

	for (const char *p = text; length >= size;) {
		const char *next = memchr(p, *part, length - size + 1);

		if (!next)
			return false;
		if (memcmp(next, part, size) == 0)
			return true;
		length -= next + 1 - p;
		p = next + 1;
	}
	return false;
}

static void take_signs(struct ep_loader_text *loader, const char *text, size_t length)
{
	enum { SHORTEST = 10 };

	if (length < SHORTEST)
		return;
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (!(loader->signs & signs[i].sign) && contains(text, length, signs[i].text))
			loader->signs |= signs[i].sign;
	}
}

/* "/lib/x86_64-linux-gnu/" of "/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/": side by side. */
static bool is_directory(const char *text, size_t length)
{
	return length > 4 && text[0] == '/' && text[length - 1] == '/' && contains(text, length, "/lib");
}

/* The strings follow each other, with one NUL between them. */
static void take_directory(struct ep_loader_text *loader, const char *text, size_t length)
{
	bool is_next = loader->after && text == loader->after + 1;

	if (!is_directory(text, length) || (loader->directories && !is_next)) {
		loader->after = NULL;
		return;
	}
	if (loader->directories == EP_DIRECTORIES_MAX || length >= sizeof(loader->directory[0]))
		return;
	memcpy(loader->directory[loader->directories], text, length - 1);
	loader->directory[loader->directories++][length - 1] = '\0';
	loader->after = text + length;
}

static void take_path(char *to, size_t size, const char *text, size_t length, const char *end)
{
	size_t tail = strlen(end);

	if (*to || length >= size || length <= tail || *text != '/' || memcmp(text + length - tail, end, tail) != 0)
		return;
	memcpy(to, text, length);
	to[length] = '\0';
}

static void take_string(struct ep_loader_text *loader, const char *text, size_t length)
{
	take_signs(loader, text, length);
	take_directory(loader, text, length);
	take_path(loader->cache, sizeof(loader->cache), text, length, "/ld.so.cache");
	take_path(loader->preload, sizeof(loader->preload), text, length, "/ld.so.preload");
}

static void take_bytes(struct ep_loader_text *loader, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	loader->after = NULL;
	while (bytes < end) {
		const char *nul = memchr(bytes, '\0', end - bytes);

		if (!nul)
			break;
		if (nul != bytes)
			take_string(loader, bytes, nul - bytes);
		bytes = nul + 1;
	}
	loader->after = NULL;
}

/* Constants are in segments that can neither be written nor executed. Older linkers put them beside the code. */
static void read_segments(struct ep_loader_text *loader, struct ep_object *object, bool code)
{
	for (unsigned i = 0; i < object->loads; i++) {
		const struct ep_segment *load = &object->load[i];
		uint64_t size = load->file_size < sizeof(loader->bytes) ? load->file_size : sizeof(loader->bytes);
		ssize_t n;

		if (load->flags & PF_W || !(load->flags & PF_X) == code)
			continue;
		n = ep_pread(object->elf.fd, loader->bytes, size, load->offset);
		if (n > 0)
			take_bytes(loader, loader->bytes, n);
	}
}

void ep_loader_text(struct ep_loader_text *loader, struct ep_object *object)
{
	loader->signs = 0;
	loader->directories = 0;
	*loader->cache = *loader->preload = '\0';
	read_segments(loader, object, false);
	if (!loader->signs)
		read_segments(loader, object, true);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image.h"
#include "internal.h"

enum { ALIGNMENT = 8 };

/* More than any setup needs: groups and a filter take 300 kB at most. The limit keeps sums of sizes from overflowing. */
#define IMAGE_MAX ((size_t)1 << 24)

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) & -(size_t)ALIGNMENT;
}

void ep_image_measure(struct ep_image *image)
{
	*image = (struct ep_image){ .data = aligned(ep_stub_size) };
}

/* The program headers are in the order of dmz/dmz.lds. */
static void put_headers(struct ep_image *image)
{
	program_header *headers = (program_header *)(image->bytes + sizeof(elf_header));

	headers[0].p_filesz = headers[0].p_memsz = image->size;
	headers[1].p_paddr = image->base + image->actions;
}

int ep_image_allocate(struct ep_image *image, enum ep_place place)
{
	const struct dmz_action last = { .step = DMZ_LAST };

	image->actions = image->data;
	image->size = image->actions + image->action + sizeof(last);
	if (image->size > IMAGE_MAX)
		return -E2BIG;
	image->bytes = mmap(NULL, image->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (image->bytes == MAP_FAILED)
		return -errno;
	image->base = place == EP_IN_STUB ? DMZ_BASE : (uintptr_t)image->bytes;
	image->data = aligned(ep_stub_size);
	image->action = image->actions;
	memcpy(image->bytes, ep_stub_bytes, ep_stub_size);
	memcpy(image->bytes + image->size - sizeof(last), &last, sizeof(last));
	put_headers(image);
	return 0;
}

void ep_image_free(struct ep_image *image)
{
	if (image->bytes)
		munmap(image->bytes, image->size);
	image->bytes = NULL;
}

void ep_image_refuse(struct ep_image *image, unsigned step, int error)
{
	if (image->error)
		return;
	image->step = step;
	image->error = -error;
}

void ep_image_call(struct ep_image *image, unsigned step, unsigned flags, long number, const long arg[6])
{
	struct dmz_action action = { .step = step, .flags = flags, .number = number };

	if (image->error)
		return;
	memcpy(action.arg, arg, sizeof(action.arg));
	if (image->bytes)
		memcpy(image->bytes + image->action, &action, sizeof(action));
	image->action += sizeof(action);
}

long ep_image_copy(struct ep_image *image, const void *bytes, size_t size)
{
	size_t at = image->data;

	if (size > IMAGE_MAX || at > IMAGE_MAX)
		ep_image_refuse(image, 0, E2BIG);
	if (image->error)
		return 0;
	image->data += aligned(size);
	if (!image->bytes || !size)
		return 0;
	memcpy(image->bytes + at, bytes, size);
	return image->base + at;
}

/* The same loop as in dmz/_dmz.c. */
int ep_image_perform(const struct ep_image *image, unsigned *step)
{
	const struct dmz_action *action = (const struct dmz_action *)(image->bytes + image->actions);
	long ret = 0;

	for (; action->step != DMZ_LAST; action++) {
		const long *arg = action->arg;

		ret = syscall(action->number, action->flags & DMZ_USE_RESULT ? ret : arg[0], arg[1], arg[2], arg[3],
			      arg[4], arg[5]);
		if (ret < 0 && !(action->flags & DMZ_IGNORE_FAILURE)) {
			*step = action->step;
			return -errno;
		}
		if (action->flags & DMZ_IGNORE_FAILURE)
			ret = 0;
	}
	return 0;
}

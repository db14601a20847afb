/* SPDX-License-Identifier: MIT */
/* Limits of the process that its loader meets before the program does: RLIMIT_AS, RLIMIT_DATA and RLIMIT_NOFILE. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/program/walk.h"

/* Standard input, output and error take the first descriptors. */
enum { FILES_OPEN = 3 };

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct pages {
	uint64_t start, end;
};

static struct pages pages_of(const struct ep_segment *segment)
{
	uint64_t last_byte = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	return (struct pages){ segment->address & ~last_byte,
			       sum(sum(segment->address, segment->memory_size), last_byte) & ~last_byte };
}

/* Loaders map a library as a whole, and never unmap a part of it. */
static uint64_t span_of(const struct ep_object *object)
{
	struct pages all = { UINT64_MAX, 0 };

	for (unsigned i = 0; i < object->loads; i++) {
		struct pages pages = pages_of(&object->load[i]);

		if (pages.start < all.start)
			all.start = pages.start;
		if (pages.end > all.end)
			all.end = pages.end;
	}
	return all.end > all.start ? all.end - all.start : 0;
}

/* The kernel counts writable pages. They become read-only (PT_GNU_RELRO) after all libraries are mapped. */
static uint64_t data_of(const struct ep_object *object)
{
	uint64_t size = 0, high = 0;

	for (unsigned i = 0; i < object->loads; i++) {
		struct pages pages = pages_of(&object->load[i]);

		if (!(object->load[i].flags & PF_W) || pages.end <= high)
			continue;
		size = sum(size, pages.end - (pages.start > high ? pages.start : high));
		high = pages.end;
	}
	return size;
}

/* ld.so itself may have made its data read-only by then, so that does not count. */
void ep_walk_limits(struct ep_walk *w)
{
	bool is_native = ep_support(w->running->link) != EP_FOREIGN;

	w->address_limit = is_native ? ep_address_limit(w->c) : UINT64_MAX;
	w->data_limit = is_native ? ep_data_limit(w->c, &w->data_certainty) : UINT64_MAX;
	w->data = data_of(&w->object);
}

static struct ep_finding too_much(const struct ep_walk *w, uint64_t addresses, uint64_t data)
{
	const struct errpipe_question *question = w->c->question;
	bool is_data = addresses <= w->address_limit;

	return (struct ep_finding){
		.cause = ERRPIPE_CAUSE_LIBRARY_LIMIT,
		.object = is_data ? "RLIMIT_DATA" : "RLIMIT_AS",
		.detail = ep_detail_of_limit(is_data ? question->limit_data : question->limit_address_space),
		.number = is_data ? data : addresses,
		.limit = is_data ? w->data_limit : w->address_limit,
		.certainty = is_data ? w->data_certainty : 0,
	};
}

bool ep_walk_fits(struct ep_walk *w, struct ep_finding *finding)
{
	uint64_t span = span_of(&w->object), size = data_of(&w->object);
	uint64_t addresses = sum(ep_addresses_taken(w->c), span), data = sum(w->data, size);

	if (addresses > w->address_limit || data > w->data_limit) {
		*finding = too_much(w, addresses, data);
		return false;
	}
	w->c->addresses = sum(w->c->addresses, span);
	w->c->data = sum(w->c->data, size);
	w->data = data;
	return true;
}

/*
 * A program that only exits takes 16 KiB of stack, and up to 2 MiB of address space and 256 KiB of data besides its files. Of
 * these its loader takes a part for itself, and stops with its usual status if that fails.
 */
enum {
	LITTLE_STACK = 64 << 10,
	LITTLE_SPACE = 2 << 20,
	LITTLE_DATA = 256 << 10,
	SPACE_OF_LOADER = 512 << 10,
	DATA_OF_LOADER = 64 << 10
};

static int find_small_limit(struct ep_check *c, const struct ep_running *running, int status)
{
	const struct errpipe_question *question = c->question;
	const uint64_t space = ep_addresses_taken(c), data = c->data;
	enum errpipe_certainty certainty;
	const struct {
		const char *name;
		uint64_t asked, limit, needed;
	} limits[] = {
		{ "RLIMIT_STACK", question->limit_stack, ep_limit_of_stack(c), status ? 0 : LITTLE_STACK },
		{ "RLIMIT_AS", question->limit_address_space, ep_address_limit(c),
		  sum(space, status ? SPACE_OF_LOADER : LITTLE_SPACE) },
		{ "RLIMIT_DATA", question->limit_data, ep_data_limit(c, &certainty),
		  sum(data, status ? DATA_OF_LOADER : LITTLE_DATA) },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (limits[i].limit < limits[i].needed)
			return ep_finding_set(c, running->link,
					      (struct ep_finding){
						      .cause = ERRPIPE_CAUSE_SMALL_LIMIT,
						      .certainty = ERRPIPE_LIKELY,
						      .status = status,
						      .object = limits[i].name,
						      .detail = ep_detail_of_limit(limits[i].asked),
						      .limit = limits[i].limit,
					      });
	}
	return 0;
}

int ep_small_limit(struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_report *report = c->question->report;

	if (!report || report->status == -1)
		return 0;
	if (WIFSIGNALED(report->status) && WTERMSIG(report->status) == SIGSEGV)
		return find_small_limit(c, running, 0);
	if (running->loader && WIFEXITED(report->status) && WEXITSTATUS(report->status) == EP_STATUS_OF_LOADERS)
		return find_small_limit(c, running, EP_STATUS_OF_LOADERS);
	return 0;
}

bool ep_walk_may_open(const struct ep_walk *w)
{
	uint64_t limit = w->c->question->limit_files;

	return !limit || ep_asked_limit(limit) > FILES_OPEN;
}

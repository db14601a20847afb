/* SPDX-License-Identifier: MIT */
/*
 * The segments of an ELF file: load_elf_binary() in the kernel's fs/binfmt_elf.c maps them after the point of no return, so
 * a fault kills the process. Tried with Linux 6.18 and 6.1, read in 6.12 and 6.1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/facts/elf_file.h"
#include "explain/kernel/kernel.h"

enum { CAP_SYS_RAWIO = 17 };

/*
 * cap_mmap_addr() in security/commoncap.c. Root has the capability after the exec, if it may; others could have it in
 * their ambient set, if they have it now.
 */
static uint64_t lowest_address(const struct ep_check *c)
{
	const struct errpipe_who *who = &c->who;
	uint64_t capabilities = who->uid == 0 ? who->bounding | who->effective : who->effective;

	return capabilities >> CAP_SYS_RAWIO & 1 ? 0 : ep_read_number("/proc/sys/vm/mmap_min_addr");
}

static uint64_t page_size(void)
{
	long page = sysconf(_SC_PAGESIZE);

	return page > 0 ? page : 4096;
}

static uint64_t page_start(uint64_t address)
{
	return address & ~(page_size() - 1);
}

/* Rounds down where rounding up would overflow. */
static uint64_t page_end(uint64_t address)
{
	uint64_t start = page_start(address);

	return start == address || start > UINT64_MAX - page_size() ? start : start + page_size();
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* All segments together. */
struct image {
	unsigned loaded;
	uint64_t first;	     /* the address of the first segment, which decides where the kernel puts all */
	uint64_t low, high;  /* addresses */
	uint64_t mapped_low; /* the lowest address of a segment that has any bytes in memory */
	uint64_t alignment;  /* the largest p_align */
	bool first_is_writable;
	bool first_is_empty;   /* without bytes in the file */
	unsigned outermost;    /* index of the last segment that has extended low or high */
	uint64_t size;	       /* the mapped bytes, with each shared page counted once; never too many */
	uint64_t data;	       /* the part of size that is writable or not in the file */
	uint64_t file_end;     /* the last byte that is in the file, or should be */
	uint64_t file_top;     /* the highest address with bytes of the file */
	bool top_is_constant;  /* there, nothing can be written */
	bool has_entry;	       /* the entry point is on a page of a segment */
	bool entry_is_missing; /* the file ends before the page that the entry point is in */
	bool zeros_are_lost;   /* the file ends before a page of which the kernel clears the rest */
	bool wraps;	       /* around the end of all addresses, as a loader's may */
};

/* The kernel kills the process, so the error is 0. */
static int kills(struct ep_check *c, const struct errpipe_link *link, enum errpipe_cause cause, uint64_t number,
		 uint64_t limit)
{
	return ep_finding_set(c, link, (struct ep_finding){ .cause = cause, .number = number, .limit = limit });
}

/* The kernel places a loader of type ET_DYN anywhere, whatever its addresses. */
static bool is_above_all(const struct errpipe_link *link, const struct ep_segment *segment)
{
	uint64_t size = segment->memory_size ? segment->memory_size - 1 : 0;
	bool floats = link->kind == ERRPIPE_LINK_LOADER && link->type == ET_DYN;

	return ep_is_beyond_addresses(link, floats ? size : sum(segment->address, size));
}

/* file_mmap_ok() in mm/mmap.c: a file ends before 2^63. */
static bool is_beyond_files(const struct ep_segment *segment)
{
	uint64_t size = page_end(sum(segment->file_size, segment->address - page_start(segment->address)));

	return segment->file_size && (size > INT64_MAX || page_start(segment->offset) > page_start(INT64_MAX - size));
}

/*
 * Segments may overlap each other: the later one counts (MAP_FIXED, since Linux 5.4). But the stack exists already, and
 * the first segment must not be mapped over it. On x86-64 the top of the stack is within 16 GiB of the end of 47 bits
 * (STACK_RND_MASK).
 */
static bool overlaps_stack(const struct errpipe_link *link, const struct ep_segment *segment)
{
	const uint64_t end = UINT64_C(1) << 47, range = (UINT64_C(16) << 30) + UINT64_C(128) * 1024;

	return link->machine == EM_X86_64 && link->elf_class == ELFCLASS64 && link->type == ET_EXEC &&
	       link->kind != ERRPIPE_LINK_LOADER && segment->address <= end - range - 2 * page_size() &&
	       page_end(sum(segment->address, segment->file_size)) >= end - page_size();
}

/* A segment without bytes in the file needs no alignment, at least since Linux 6.6. */
static bool is_misaligned(const struct ep_segment *segment)
{
	return segment->file_size && (segment->address ^ segment->offset) & (page_size() - 1);
}

/* The most memory that a segment may ask for, with the usual overcommit (__vm_enough_memory() in mm/util.c). */
static uint64_t most_memory(void)
{
	struct sysinfo info;

	if (ep_read_number("/proc/sys/vm/overcommit_memory") != 0 || sysinfo(&info) < 0)
		return UINT64_MAX;
	return ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
}

static uint64_t zeroed_size(const struct ep_segment *segment)
{
	uint64_t end = page_end(sum(segment->address, segment->memory_size));
	uint64_t from = page_end(sum(segment->address, segment->file_size));

	return end > from ? end - from : 0;
}

/* Limits of the machine for all segments. */
struct limits {
	uint64_t lowest; /* address */
	uint64_t memory; /* for one segment */
};

static int check_segment(struct ep_check *c, const struct errpipe_link *link, unsigned index,
			 const struct ep_segment *segment, const struct limits *limits)
{
	if (segment->file_size > segment->memory_size)
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_SIZE, index, 0);
	if (is_above_all(link, segment))
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_ADDRESS, index, 0);
	if (is_misaligned(segment))
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, index, page_size());
	if (is_beyond_files(segment))
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_OFFSET, index, 0);
	if (link->type == ET_EXEC && segment->memory_size && page_start(segment->address) < limits->lowest)
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_ADDRESS, index, limits->lowest);
	if (zeroed_size(segment) > limits->memory)
		return kills(c, link, ERRPIPE_CAUSE_ADDRESS_SPACE, segment->memory_size, 0);
	return 0;
}

static bool has_entry(const struct ep_elf *elf, const struct ep_segment *segment)
{
	return elf->entry >= segment->address && elf->entry - segment->address < segment->file_size;
}

static bool is_missing(const struct errpipe_link *link, uint64_t offset)
{
	return page_start(offset) >= page_end(link->size);
}

/* padzero() fails only if the segment is writable. */
static bool loses_zeros(const struct errpipe_link *link, const struct ep_segment *segment)
{
	uint64_t end = sum(segment->offset, segment->file_size);

	return segment->flags & PF_W && segment->file_size && segment->memory_size > segment->file_size &&
	       end != page_start(end) && is_missing(link, end);
}

static uint64_t size_above(uint64_t high, uint64_t from, uint64_t to)
{
	if (from < high)
		from = high;
	return to > from ? to - from : 0;
}

/* RLIMIT_DATA counts writable segments (may_expand_vm() in mm/mmap.c), and the zeros after any segment. */
static void add_data(struct image *image, const struct ep_segment *segment)
{
	uint64_t start = page_start(segment->address), end = page_end(sum(segment->address, segment->memory_size));
	uint64_t bytes = segment->file_size ? page_end(sum(segment->address, segment->file_size)) : start;

	if (segment->flags & PF_W)
		image->data = sum(image->data, size_above(image->high, start, bytes));
	image->data = sum(image->data, size_above(image->high, bytes, end));
}

static void add_addresses(struct image *image, const struct ep_segment *segment, unsigned index)
{
	uint64_t start = page_start(segment->address), last = sum(segment->address, segment->memory_size);
	uint64_t end = page_end(last);

	if (last == UINT64_MAX)
		image->wraps = true;
	if (!image->loaded) {
		image->first = image->low = start;
		image->first_is_writable = segment->flags & PF_W;
		image->first_is_empty = !segment->file_size;
	}
	/* Only powers of 2 count: maximum_alignment() in fs/binfmt_elf.c. */
	if (segment->alignment > image->alignment && !(segment->alignment & (segment->alignment - 1)))
		image->alignment = segment->alignment;
	image->size = sum(image->size, size_above(image->high, start, end));
	if (start < image->low || end > image->high)
		image->outermost = index;
	if (start < image->low)
		image->low = start;
	if (segment->memory_size && start < image->mapped_low)
		image->mapped_low = start;
	if (end > image->high)
		image->high = end;
}

static void add_bytes(struct image *image, const struct ep_segment *segment)
{
	uint64_t end = sum(segment->offset, segment->file_size), top = sum(segment->address, segment->file_size);

	if (segment->file_size && end > image->file_end)
		image->file_end = end;
	if (top > image->file_top) {
		image->file_top = top;
		image->top_is_constant = !(segment->flags & PF_W);
	}
}

static bool is_on_page_of(uint64_t address, const struct ep_segment *segment)
{
	return segment->memory_size && address >= page_start(segment->address) &&
	       address - page_start(segment->address) <
		       page_end(sum(segment->address, segment->memory_size)) - page_start(segment->address);
}

static void add_segment(struct image *image, const struct ep_elf *elf, const struct errpipe_link *link,
			const struct ep_segment *segment, unsigned index)
{
	add_data(image, segment);
	add_addresses(image, segment, index);
	add_bytes(image, segment);
	image->loaded++;
	if (is_on_page_of(elf->entry, segment))
		image->has_entry = true;
	if (has_entry(elf, segment) && is_missing(link, sum(elf->entry - segment->address, segment->offset)))
		image->entry_is_missing = true;
	if (loses_zeros(link, segment))
		image->zeros_are_lost = true;
}

/* The kernel gives the stack that much before it maps anything else (setup_arg_pages() in fs/exec.c). */
enum { STACK = 128 * 1024 };

static uint64_t limit_of(uint64_t asked, int resource)
{
	struct rlimit limit;

	if (asked)
		return ep_asked_limit(asked);
	return getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

enum errpipe_detail ep_detail_of_limit(uint64_t asked)
{
	return asked ? ERRPIPE_DETAIL_CONFIGURED_LIMIT : ERRPIPE_DETAIL_NONE;
}

uint64_t ep_address_limit(const struct ep_check *c)
{
	return limit_of(c->question->limit_address_space, RLIMIT_AS);
}

uint64_t ep_limit_of_stack(const struct ep_check *c)
{
	return limit_of(c->question->limit_stack, RLIMIT_STACK);
}

uint64_t ep_addresses_taken(const struct ep_check *c)
{
	uint64_t stack = ep_limit_of_stack(c);

	return sum(c->addresses, stack < STACK ? page_start(stack) : STACK);
}

/* The loader adds to its program. */
static int check_address_space(struct ep_check *c, const struct errpipe_link *link, const struct image *image)
{
	uint64_t limit = ep_address_limit(c);
	uint64_t size = link->type == ET_DYN ? image->high - image->low : image->size;

	size = sum(size, ep_addresses_taken(c));
	c->addresses = sum(c->addresses, image->size);
	if (size <= limit || image->wraps)
		return 0;
	kills(c, link, ERRPIPE_CAUSE_ADDRESS_SPACE, size, limit);
	c->ex->detail = ep_detail_of_limit(c->question->limit_address_space);
	return -1;
}

static bool begins_itself(const struct errpipe_link *link)
{
	return !link->dynamic || link->kind == ERRPIPE_LINK_LOADER;
}

/* The kernel maps the first segment, if it has bytes in the file, as large as all segments together, and then cuts it off. */
static bool is_mapped_at_once(const struct errpipe_link *link, const struct image *image)
{
	return (link->type == ET_DYN || link->kind == ERRPIPE_LINK_LOADER) && !image->first_is_empty;
}

/* The size of that mapping if it counts as memory, or 0. */
static uint64_t size_at_once(const struct errpipe_link *link, const struct image *image)
{
	return is_mapped_at_once(link, image) && image->first_is_writable && !image->wraps ? image->high - image->low
											   : 0;
}

/* With a soft limit of 0, for Valgrind's sake, the hard limit counts (may_expand_vm() in mm/mmap.c). */
static uint64_t configured_data_limit(const struct ep_check *c)
{
	struct rlimit limit;

	if (c->question->limit_data)
		return page_start(ep_asked_limit(c->question->limit_data));
	if (getrlimit(RLIMIT_DATA, &limit) < 0)
		return UINT64_MAX;
	if (!limit.rlim_cur)
		limit.rlim_cur = limit.rlim_max;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : page_start(limit.rlim_cur);
}

/* Before Linux 4.7 the limit was for the heap only. */
uint64_t ep_data_limit(const struct ep_check *c, enum errpipe_certainty *certainty)
{
	uint64_t limit = configured_data_limit(c);
	char ignored[8];
	ssize_t n;

	*certainty = 0;
	if (limit == UINT64_MAX || ep_kernel_version() < 4007)
		return UINT64_MAX;
	n = ep_read_text(AT_FDCWD, "/sys/module/kernel/parameters/ignore_rlimit_data", ignored, sizeof(ignored));
	if (n <= 0)
		*certainty = ERRPIPE_LIKELY;
	return n > 0 && *ignored == 'Y' ? UINT64_MAX : limit;
}

/* The data of a loader adds to that of its program. */
static int check_data(struct ep_check *c, const struct errpipe_link *link, const struct image *image)
{
	uint64_t at_once = size_at_once(link, image), data, limit;
	enum errpipe_certainty certainty;

	data = sum(c->data, image->data > at_once ? image->data : at_once);
	c->data = sum(c->data, image->data);
	limit = ep_data_limit(c, &certainty);
	if (data <= limit || image->wraps)
		return 0;
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_DATA_LIMIT,
				      .certainty = certainty,
				      .detail = ep_detail_of_limit(c->question->limit_data),
				      .number = data,
				      .limit = limit,
			      });
}

static bool was_killed_by(const struct errpipe_report *report, int signal)
{
	return report->status != -1 && WIFSIGNALED(report->status) && WTERMSIG(report->status) == signal;
}

enum fit { FITS, MAY_FIT, DOES_NOT_FIT };

/* Programs with a loader since Linux 5.10 (commit ce81bb256a22), others since 6.10 (3545deff0ec7), loaders never. */
static uint64_t alignment_that_counts(const struct errpipe_link *link, const struct image *image)
{
	unsigned version = ep_kernel_version();

	if (link->kind == ERRPIPE_LINK_LOADER || (version && version < (link->dynamic ? 5010 : 6010)))
		return 1;
	return image->alignment > page_size() ? image->alignment : 1;
}

/* The kernel reserves nothing above it if the first segment is empty. */
static uint64_t size_from_first(const struct errpipe_link *link, const struct image *image)
{
	return image->high - (is_mapped_at_once(link, image) ? image->low : image->first);
}

/* Trap: a first segment without bytes in the file goes to address 0, unless the program has a loader. */
static bool begins_at_zero(const struct errpipe_link *link, const struct image *image)
{
	return begins_itself(link) && image->first_is_empty;
}

/* The first segment goes to an aligned address, and the lower ones before it. */
static enum fit fit_at_base(const struct errpipe_link *link, const struct image *image, uint64_t lowest)
{
	uint64_t size = size_from_first(link, image), needed = image->first - image->low;
	uint64_t alignment = alignment_that_counts(link, image), stack = UINT64_C(32) << 30;
	bool is_searched = begins_itself(link) && !begins_at_zero(link, image);
	struct ep_bases bases = ep_bases(link, size);

	if (is_searched && !needed && alignment == 1)
		return FITS;
	if (begins_at_zero(link, image))
		bases = (struct ep_bases){ 0, 0 };
	if (sum(image->first, lowest) > sum(image->mapped_low, needed))
		needed = image->first + lowest - image->mapped_low;
	if ((bases.high & ~(alignment - 1)) < needed)
		return DOES_NOT_FIT;
	if ((bases.low & ~(alignment - 1)) < needed)
		return MAY_FIT;
	if (!is_searched && sum(sum(bases.high, size), stack) > ep_room(link, UINT64_C(1) << 63))
		return MAY_FIT; /* the stack may be in the way */
	return FITS;
}

static enum fit fit(const struct errpipe_link *link, const struct image *image, uint64_t lowest)
{
	uint64_t size = size_from_first(link, image), span = size;

	if (image->high == image->low || image->wraps || (link->type == ET_EXEC && !is_mapped_at_once(link, image)))
		return FITS;
	if (link->type == ET_EXEC)
		return ep_is_beyond_addresses(link, sum(image->first, size - 1)) ? DOES_NOT_FIT : FITS;
	if (begins_itself(link) && is_mapped_at_once(link, image))
		span = sum(span, image->first - image->low);
	if ((!begins_at_zero(link, image) && span > ep_room(link, alignment_that_counts(link, image))) ||
	    (span && ep_is_beyond_addresses(link, span - 1)))
		return DOES_NOT_FIT;
	return fit_at_base(link, image, lowest);
}

/* It depends on the base address, which is random. */
static int may_not_fit(struct ep_check *c, const struct errpipe_link *link, unsigned index)
{
	const struct errpipe_report *report = c->question->report;

	if (report && !was_killed_by(report, SIGSEGV))
		return 0;
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_SEGMENT_ADDRESS,
				      .certainty = report ? ERRPIPE_LIKELY : ERRPIPE_UNSURE,
				      .detail = ERRPIPE_DETAIL_RANDOM_ADDRESS,
				      .number = index,
			      });
}

static int check_span(struct ep_check *c, const struct errpipe_link *link, const struct image *image,
		      const struct limits *limits)
{
	enum fit fits = fit(link, image, limits->lowest);

	if (fits == DOES_NOT_FIT)
		return kills(c, link, ERRPIPE_CAUSE_SEGMENT_ADDRESS, image->outermost, 0);
	if (size_at_once(link, image) > limits->memory)
		return kills(c, link, ERRPIPE_CAUSE_ADDRESS_SPACE, size_at_once(link, image), 0);
	return fits == MAY_FIT ? may_not_fit(c, link, image->outermost) : 0;
}

/* The entry point of a loader at fixed addresses may be in its program. */
static int check_entry(struct ep_check *c, const struct errpipe_link *link, const struct ep_elf *elf,
		       const struct image *image)
{
	bool is_fixed = link->type == ET_EXEC;

	if (!begins_itself(link) || !image->loaded || image->has_entry || image->wraps)
		return 0;
	if (is_fixed && link->kind == ERRPIPE_LINK_LOADER && !ep_is_beyond_addresses(link, elf->entry))
		return 0;
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_ENTRY_POINT,
				      .object = ep_keep(c, "%#llx", (unsigned long long)elf->entry),
			      });
}

/*
 * Before Linux 6.10 the kernel cleared the rest of a loader's last page even if it is read-only (commit 8b04d32678e3).
 * Stable versions may have the fix as well.
 */
static int check_top_of_loader(struct ep_check *c, const struct errpipe_link *link, const struct image *image)
{
	unsigned version = ep_kernel_version();

	if (link->kind != ERRPIPE_LINK_LOADER || !version || version >= 6010 || !image->top_is_constant ||
	    image->file_top == page_start(image->file_top))
		return 0;
	if (c->question->report && !was_killed_by(c->question->report, SIGSEGV))
		return 0;
	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_LOADER_INVALID,
				      .certainty = ERRPIPE_LIKELY,
				      .detail = ERRPIPE_DETAIL_READ_ONLY_TOP,
			      });
}

/*
 * The signal that certainly kills a process whose file is cut off; 0: it may never reach the missing part. Older kernels
 * ignored zeros that they could not write.
 */
static int signal_of_missing_pages(const struct errpipe_link *link, const struct image *image)
{
	if (image->zeros_are_lost && ep_kernel_version() >= 6012)
		return SIGSEGV; /* from the kernel, while it loads the file */
	return image->entry_is_missing && begins_itself(link) ? SIGBUS : 0;
}

/* A truncated program usually starts and dies with SIGBUS at the first missing page. */
static int check_length(struct ep_check *c, const struct errpipe_link *link, const struct image *image)
{
	const struct errpipe_report *report = c->question->report;
	int signal = signal_of_missing_pages(link, image);

	if (!link->size || image->file_end <= page_end(link->size))
		return 0;
	if (report && !was_killed_by(report, signal ? signal : SIGBUS))
		return 0;
	return ep_elf_truncated(c, link,
				(struct ep_finding){
					.certainty = signal ? 0 : ERRPIPE_LIKELY,
					.works = !signal && !report,
					.starts = !signal && !report,
					.limit = image->file_end,
				});
}

/*
 * Without any segment the kernel starts a program that has a loader, which may even work. But segments of no size at all
 * make it stop.
 */
static bool is_empty(const struct errpipe_link *link, const struct image *image)
{
	if (!image->loaded)
		return begins_itself(link);
	return link->type == ET_DYN && image->high == image->low && !image->wraps;
}

static int check_image(struct ep_check *c, const struct errpipe_link *link, const struct ep_elf *elf,
		       const struct image *image, const struct limits *limits)
{
	if (is_empty(link, image))
		return kills(c, link, ERRPIPE_CAUSE_NO_LOAD_SEGMENT, 0, 0);
	if (check_span(c, link, image, limits) < 0 || check_address_space(c, link, image) < 0 ||
	    check_data(c, link, image) < 0 || check_top_of_loader(c, link, image) < 0)
		return -1;
	if (link->type == ET_DYN && !link->dynamic && !elf->entry && link->kind != ERRPIPE_LINK_LOADER)
		return kills(c, link, ERRPIPE_CAUSE_SHARED_LIBRARY, 0, 0);
	return check_entry(c, link, elf, image) < 0 ? -1 : check_length(c, link, image);
}

int ep_elf_segments(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head)
{
	const struct limits limits = { lowest_address(c), most_memory() };
	struct image image = { .mapped_low = UINT64_MAX, .alignment = 1 };
	struct ep_segment segment;
	struct ep_elf elf;
	int index = -1;

	if (link->format != ERRPIPE_FORMAT_ELF)
		return 0;
	if (link->type != ET_EXEC && link->type != ET_DYN) /* a loader: ep_elf() has checked the program's type */
		return ep_finding_set(c, link,
				      (struct ep_finding){
					      .cause = ERRPIPE_CAUSE_LOADER_INVALID,
					      .detail = ERRPIPE_DETAIL_LOADER_TYPE,
					      .number = link->type,
				      });
	ep_elf_open(&elf, link, fd, head);
	while ((index = ep_elf_find(&elf, index + 1, PT_LOAD, &segment)) >= 0) {
		if (check_segment(c, link, index, &segment, &limits) < 0)
			return -1;
		if (!image.loaded && overlaps_stack(link, &segment))
			return kills(c, link, ERRPIPE_CAUSE_SEGMENT_OVERLAP, index, 0);
		add_segment(&image, &elf, link, &segment, index);
	}
	if (begins_itself(link) && ep_elf_is_debug_file(&elf))
		return kills(c, link, ERRPIPE_CAUSE_DEBUG_FILE, 0, 0);
	return check_image(c, link, &elf, &image, &limits);
}

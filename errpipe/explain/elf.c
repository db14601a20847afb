/* SPDX-License-Identifier: MIT */
/*
 * ELF files as load_elf_binary() in the kernel's fs/binfmt_elf.c takes them, in its order; tried with Linux 6.18, read in
 * 6.12. What it finds before the point of no return gives an errno, what it finds behind that kills the process.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain.h"

/* The header's first fields are at the same place in both classes. */
enum { END_OF_MACHINE = 20 };

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = ELFDATA2LSB };
#else
enum { OWN_ORDER = ELFDATA2MSB };
#endif

struct field {
	unsigned char at, size;
};

#define FIELD(type, name)                                                                                            \
	{                                                                                                            \
		offsetof(type, name), sizeof(((const type *)NULL)->name)                                             \
	}

/* Where things are in the headers of a class. */
static const struct layout {
	unsigned header_size, segment_size;
	struct field entry, phoff, flags, phentsize, phnum;
	struct field p_type, p_flags, p_offset, p_vaddr, p_filesz, p_memsz;
} layouts[] = {
#define LAYOUT(header, segment)                                                                                      \
	{                                                                                                            \
		sizeof(header), sizeof(segment), FIELD(header, e_entry), FIELD(header, e_phoff),                     \
			FIELD(header, e_flags), FIELD(header, e_phentsize), FIELD(header, e_phnum),                  \
			FIELD(segment, p_type), FIELD(segment, p_flags), FIELD(segment, p_offset),                   \
			FIELD(segment, p_vaddr), FIELD(segment, p_filesz), FIELD(segment, p_memsz)                   \
	}
	[ELFCLASS32] = LAYOUT(Elf32_Ehdr, Elf32_Phdr),
	[ELFCLASS64] = LAYOUT(Elf64_Ehdr, Elf64_Phdr),
};

static const struct field type_field = FIELD(Elf32_Ehdr, e_type), machine_field = FIELD(Elf32_Ehdr, e_machine);

static uint64_t get(const unsigned char *bytes, struct field field, unsigned order)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < field.size; i++) {
		unsigned at = order == ELFDATA2MSB ? i : field.size - 1u - i;

		value = value << 8 | bytes[field.at + at];
	}
	return value;
}

/* An ELF file, and its program headers, of which some are in the buffer. */
struct elf {
	int fd;
	const struct errpipe__head *head;
	const struct layout *layout;
	unsigned order;
	unsigned count, segment_size; /* of program headers; as the file has it */
	uint64_t entry, table;
	unsigned first, loaded; /* in the buffer */
	unsigned char buffer[4096];
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size;
};

/* --- what it is ------------------------------------------------------------------------------- */

static unsigned valid_or(unsigned value, unsigned otherwise)
{
	return value == 1 || value == 2 ? value : otherwise;
}

/* x32, or made up to look so: the kernel tries it with 64 bits first, and only the size of a program header tells. */
static bool is_64_bit_after_all(const struct errpipe__head *head)
{
	const struct layout *layout = &layouts[ELFCLASS64];

	return get(head->bytes, layout->phentsize, OWN_ORDER) == layout->segment_size;
}

/*
 * The kernel does not look at the byte order, and mostly not at the class. So for what it takes both are as it takes
 * them, and for anything else as the file has them.
 */
static void identify(struct errpipe_link *link, const struct errpipe__head *head)
{
	const unsigned char *ident = head->bytes;
	unsigned machine = get(ident, machine_field, OWN_ORDER);
	unsigned elf_class = errpipe__class_for_kernel(machine, ident[EI_CLASS]);
	const struct errpipe__machine *known;

	if (elf_class) {
		link->elf_class = elf_class;
		link->elf_data = OWN_ORDER;
		if (machine == EM_X86_64 && elf_class == ELFCLASS32 && is_64_bit_after_all(head))
			link->elf_class = ELFCLASS64;
	} else {
		link->elf_class = valid_or(ident[EI_CLASS], 0);
		link->elf_data = valid_or(ident[EI_DATA], 0);
	}
	link->machine = get(ident, machine_field, valid_or(link->elf_data, OWN_ORDER));
	link->type = get(ident, type_field, valid_or(link->elf_data, OWN_ORDER));
	known = errpipe__machine(link->machine, link->elf_class, link->elf_data);
	link->architecture = known ? known->name : NULL;
}

/* link has been identified. Behind the end of a header that is cut off the kernel sees zeros, and so it is here. */
static void open_elf(struct elf *elf, const struct errpipe_link *link, int fd, const struct errpipe__head *head)
{
	elf->fd = fd;
	elf->head = head;
	elf->layout = &layouts[valid_or(link->elf_class, ELFCLASS64)];
	elf->order = valid_or(link->elf_data, OWN_ORDER);
	elf->count = get(head->bytes, elf->layout->phnum, elf->order);
	elf->segment_size = get(head->bytes, elf->layout->phentsize, elf->order);
	elf->entry = get(head->bytes, elf->layout->entry, elf->order);
	elf->table = get(head->bytes, elf->layout->phoff, elf->order);
	elf->first = elf->loaded = 0;
}

static unsigned table_size(const struct elf *elf)
{
	return elf->count * elf->layout->segment_size;
}

/* What the kernel takes of program headers. */
enum { MAX_TABLE_SIZE = 65536 };

/* 0: not known. A process with the personality UNAME26 sees 2.6, whatever the kernel is. */
static unsigned kernel_version(void)
{
	struct utsname uts;
	unsigned major, minor;

	if (uname(&uts) < 0 || sscanf(uts.release, "%u.%u", &major, &minor) != 2 || major < 3)
		return 0;
	return major * 1000 + minor;
}

/* Before Linux 6.17 they had to fit into a page (commit 8030790477e8). */
static unsigned max_table_size(void)
{
	unsigned version = kernel_version();
	long page = sysconf(_SC_PAGESIZE);

	return version && version < 6017 && page > 0 && page < MAX_TABLE_SIZE ? page : MAX_TABLE_SIZE;
}

static int load(struct elf *elf, unsigned index)
{
	unsigned size = elf->layout->segment_size, fit = sizeof(elf->buffer) / size;
	uint64_t at = elf->table + (uint64_t)index * size;
	ssize_t n;

	elf->loaded = 0;
	if (elf->table > INT64_MAX || at > INT64_MAX)
		return -1;
	n = errpipe__pread(elf->fd, elf->buffer, fit * size, at);
	if (n < (ssize_t)size)
		return -1;
	elf->first = index;
	elf->loaded = n / size;
	return 0;
}

/* Returns 0, or -1 if the file ends before. */
static int get_segment(struct elf *elf, unsigned index, struct segment *segment)
{
	const struct layout *layout = elf->layout;
	const unsigned char *bytes;

	if ((index < elf->first || index - elf->first >= elf->loaded) && load(elf, index) < 0)
		return -1;
	bytes = elf->buffer + (index - elf->first) * layout->segment_size;
	*segment = (struct segment){
		.type = get(bytes, layout->p_type, elf->order),
		.flags = get(bytes, layout->p_flags, elf->order),
		.offset = get(bytes, layout->p_offset, elf->order),
		.address = get(bytes, layout->p_vaddr, elf->order),
		.file_size = get(bytes, layout->p_filesz, elf->order),
		.memory_size = get(bytes, layout->p_memsz, elf->order),
	};
	return 0;
}

/* The first one of that type from that index on. Returns its index, or -1: none. */
static int find_segment(struct elf *elf, unsigned index, uint32_t type, struct segment *segment)
{
	for (; index < elf->count; index++) {
		if (get_segment(elf, index, segment) < 0)
			return -1;
		if (segment->type == type)
			return index;
	}
	return -1;
}

/* --- the headers ------------------------------------------------------------------------------ */

/* load_elf_phdrs(): what is wrong. NULL: nothing. */
static const char *wrong_headers(struct errpipe__case *c, const struct elf *elf)
{
	if (elf->segment_size != elf->layout->segment_size)
		return errpipe__keep(c, "their size is %u bytes, not %u", elf->segment_size,
				     elf->layout->segment_size);
	if (!elf->count)
		return "there are none";
	if (table_size(elf) > max_table_size())
		return errpipe__keep(c, "there are %u, more than fit into %u bytes", elf->count, max_table_size());
	if (elf->table > INT64_MAX)
		return "they are at an impossible place in the file";
	return NULL;
}

static bool headers_are_there(struct elf *elf)
{
	struct segment last;

	return get_segment(elf, elf->count - 1, &last) == 0;
}

/* link->size is 0 where the file system does not tell. */
static int truncated(struct errpipe__case *c, const struct errpipe_link *link, int error, uint64_t needed)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_TRUNCATED_ELF, error, NULL, NULL, link->size, needed);
}

static bool header_is_cut(const struct elf *elf)
{
	return elf->head->size < elf->layout->header_size;
}

static int check_headers(struct errpipe__case *c, const struct errpipe_link *link, struct elf *elf)
{
	const char *wrong = wrong_headers(c, elf);

	if (wrong && header_is_cut(elf))
		return truncated(c, link, ENOEXEC, elf->layout->header_size);
	if (wrong)
		return errpipe__broken(c, link, ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, ENOEXEC, NULL, wrong,
				       elf->segment_size, elf->layout->segment_size);
	if (!headers_are_there(elf))
		return truncated(c, link, ENOEXEC, elf->table + table_size(elf));
	return 0;
}

static int wrong_type(struct errpipe__case *c, const struct errpipe_link *link)
{
	static const enum errpipe_cause causes[] = {
		[ET_REL] = ERRPIPE_CAUSE_OBJECT_FILE, [ET_CORE] = ERRPIPE_CAUSE_CORE_DUMP
	};
	enum errpipe_cause cause = ERRPIPE_CAUSE_NONE;

	if (link->type < sizeof(causes) / sizeof(*causes))
		cause = causes[link->type];
	if (!cause)
		cause = ERRPIPE_CAUSE_BAD_ELF_TYPE;
	return errpipe__broken(c, link, cause, ENOEXEC, NULL, NULL, link->type, 0);
}

static bool is_executable_type(unsigned type)
{
	return type == ET_EXEC || type == ET_DYN;
}

/* compat_elf_check_arch() in arch/arm64/kernel: no programs of before the EABI. */
static bool is_old_arm(const struct elf *elf, const struct errpipe_link *link)
{
	return link->machine == EM_ARM && !(get(elf->head->bytes, elf->layout->flags, elf->order) & 0xff000000);
}

static int check_architecture(struct errpipe__case *c, struct errpipe_link *link, const struct elf *elf)
{
	enum errpipe__support support = errpipe__support(link);

	if (support == ERRPIPE__FOREIGN)
		return errpipe__foreign(c, link, elf->head);
	if (support == ERRPIPE__WITHOUT || (support == ERRPIPE__COMPATIBLE && is_old_arm(elf, link)))
		return errpipe__broken(c, link, ERRPIPE_CAUSE_NO_COMPATIBILITY, ENOEXEC, NULL, NULL, 0, 0);
	return 0;
}

/* --- the loader's name ------------------------------------------------------------------------ */

static int bad_name(struct errpipe__case *c, const struct errpipe_link *link, int error, const char *object)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_BAD_LOADER_NAME, error, NULL, object, 0, 0);
}

/* An empty name is the working directory to the kernel, hence EACCES. */
static int read_name(struct errpipe__case *c, const struct errpipe_link *link, const struct elf *elf,
		     const struct segment *segment, struct errpipe__next *next)
{
	uint64_t size = segment->file_size;
	char name[PATH_MAX];
	ssize_t n;

	if (size < 2)
		return bad_name(c, link, ENOEXEC, "it is empty");
	if (size > sizeof(name))
		return bad_name(
			c, link, ENOEXEC,
			errpipe__keep(c, "it has %llu bytes, more than %d", (unsigned long long)size, PATH_MAX));
	if (segment->offset > INT64_MAX - size)
		return bad_name(c, link, EINVAL, "it is at an impossible place in the file");
	n = errpipe__pread(elf->fd, name, size, segment->offset);
	if (n < (ssize_t)size)
		return truncated(c, link, EIO, segment->offset + size);
	if (name[size - 1] != '\0')
		return bad_name(c, link, ENOEXEC, "no NUL ends it");
	if (!*name)
		return bad_name(c, link, EACCES, "it is empty");
	*next = (struct errpipe__next){ ERRPIPE_LINK_LOADER, errpipe__keep(c, "%s", name), false };
	return 0;
}

/* Also of a program that cannot be run here, as far as its headers can be read. */
static bool has_loader(struct elf *elf)
{
	struct segment segment;

	return elf->segment_size == elf->layout->segment_size && table_size(elf) <= MAX_TABLE_SIZE &&
	       find_segment(elf, 0, PT_INTERP, &segment) >= 0;
}

int errpipe__elf(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head,
		 struct errpipe__next *next)
{
	struct segment segment;
	struct elf elf;
	int ret;

	identify(link, head);
	open_elf(&elf, link, fd, head);
	link->dynamic = has_loader(&elf);
	if (head->size < END_OF_MACHINE)
		return truncated(c, link, ENOEXEC, elf.layout->header_size);
	if (!is_executable_type(link->type))
		return wrong_type(c, link);
	ret = check_architecture(c, link, &elf);
	if (ret == 0 && check_headers(c, link, &elf) < 0)
		return -1;
	if (link->dynamic) {
		find_segment(&elf, 0, PT_INTERP, &segment);
		if (read_name(c, link, &elf, &segment, next) < 0)
			return -1;
	}
	return ret;
}

/* --- the loader ------------------------------------------------------------------------------- */

static int invalid_loader(struct errpipe__case *c, const struct errpipe_link *link, int error, const char *object)
{
	return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_INVALID, error, NULL, object, 0, 0);
}

/* The kernel tries one class after the other, and takes any machine of that (EM_386 and EM_486, say). */
static bool is_of_same_kind(const struct errpipe_link *link, const struct errpipe_link *program)
{
	if (link->elf_class != program->elf_class || link->elf_data != program->elf_data)
		return false;
	return link->machine == program->machine ||
	       (errpipe__class_for_kernel(link->machine, link->elf_class) == link->elf_class &&
		errpipe__is_x32(link) == errpipe__is_x32(program));
}

/* A header of the program's class must be there. Whether the rest is right, only the headers of the segments tell. */
int errpipe__elf_loader(struct errpipe__case *c, struct errpipe_link *link, int fd, const struct errpipe__head *head)
{
	const struct errpipe_link *program = link - 1;
	const char *wrong;
	struct elf elf;

	if (head->size < layouts[valid_or(program->elf_class, ELFCLASS64)].header_size)
		return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_TOO_SHORT, EIO, NULL, NULL, head->size, 0);
	if (link->format != ERRPIPE_FORMAT_ELF)
		return invalid_loader(c, link, ELIBBAD, errpipe__format_object(c, link->format));
	identify(link, head);
	open_elf(&elf, link, fd, head);
	if (!is_of_same_kind(link, program))
		return errpipe__broken(c, link, ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE, ELIBBAD, NULL, NULL, 0, 0);
	wrong = wrong_headers(c, &elf);
	if (wrong)
		return invalid_loader(c, link, ELIBBAD,
				      errpipe__keep(c, "an ELF file with wrong program headers (%s)", wrong));
	if (!headers_are_there(&elf))
		return invalid_loader(c, link, ELIBBAD, "an ELF file that is cut off");
	link->dynamic = has_loader(&elf);
	return 0;
}

/* --- the segments ----------------------------------------------------------------------------- */

enum { CAP_SYS_RAWIO = 17 };

/* What is sure to be above all memory that a process can have, with the widest addresses that the machine knows. */
static uint64_t highest_address(const struct errpipe_link *link)
{
	static const struct {
		unsigned machine, elf_class;
		uint64_t highest;
	} limits[] = {
		{ EM_X86_64, ELFCLASS64, UINT64_C(1) << 56 },
		{ EM_386, ELFCLASS32, 0xffffe000 }, /* IA32_PAGE_OFFSET; with a kernel of 32 bits it is less */
		{ EM_AARCH64, ELFCLASS64, UINT64_C(1) << 52 },
		{ 243 /* EM_RISCV */, ELFCLASS64, UINT64_C(1) << 56 },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (limits[i].machine == link->machine && limits[i].elf_class == link->elf_class)
			return limits[i].highest;
	}
	return link->elf_class == ELFCLASS32 ? UINT64_C(1) << 32 : UINT64_MAX;
}

static uint64_t read_number(const char *path)
{
	char text[24] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t number = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	fd = errpipe__above_stderr(fd);
	if (fd < 0)
		return 0;
	n = errpipe__pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

/*
 * cap_mmap_addr() in security/commoncap.c. Root has the capability after the exec, if it may; others could have it in
 * their ambient set, if they have it now.
 */
static uint64_t lowest_address(const struct errpipe__case *c)
{
	const struct errpipe_who *who = &c->who;
	uint64_t capabilities = who->uid == 0 ? who->bounding | who->effective : who->effective;

	return capabilities >> CAP_SYS_RAWIO & 1 ? 0 : read_number("/proc/sys/vm/mmap_min_addr");
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

/* Not beyond the end of all numbers. */
static uint64_t page_end(uint64_t address)
{
	uint64_t start = page_start(address);

	return start == address || start > UINT64_MAX - page_size() ? start : start + page_size();
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* What the segments together come to. */
struct image {
	unsigned loaded;
	uint64_t low, high;    /* addresses */
	uint64_t size;	       /* what is mapped, not counting twice what lies in one page; no more than it is */
	uint64_t file_end;     /* the last byte that is in the file, or should be */
	bool entry_is_missing; /* the file ends before the page that the entry point is in */
	bool zeros_are_lost;   /* the file ends before a page of which the kernel clears the rest */
	bool wraps;	       /* around the end of all addresses, as a loader's may */
};

static int broken_segment(struct errpipe__case *c, const struct errpipe_link *link, enum errpipe_cause cause,
			  unsigned index, uint64_t limit)
{
	return errpipe__broken(c, link, cause, 0, NULL, NULL, index, limit);
}

/* Where a loader of type ET_DYN goes does not depend on its addresses. */
static bool is_above_all(const struct errpipe_link *link, const struct segment *segment)
{
	uint64_t highest = highest_address(link);

	if (segment->memory_size > highest)
		return true;
	if (link->kind == ERRPIPE_LINK_LOADER && link->type == ET_DYN)
		return false;
	return segment->address >= highest || highest - segment->memory_size < segment->address;
}

/*
 * Segments may overlap each other: the later one counts (MAP_FIXED, since Linux 5.4). But the stack is there already, and
 * the first one must not be mapped over it. On x86-64 its top is within 16 GiB of the end of 47 bits (STACK_RND_MASK).
 */
static bool overlaps_stack(const struct errpipe_link *link, const struct segment *segment)
{
	const uint64_t end = UINT64_C(1) << 47, range = (UINT64_C(16) << 30) + 128 * 1024;

	return link->machine == EM_X86_64 && link->elf_class == ELFCLASS64 && link->type == ET_EXEC &&
	       link->kind != ERRPIPE_LINK_LOADER && segment->address <= end - range - 2 * page_size() &&
	       page_end(sum(segment->address, segment->file_size)) >= end - page_size();
}

/* Without bytes in the file there is nothing to align, at least since Linux 6.6. */
static bool is_misaligned(const struct segment *segment)
{
	return segment->file_size && (segment->address ^ segment->offset) & (page_size() - 1);
}

/* How much of the machine's memory a segment may ask for, if it overcommits as most do (__vm_enough_memory() in mm/util.c). */
static uint64_t most_memory(void)
{
	struct sysinfo info;

	if (read_number("/proc/sys/vm/overcommit_memory") != 0 || sysinfo(&info) < 0)
		return UINT64_MAX;
	return ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
}

static uint64_t zeroed_size(const struct segment *segment)
{
	uint64_t end = page_end(sum(segment->address, segment->memory_size));
	uint64_t from = page_end(sum(segment->address, segment->file_size));

	return end > from ? end - from : 0;
}

/* What the machine sets for all segments. */
struct limits {
	uint64_t lowest; /* address */
	uint64_t memory; /* for one segment */
};

static int check_segment(struct errpipe__case *c, const struct errpipe_link *link, unsigned index,
			 const struct segment *segment, const struct limits *limits)
{
	if (segment->file_size > segment->memory_size)
		return broken_segment(c, link, ERRPIPE_CAUSE_SEGMENT_SIZE, index, 0);
	if (is_above_all(link, segment))
		return broken_segment(c, link, ERRPIPE_CAUSE_SEGMENT_ADDRESS, index, 0);
	if (is_misaligned(segment))
		return broken_segment(c, link, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, index, page_size());
	if (link->type == ET_EXEC && segment->memory_size && page_start(segment->address) < limits->lowest)
		return broken_segment(c, link, ERRPIPE_CAUSE_SEGMENT_ADDRESS, index, limits->lowest);
	if (zeroed_size(segment) > limits->memory)
		return errpipe__broken(c, link, ERRPIPE_CAUSE_ADDRESS_SPACE, 0, NULL, NULL, segment->memory_size, 0);
	return 0;
}

static bool has_entry(const struct elf *elf, const struct segment *segment)
{
	return elf->entry >= segment->address && elf->entry - segment->address < segment->file_size;
}

static bool is_missing(const struct errpipe_link *link, uint64_t offset)
{
	return page_start(offset) >= page_end(link->size);
}

/* padzero(): it minds only if the segment can be written to. */
static bool loses_zeros(const struct errpipe_link *link, const struct segment *segment)
{
	uint64_t end = sum(segment->offset, segment->file_size);

	return segment->flags & PF_W && segment->file_size && segment->memory_size > segment->file_size &&
	       end != page_start(end) && is_missing(link, end);
}

static void add_addresses(struct image *image, const struct segment *segment)
{
	uint64_t start = page_start(segment->address), last = sum(segment->address, segment->memory_size);
	uint64_t end = page_end(last), mapped = start > image->high ? start : image->high;

	if (last == UINT64_MAX)
		image->wraps = true;
	if (!image->loaded || start < image->low)
		image->low = start;
	if (end > mapped)
		image->size = sum(image->size, end - mapped);
	if (end > image->high)
		image->high = end;
}

static void add_segment(struct image *image, const struct elf *elf, const struct errpipe_link *link,
			const struct segment *segment)
{
	uint64_t end = sum(segment->offset, segment->file_size);

	add_addresses(image, segment);
	image->loaded++;
	if (segment->file_size && end > image->file_end)
		image->file_end = end;
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
		return asked;
	return getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static int check_address_space(struct errpipe__case *c, const struct errpipe_link *link, const struct image *image)
{
	uint64_t limit = limit_of(c->question->limit_address_space, RLIMIT_AS);
	uint64_t stack = limit_of(c->question->limit_stack, RLIMIT_STACK);
	uint64_t size = link->type == ET_DYN ? image->high - image->low : image->size;

	size = sum(size, stack < STACK ? page_start(stack) : STACK);
	if (size <= limit || image->wraps)
		return 0;
	return errpipe__broken(c, link, ERRPIPE_CAUSE_ADDRESS_SPACE, 0, NULL, NULL, size, limit);
}

static bool was_killed_by(const struct errpipe_report *report, int signal)
{
	return report->status != -1 && WIFSIGNALED(report->status) && WTERMSIG(report->status) == signal;
}

static bool begins_itself(const struct errpipe_link *link)
{
	return !link->dynamic || link->kind == ERRPIPE_LINK_LOADER;
}

/* By which signal a file that is cut off dies for sure; 0: it may never come to what is missing. */
static int signal_of_missing_pages(const struct errpipe_link *link, const struct image *image)
{
	if (image->zeros_are_lost)
		return SIGSEGV; /* by the kernel, as it loads it */
	return image->entry_is_missing && begins_itself(link) ? SIGBUS : 0;
}

/* A file that is cut off is started, mostly, and dies by SIGBUS when it comes to a page that is missing. */
static int check_length(struct errpipe__case *c, const struct errpipe_link *link, const struct image *image)
{
	const struct errpipe_report *report = c->question->report;
	int signal = signal_of_missing_pages(link, image);

	if (!link->size || image->file_end <= page_end(link->size))
		return 0;
	if (report && !was_killed_by(report, signal ? signal : SIGBUS))
		return 0;
	truncated(c, link, 0, image->file_end);
	if (!signal) {
		c->ex->certainty = ERRPIPE_LIKELY;
		c->ex->works = !report;
	}
	return -1;
}

/*
 * With no segment at all the kernel starts a program that has a loader, and that may even work. But if there are some, and
 * they come to nothing, it does not go on.
 */
static bool is_empty(const struct errpipe_link *link, const struct image *image)
{
	if (!image->loaded)
		return begins_itself(link);
	return link->type == ET_DYN && image->high == image->low && !image->wraps;
}

static int check_image(struct errpipe__case *c, const struct errpipe_link *link, const struct elf *elf,
		       const struct image *image)
{
	if (is_empty(link, image))
		return errpipe__broken(c, link, ERRPIPE_CAUSE_NO_LOAD_SEGMENT, 0, NULL, NULL, 0, 0);
	if (check_address_space(c, link, image) < 0)
		return -1;
	if (link->type == ET_DYN && !link->dynamic && !elf->entry && link->kind != ERRPIPE_LINK_LOADER)
		return errpipe__broken(c, link, ERRPIPE_CAUSE_SHARED_LIBRARY, 0, NULL, NULL, 0, 0);
	return check_length(c, link, image);
}

int errpipe__elf_segments(struct errpipe__case *c, struct errpipe_link *link, int fd,
			  const struct errpipe__head *head)
{
	const struct limits limits = { lowest_address(c), most_memory() };
	struct image image = { 0 };
	struct segment segment;
	struct elf elf;
	int index = -1;

	if (link->format != ERRPIPE_FORMAT_ELF)
		return 0;
	if (!is_executable_type(link->type))
		return invalid_loader(c, link, 0, "an ELF file that is neither a program nor a library");
	open_elf(&elf, link, fd, head);
	while ((index = find_segment(&elf, index + 1, PT_LOAD, &segment)) >= 0) {
		if (check_segment(c, link, index, &segment, &limits) < 0)
			return -1;
		if (!image.loaded && overlaps_stack(link, &segment))
			return broken_segment(c, link, ERRPIPE_CAUSE_SEGMENT_OVERLAP, index, 0);
		add_segment(&image, &elf, link, &segment);
	}
	return check_image(c, link, &elf, &image);
}

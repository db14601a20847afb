/* SPDX-License-Identifier: MIT */
/* What an ELF file says of itself, read as the kernel reads it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "explain/facts/elf_file.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = ELFDATA2LSB };
#else
enum { OWN_ORDER = ELFDATA2MSB };
#endif

#define FIELD(type, name)                                                                                            \
	{                                                                                                            \
		offsetof(type, name), sizeof(((const type *)NULL)->name)                                             \
	}

static const struct ep_layout layouts[] = {
#define LAYOUT(header, segment)                                                                                      \
	{                                                                                                            \
		sizeof(header), sizeof(segment), FIELD(header, e_entry), FIELD(header, e_phoff),                     \
			FIELD(header, e_flags), FIELD(header, e_phentsize), FIELD(header, e_phnum),                  \
			FIELD(segment, p_type), FIELD(segment, p_flags), FIELD(segment, p_offset),                   \
			FIELD(segment, p_vaddr), FIELD(segment, p_filesz), FIELD(segment, p_memsz),                  \
			FIELD(segment, p_align)                                                                      \
	}
	[ELFCLASS32] = LAYOUT(Elf32_Ehdr, Elf32_Phdr),
	[ELFCLASS64] = LAYOUT(Elf64_Ehdr, Elf64_Phdr),
};

static const struct ep_field type_field = FIELD(Elf32_Ehdr, e_type), machine_field = FIELD(Elf32_Ehdr, e_machine);

static uint64_t get(const unsigned char *bytes, struct ep_field field, unsigned order)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < field.size; i++) {
		unsigned at = order == ELFDATA2MSB ? i : field.size - 1u - i;

		value = value << 8 | bytes[field.at + at];
	}
	return value;
}

/* --- what it is ------------------------------------------------------------------------------- */

static unsigned valid_or(unsigned value, unsigned otherwise)
{
	return value == 1 || value == 2 ? value : otherwise;
}

/* x32, or made up to look so: the kernel tries it with 64 bits first, and only the size of a program header tells. */
static bool is_64_bit_after_all(const struct ep_head *head)
{
	const struct ep_layout *layout = &layouts[ELFCLASS64];

	return get(head->bytes, layout->phentsize, OWN_ORDER) == layout->segment_size;
}

/*
 * The kernel does not look at the byte order, and mostly not at the class. So for what it takes both are as it takes
 * them, and for anything else as the file has them.
 */
void ep_elf_identify(struct errpipe_link *link, const struct ep_head *head)
{
	const unsigned char *ident = head->bytes;
	unsigned machine = get(ident, machine_field, OWN_ORDER);
	unsigned elf_class = ep_class_for_kernel(machine, ident[EI_CLASS]);
	const struct ep_machine *known;

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
	known = ep_machine(link->machine, link->elf_class, link->elf_data);
	link->architecture = known ? known->name : NULL;
}

/* link has been identified. Behind the end of a header that is cut off the kernel sees zeros, and so it is here. */
void ep_elf_open(struct ep_elf *elf, const struct errpipe_link *link, int fd, const struct ep_head *head)
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
	elf->error = 0;
}

unsigned ep_elf_table_size(const struct ep_elf *elf)
{
	return elf->count * elf->layout->segment_size;
}

/* What the kernel takes of program headers. */
enum { MAX_TABLE_SIZE = 65536 };

/* A process with the personality UNAME26 sees 2.6, whatever the kernel is. */
unsigned ep_kernel_version(void)
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
	unsigned version = ep_kernel_version();
	long page = sysconf(_SC_PAGESIZE);

	return version && version < 6017 && page > 0 && page < MAX_TABLE_SIZE ? page : MAX_TABLE_SIZE;
}

static int load(struct ep_elf *elf, unsigned index)
{
	unsigned size = elf->layout->segment_size, fit = sizeof(elf->buffer) / size;
	uint64_t at = elf->table + (uint64_t)index * size;
	ssize_t n;

	elf->loaded = 0;
	if (elf->table > INT64_MAX || at > INT64_MAX)
		return -1;
	n = ep_pread(elf->fd, elf->buffer, (size_t)fit * size, at);
	elf->error = n < 0 ? -n : 0;
	if (n < (ssize_t)size)
		return -1;
	elf->first = index;
	elf->loaded = n / size;
	return 0;
}

/* Returns 0, or -1 if the file ends before. */
static int get_segment(struct ep_elf *elf, unsigned index, struct ep_segment *segment)
{
	const struct ep_layout *layout = elf->layout;
	const unsigned char *bytes;

	if ((index < elf->first || index - elf->first >= elf->loaded) && load(elf, index) < 0)
		return -1;
	bytes = elf->buffer + (size_t)(index - elf->first) * layout->segment_size;
	*segment = (struct ep_segment){
		.type = get(bytes, layout->p_type, elf->order),
		.flags = get(bytes, layout->p_flags, elf->order),
		.offset = get(bytes, layout->p_offset, elf->order),
		.address = get(bytes, layout->p_vaddr, elf->order),
		.file_size = get(bytes, layout->p_filesz, elf->order),
		.memory_size = get(bytes, layout->p_memsz, elf->order),
		.alignment = get(bytes, layout->p_align, elf->order),
	};
	return 0;
}

/* The first one of that type from that index on. Returns its index, or -1: none. */
int ep_elf_find(struct ep_elf *elf, unsigned index, uint32_t type, struct ep_segment *segment)
{
	for (; index < elf->count; index++) {
		if (get_segment(elf, index, segment) < 0)
			return -1;
		if (segment->type == type)
			return index;
	}
	return -1;
}

/* load_elf_phdrs(): what is wrong. NULL: nothing. */
const char *ep_elf_wrong_headers(struct ep_case *c, const struct ep_elf *elf)
{
	if (elf->segment_size != elf->layout->segment_size)
		return ep_keep(c, "their size is %u bytes, not %u", elf->segment_size, elf->layout->segment_size);
	if (!elf->count)
		return "there are none";
	if (ep_elf_table_size(elf) > max_table_size())
		return ep_keep(c, "there are %u, more than fit into %u bytes", elf->count, max_table_size());
	if (elf->table > INT64_MAX)
		return "they are at an impossible place in the file";
	return NULL;
}

bool ep_elf_has_headers(struct ep_elf *elf)
{
	struct ep_segment last;

	return get_segment(elf, elf->count - 1, &last) == 0;
}

/* Also of a program that cannot be run here, as far as its headers can be read. */
bool ep_elf_has_loader(struct ep_elf *elf)
{
	struct ep_segment segment;

	return elf->segment_size == elf->layout->segment_size && ep_elf_table_size(elf) <= MAX_TABLE_SIZE &&
	       ep_elf_find(elf, 0, PT_INTERP, &segment) >= 0;
}

uint64_t ep_elf_flags(const struct ep_elf *elf)
{
	return get(elf->head->bytes, elf->layout->flags, elf->order);
}

unsigned ep_elf_header_size(unsigned elf_class)
{
	return layouts[valid_or(elf_class, ELFCLASS64)].header_size;
}

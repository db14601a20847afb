/* SPDX-License-Identifier: MIT */
/* Parse ELF headers the way the kernel does. */
#define _GNU_SOURCE
#include <string.h>
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
#define LAYOUT(header, segment, section)                                                                             \
	{                                                                                                            \
		sizeof(header), sizeof(segment), FIELD(header, e_entry), FIELD(header, e_phoff),                     \
			FIELD(header, e_flags), FIELD(header, e_phentsize), FIELD(header, e_phnum),                  \
			FIELD(header, e_shoff), FIELD(header, e_shentsize), FIELD(header, e_shstrndx),               \
			FIELD(section, sh_offset), FIELD(segment, p_type), FIELD(segment, p_flags),                  \
			FIELD(segment, p_offset), FIELD(segment, p_vaddr), FIELD(segment, p_filesz),                 \
			FIELD(segment, p_memsz), FIELD(segment, p_align)                                             \
	}
	[ELFCLASS32] = LAYOUT(Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr),
	[ELFCLASS64] = LAYOUT(Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr),
};

static const struct ep_field type_field = FIELD(Elf32_Ehdr, e_type), machine_field = FIELD(Elf32_Ehdr, e_machine);

/* A large program has 100,000 of these. */
uint64_t ep_elf_number(const unsigned char *bytes, unsigned size, unsigned order)
{
	uint64_t value = 0;
	uint32_t word;
	uint16_t half;

	if (order == OWN_ORDER && size == sizeof(half)) {
		memcpy(&half, bytes, sizeof(half));
		return half;
	}
	if (order == OWN_ORDER && size == sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		return word;
	}
	for (unsigned i = 0; i < size; i++)
		value = value << 8 | bytes[order == ELFDATA2MSB ? i : size - 1 - i];
	return value;
}

static uint64_t get(const unsigned char *bytes, struct ep_field field, unsigned order)
{
	return ep_elf_number(bytes + field.at, field.size, order);
}

/* --- what it is ------------------------------------------------------------------------------- */

static unsigned valid_or(unsigned value, unsigned otherwise)
{
	return value == 1 || value == 2 ? value : otherwise;
}

/* x32, or made to look so: the kernel tries it with 64 bits first, and only the size of a program header decides. */
static bool is_64_bit_after_all(const struct ep_head *head)
{
	const struct ep_layout *layout = &layouts[ELFCLASS64];

	return get(head->bytes, layout->phentsize, OWN_ORDER) == layout->segment_size;
}

/*
 * The kernel ignores the byte order, and usually the class. For a file that it accepts, both are therefore set to the
 * values that it uses; otherwise they are those of the file.
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
	link->elf_abi = ident[EI_OSABI];
	known = ep_machine(link->machine, link->elf_class, link->elf_data);
	link->architecture = known ? known->name : NULL;
}

/* After the end of a header that is cut off, the kernel sees zeros, and so does this function. */
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

/* The most bytes of program headers that the kernel takes. */
enum { MAX_TABLE_SIZE = 65536 };

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

/* Returns the bytes of a program header, or NULL if the file ends before it. */
static const unsigned char *segment_at(struct ep_elf *elf, unsigned index)
{
	if ((index < elf->first || index - elf->first >= elf->loaded) && load(elf, index) < 0)
		return NULL;
	return elf->buffer + (size_t)(index - elf->first) * elf->layout->segment_size;
}

static void take_segment(const struct ep_elf *elf, const unsigned char *bytes, struct ep_segment *segment)
{
	const struct ep_layout *layout = elf->layout;

	*segment = (struct ep_segment){
		.type = get(bytes, layout->p_type, elf->order),
		.flags = get(bytes, layout->p_flags, elf->order),
		.offset = get(bytes, layout->p_offset, elf->order),
		.address = get(bytes, layout->p_vaddr, elf->order),
		.file_size = get(bytes, layout->p_filesz, elf->order),
		.memory_size = get(bytes, layout->p_memsz, elf->order),
		.alignment = get(bytes, layout->p_align, elf->order),
	};
}

/* The first one of that type from that index on. Returns its index, or -1: none. */
int ep_elf_find(struct ep_elf *elf, unsigned index, uint32_t type, struct ep_segment *segment)
{
	for (; index < elf->count; index++) {
		const unsigned char *bytes = segment_at(elf, index);

		if (!bytes)
			return -1;
		if (get(bytes, elf->layout->p_type, elf->order) != type)
			continue;
		take_segment(elf, bytes, segment);
		return index;
	}
	return -1;
}

/* load_elf_phdrs() in the kernel's fs/binfmt_elf.c */
enum errpipe_detail ep_elf_wrong_headers(const struct ep_elf *elf, uint64_t *number, uint64_t *limit)
{
	*number = elf->segment_size;
	*limit = elf->layout->segment_size;
	if (elf->segment_size != elf->layout->segment_size)
		return ERRPIPE_DETAIL_HEADER_SIZE;
	*number = elf->count;
	*limit = max_table_size();
	if (!elf->count)
		return ERRPIPE_DETAIL_NO_HEADERS;
	if (ep_elf_table_size(elf) > max_table_size())
		return ERRPIPE_DETAIL_MANY_HEADERS;
	*number = *limit = 0;
	return elf->table > INT64_MAX ? ERRPIPE_DETAIL_HEADERS_MISPLACED : 0;
}

bool ep_elf_has_headers(struct ep_elf *elf)
{
	return segment_at(elf, elf->count - 1);
}

/* This also works for a program of another machine, as far as its headers can be read. */
bool ep_elf_is_debug_file(struct ep_elf *elf)
{
	struct ep_segment segment;
	bool has_code = false;
	uint64_t names;

	for (int i = 0; (i = ep_elf_find(elf, i, PT_LOAD, &segment)) >= 0; i++) {
		if (!(segment.flags & PF_X))
			continue;
		if (segment.file_size || !segment.memory_size)
			return false;
		has_code = true;
	}
	if (ep_elf_find(elf, 0, PT_INTERP, &segment) >= 0 && segment.file_size)
		return false;
	return has_code && ep_elf_section_names(elf, &names);
}

bool ep_elf_has_loader(struct ep_elf *elf)
{
	struct ep_segment segment;

	return elf->segment_size == elf->layout->segment_size && ep_elf_table_size(elf) <= MAX_TABLE_SIZE &&
	       ep_elf_find(elf, 0, PT_INTERP, &segment) >= 0;
}

bool ep_elf_section_names(const struct ep_elf *elf, uint64_t *offset)
{
	const struct ep_layout *layout = elf->layout;
	const unsigned char *header = elf->head->bytes;
	uint64_t table = get(header, layout->shoff, elf->order), size = get(header, layout->shentsize, elf->order);
	unsigned char section[sizeof(Elf64_Shdr)];

	if (!table || table > INT64_MAX / 2 || size > sizeof(section))
		return false;
	table += size * get(header, layout->shstrndx, elf->order);
	if (ep_pread(elf->fd, section, size, table) < layout->sh_offset.at + layout->sh_offset.size)
		return false;
	*offset = get(section, layout->sh_offset, elf->order);
	return *offset <= INT64_MAX / 2;
}

uint64_t ep_elf_flags(const struct ep_elf *elf)
{
	return get(elf->head->bytes, elf->layout->flags, elf->order);
}

unsigned ep_elf_header_size(unsigned elf_class)
{
	return layouts[valid_or(elf_class, ELFCLASS64)].header_size;
}

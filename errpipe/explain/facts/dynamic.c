/* SPDX-License-Identifier: MIT */
/* Read the dynamic section of an ELF file, its versions and its notes, without trust in any of their numbers. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/dynamic.h"

/* linux/elf.h, and the x86-64 psABI */
#define NOTE_ABI_TAG	 1
#define NOTE_PROPERTY	 5
#define X86_ISA_1_NEEDED 0xc0008002
#define TAG_AUDIT	 0x6ffffefc
#define TAG_DEPAUDIT	 0x6ffffefb
#define ABI_TAG_OS_LINUX 0
/* glibc's elf/elf.h */
#define TAG_FILTER	 0x7fffffff
#define TAG_AUXILIARY	 0x7ffffffd

/* --- bytes of the file -------------------------------------------------------------------------------------- */

static size_t within(const struct ep_window *window, uint64_t at)
{
	return at >= window->at && at - window->at < window->size ? window->size - (at - window->at) : 0;
}

static const struct ep_window *read_window(struct ep_object *o, uint64_t at)
{
	struct ep_window *window = &o->window[o->window_next++ % EP_WINDOWS];
	ssize_t n = ep_pread(o->elf.fd, window->bytes, sizeof(window->bytes), at);

	window->at = at;
	window->size = n < 0 ? 0 : n;
	return window;
}

/* Returns the bytes at that offset, and how many there are, or NULL if there are less than size. */
static const unsigned char *bytes_at(struct ep_object *o, uint64_t at, size_t size, size_t *there)
{
	enum { PAGE = 4096 };

	for (unsigned i = 0; i < EP_WINDOWS; i++) {
		const struct ep_window *window = &o->window[i];

		*there = within(window, at);
		if (*there >= size)
			return window->bytes + (at - window->at);
	}
	if (within(read_window(o, at / PAGE * PAGE), at) < size)
		read_window(o, at);
	for (unsigned i = 0; i < EP_WINDOWS; i++) {
		const struct ep_window *window = &o->window[i];

		*there = within(window, at);
		if (*there >= size)
			return window->bytes + (at - window->at);
	}
	return NULL;
}

uint64_t ep_object_offset(const struct ep_object *o, uint64_t address)
{
	for (unsigned i = 0; i < o->loads; i++) {
		const struct ep_segment *load = &o->load[i];

		if (address >= load->address && address - load->address < load->file_size)
			return load->offset + (address - load->address);
	}
	return UINT64_MAX;
}

/* --- the header --------------------------------------------------------------------------------------------- */

static enum ep_header compare(const struct ep_object *o, const struct ep_kind *kind)
{
	const unsigned char *ident = o->head.bytes;

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return EP_HEADER_NOT_ELF;
	if (kind && o->elf_class != kind->elf_class)
		return EP_HEADER_CLASS;
	if (kind && (o->order != kind->order || o->machine != kind->machine))
		return EP_HEADER_MACHINE;
	if (ident[EI_VERSION] != EV_CURRENT)
		return EP_HEADER_TYPE;
	if (ep_elf_system(ident[EI_OSABI]))
		return EP_HEADER_SYSTEM;
	if ((o->type != ET_DYN && o->type != ET_EXEC) || o->elf.segment_size != o->elf.layout->segment_size)
		return EP_HEADER_TYPE;
	return EP_HEADER_OK;
}

/* The program headers usually follow the header, so one read(2) is enough for both. */
static void seed_segments(struct ep_object *o)
{
	const struct ep_window *window = &o->window[0];
	size_t size = within(window, o->elf.table), segment = o->elf.layout->segment_size;

	if (size > sizeof(o->elf.buffer))
		size = sizeof(o->elf.buffer);
	if (!segment || size < segment)
		return;
	memcpy(o->elf.buffer, window->bytes + o->elf.table, size);
	o->elf.loaded = size / segment;
}

/* The beginning of the file. Returns 0, or a negative errno. */
static int read_head(struct ep_object *o, int fd)
{
	ssize_t n = ep_pread(fd, o->window[0].bytes, sizeof(o->window[0].bytes), 0);

	if (n < 0)
		return n;
	for (unsigned i = 0; i < EP_WINDOWS; i++)
		o->window[i].size = 0;
	o->window[0].at = 0;
	o->window[0].size = n;
	o->window_next = 1;
	memset(&o->head, 0, sizeof(o->head));
	o->head.size = (size_t)n < sizeof(o->head.bytes) ? (size_t)n : sizeof(o->head.bytes);
	memcpy(o->head.bytes, o->window[0].bytes, o->head.size);
	return 0;
}

int ep_object_header(struct ep_object *o, int fd, const struct ep_kind *kind)
{
	struct errpipe_link link = { .path = NULL };
	int error = read_head(o, fd);

	if (error < 0)
		return error;
	o->elf_class = link.elf_class = o->head.bytes[EI_CLASS];
	o->order = link.elf_data = o->head.bytes[EI_DATA];
	ep_elf_open(&o->elf, &link, fd, &o->head);
	seed_segments(o);
	o->type = ep_elf_number(o->head.bytes + EI_NIDENT, 2, o->elf.order);
	o->machine = ep_elf_number(o->head.bytes + EI_NIDENT + 2, 2, o->elf.order);
	if (o->head.size < ep_elf_header_size(kind ? kind->elf_class : o->elf_class))
		return EP_HEADER_SHORT;
	return compare(o, kind);
}

/* --- the dynamic section ------------------------------------------------------------------------------------ */

static const uint64_t tag_numbers[EP_TAGS] = {
	[EP_STRTAB] = DT_STRTAB,   [EP_SONAME] = DT_SONAME,	  [EP_RPATH] = DT_RPATH,
	[EP_RUNPATH] = DT_RUNPATH, [EP_FLAGS_1] = DT_FLAGS_1,	  [EP_VERNEED] = DT_VERNEED,
	[EP_VERDEF] = DT_VERDEF,   [EP_AUDIT] = TAG_AUDIT,	  [EP_DEPAUDIT] = TAG_DEPAUDIT,
	[EP_SYMTAB] = DT_SYMTAB,   [EP_GNU_HASH] = DT_GNU_HASH,	  [EP_VERSYM] = DT_VERSYM,
	[EP_FLAGS] = DT_FLAGS,	   [EP_BIND_NOW] = DT_BIND_NOW,	  [EP_RELA] = DT_RELA,
	[EP_RELASZ] = DT_RELASZ,   [EP_RELACOUNT] = DT_RELACOUNT, [EP_REL] = DT_REL,
	[EP_RELSZ] = DT_RELSZ,	   [EP_JMPREL] = DT_JMPREL,	  [EP_PLTRELSZ] = DT_PLTRELSZ,
	[EP_PLTREL] = DT_PLTREL,
};

static void read_loads(struct ep_object *o)
{
	struct ep_segment segment;
	int index = -1;

	while ((index = ep_elf_find(&o->elf, index + 1, PT_LOAD, &segment)) >= 0) {
		if (o->loads == EP_LOADS_MAX) {
			o->is_odd = true;
			return;
		}
		o->load[o->loads++] = segment;
	}
}

static void take_need(struct ep_object *o, enum ep_need need, uint64_t name)
{
	if (o->needed == EP_NEEDED_MAX) {
		o->is_odd = true;
		return;
	}
	o->needs[o->needed].name = name;
	o->needs[o->needed++].need = need;
}

static void take_entry(struct ep_object *o, uint64_t tag, uint64_t value)
{
	if (tag == DT_NEEDED)
		take_need(o, EP_NEEDED, value);
	else if (tag == TAG_FILTER)
		take_need(o, EP_FILTER, value);
	else if (tag == TAG_AUXILIARY)
		take_need(o, EP_AUXILIARY, value);
	for (unsigned i = 0; i < EP_TAGS; i++) {
		if (tag == tag_numbers[i]) {
			o->value[i] = value;
			o->tags |= 1U << i;
		}
	}
}

/* The loader stops at DT_NULL, not at the end of the segment. */
static void read_dynamic(struct ep_object *o, uint64_t at)
{
	enum { ENTRIES_MAX = 4096 };
	unsigned size = o->elf_class == ELFCLASS32 ? 4 : 8;
	size_t there;

	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		const unsigned char *entry = bytes_at(o, at + (uint64_t)i * 2 * size, 2 * (size_t)size, &there);
		uint64_t tag = entry ? ep_elf_number(entry, size, o->order) : DT_NULL;

		if (!entry)
			o->is_odd = true;
		if (tag == DT_NULL)
			return;
		take_entry(o, tag, ep_elf_number(entry + size, size, o->order));
	}
	o->is_odd = true;
}

void ep_object_read(struct ep_object *o)
{
	struct ep_segment dynamic;

	o->loads = o->needed = o->tags = 0;
	o->is_odd = false;
	read_loads(o);
	o->has_dynamic = ep_elf_find(&o->elf, 0, PT_DYNAMIC, &dynamic) >= 0 && dynamic.file_size;
	o->dynamic_at = o->has_dynamic ? dynamic.offset : 0;
	if (o->has_dynamic)
		read_dynamic(o, dynamic.offset);
}

bool ep_object_has(const struct ep_object *o, enum ep_tag tag)
{
	return o->tags & 1U << tag;
}

const char *ep_object_string(struct ep_object *o, uint64_t offset)
{
	uint64_t at = ep_object_has(o, EP_STRTAB) ? ep_object_offset(o, o->value[EP_STRTAB] + offset) : UINT64_MAX;
	const unsigned char *string;
	size_t there;

	/* The string can go on after a window: then another one begins with it. */
	for (size_t least = 1; at != UINT64_MAX && least < EP_WINDOW; least = there + 1) {
		string = bytes_at(o, at, least, &there);
		if (!string)
			break;
		if (memchr(string, '\0', there))
			return (const char *)string;
	}
	o->is_odd = true;
	return NULL;
}

const char *ep_object_tag_string(struct ep_object *o, enum ep_tag tag)
{
	return ep_object_has(o, tag) ? ep_object_string(o, o->value[tag]) : NULL;
}

/* --- versions ----------------------------------------------------------------------------------------------- */

/* The tables are the same in both classes (Elf32_Verneed and Elf64_Verneed in elf.h, and so on). */
enum { ENTRIES_MAX = 4096 };

static const unsigned char *entry_at(struct ep_object *o, uint64_t at, size_t size)
{
	size_t there;
	const unsigned char *entry = bytes_at(o, at, size, &there);

	if (!entry)
		o->is_odd = true;
	return entry;
}

static uint32_t word(const struct ep_object *o, const unsigned char *entry, size_t at)
{
	return ep_elf_number(entry + at, 4, o->order);
}

/* The names of files and versions are short. Returns false if this one is not. */
struct short_name {
	char text[256];
};

static bool copy_name(struct ep_object *o, uint32_t offset, struct short_name *name)
{
	const char *string = ep_object_string(o, offset);

	if (!string || strlen(string) >= sizeof(name->text)) {
		o->is_odd = true;
		return false;
	}
	strcpy(name->text, string);
	return true;
}

/* The versions of one file. Returns what each returned, or 0. */
static int needs_of_file(struct ep_object *o, uint64_t at, struct short_name *file, unsigned *left,
			 ep_each_version *each, void *context)
{
	for (; (*left)--;) {
		const unsigned char *aux = entry_at(o, at, sizeof(Elf64_Vernaux));
		struct ep_version version = { .file = file->text };
		struct short_name name;
		uint32_t next;
		int ret;

		if (!aux)
			return 0;
		version.hash = word(o, aux, 0);
		version.is_weak = ep_elf_number(aux + 4, 2, o->order) & VER_FLG_WEAK;
		version.index = ep_elf_number(aux + 6, 2, o->order) & ~EP_VERSION_HIDDEN;
		next = word(o, aux, 12);
		version.name = name.text;
		ret = copy_name(o, word(o, aux, 8), &name) ? each(context, &version) : 0;
		if (ret || !next)
			return ret;
		at += next;
	}
	o->is_odd = true;
	return 0;
}

void ep_object_needs(struct ep_object *o, ep_each_version *each, void *context)
{
	uint64_t at = ep_object_has(o, EP_VERNEED) ? ep_object_offset(o, o->value[EP_VERNEED]) : UINT64_MAX;
	unsigned left = ENTRIES_MAX;

	for (unsigned i = 0; at != UINT64_MAX && i < ENTRIES_MAX; i++) {
		const unsigned char *need = entry_at(o, at, sizeof(Elf64_Verneed));
		struct short_name file;
		uint32_t aux, next;

		if (!need)
			return;
		aux = word(o, need, 8);
		next = word(o, need, 12);
		if (copy_name(o, word(o, need, 4), &file) && needs_of_file(o, at + aux, &file, &left, each, context))
			return;
		if (!next)
			return;
		at += next;
	}
	o->is_odd = o->is_odd || ep_object_has(o, EP_VERNEED);
}

/* The first name of a definition is its own; others are its parents. */
void ep_object_defines(struct ep_object *o, ep_each_version *each, void *context)
{
	uint64_t at = ep_object_has(o, EP_VERDEF) ? ep_object_offset(o, o->value[EP_VERDEF]) : UINT64_MAX;

	for (unsigned i = 0; at != UINT64_MAX && i < ENTRIES_MAX; i++) {
		const unsigned char *def = entry_at(o, at, sizeof(Elf64_Verdef)), *aux;
		struct ep_version version = { .file = NULL };
		struct short_name name;
		uint32_t first, next;

		if (!def)
			return;
		version.hash = word(o, def, 8);
		first = word(o, def, 12);
		next = word(o, def, 16);
		aux = entry_at(o, at + first, sizeof(Elf64_Verdaux));
		version.name = name.text;
		if (aux && copy_name(o, word(o, aux, 0), &name) && each(context, &version))
			return;
		if (!next)
			return;
		at += next;
	}
	o->is_odd = o->is_odd || ep_object_has(o, EP_VERDEF);
}

/* --- notes -------------------------------------------------------------------------------------------------- */

/* Padding is to the alignment of the segment: 8 bytes only for properties of 64-bit files. */
static uint64_t pad(uint64_t size, uint64_t alignment)
{
	uint64_t unit = alignment == 8 ? 8 : 4;

	return (size + unit - 1) / unit * unit;
}

static uint32_t isa_of_properties(const struct ep_object *o, const unsigned char *bytes, size_t size)
{
	size_t unit = o->elf_class == ELFCLASS32 ? 4 : 8;

	while (size >= 12) {
		uint32_t type = word(o, bytes, 0), length = word(o, bytes, 4);
		uint64_t whole = 8 + pad(length, unit);

		if (type == X86_ISA_1_NEEDED && length == 4)
			return word(o, bytes, 8);
		if (whole > size)
			break;
		bytes += whole;
		size -= whole;
	}
	return 0;
}

static uint32_t abi_tag_of(const struct ep_object *o, const unsigned char *bytes, size_t size)
{
	if (size < 16)
		return 0;
	if (word(o, bytes, 0) != ABI_TAG_OS_LINUX)
		return UINT32_MAX;
	return (word(o, bytes, 4) & 0xff) << 16 | (word(o, bytes, 8) & 0xff) << 8 | (word(o, bytes, 12) & 0xff);
}

/* The value of the first note of that type in a segment; 0: none. */
static uint32_t find_note(struct ep_object *o, const struct ep_segment *segment, uint32_t wanted,
			  uint32_t (*value)(const struct ep_object *, const unsigned char *, size_t))
{
	enum { HEADER = 12, LONGEST = 4096 };
	uint64_t size = segment->file_size < LONGEST ? segment->file_size : LONGEST;
	size_t there;
	const unsigned char *bytes = size ? bytes_at(o, segment->offset, size, &there) : NULL;

	while (bytes && size >= HEADER) {
		uint32_t name = word(o, bytes, 0), length = word(o, bytes, 4), type = word(o, bytes, 8);
		uint64_t from = pad(HEADER + (uint64_t)name, segment->alignment);
		uint64_t whole = from + pad(length, segment->alignment);

		if (from > size || length > size - from)
			return 0;
		if (type == wanted && name == 4 && memcmp(bytes + HEADER, "GNU", 4) == 0)
			return value(o, bytes + from, length);
		if (whole > size)
			return 0;
		bytes += whole;
		size -= whole;
	}
	return 0;
}

static uint32_t find_in_segments(struct ep_object *o, uint32_t kind, uint32_t wanted,
				 uint32_t (*value)(const struct ep_object *, const unsigned char *, size_t))
{
	struct ep_segment segment;
	uint32_t found = 0;
	int index = -1;

	while (!found && (index = ep_elf_find(&o->elf, index + 1, kind, &segment)) >= 0)
		found = find_note(o, &segment, wanted, value);
	return found;
}

/* On x86, glibc reads PT_NOTE and not PT_GNU_PROPERTY (its sysdeps/x86/dl-prop.h). */
uint32_t ep_object_isa_needed(struct ep_object *o)
{
	if (o->machine != EM_X86_64 && o->machine != EM_386)
		return 0;
	return find_in_segments(o, PT_NOTE, NOTE_PROPERTY, isa_of_properties);
}

uint32_t ep_object_abi_tag(struct ep_object *o)
{
	return find_in_segments(o, PT_NOTE, NOTE_ABI_TAG, abi_tag_of);
}

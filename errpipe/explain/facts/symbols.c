/* SPDX-License-Identifier: MIT */
/* Read the symbols of an ELF file, and the relocations that bind them, without trust in any of their numbers. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/symbols.h"

/* --- defined symbols --------------------------------------------------------------------------------------------- */

enum { OWN_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB };

static const uint32_t *read_words(struct ep_object *o, uint64_t at, size_t count, struct ep_symbol_room *room)
{
	uint32_t *words = room->words + room->used;
	unsigned char *bytes = (unsigned char *)words;

	if (count > room->max - room->used || ep_pread(o->elf.fd, bytes, count * 4, at) != (ssize_t)(count * 4))
		return NULL;
	for (size_t i = 0; o->order != OWN_ORDER && i < count; i++)
		words[i] = ep_elf_number(bytes + 4 * i, 4, o->order);
	room->used += count;
	return words;
}

static uint32_t last_in_chains(const struct ep_symbols *symbols)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < symbols->buckets; i++)
		last = symbols->bucket[i] > last ? symbols->bucket[i] : last;
	return last;
}

/* Each bucket has the index of its first symbol. The last chain ends at an odd number. */
static bool read_chains(struct ep_object *o, uint64_t at, struct ep_symbols *symbols, struct ep_symbol_room *room)
{
	enum { CHAINS_MAX = 1 << 20, LONGEST_CHAIN = 1024 };
	uint32_t last = last_in_chains(symbols), count;
	const uint32_t *more;

	if (last < symbols->first)
		return true;
	if (last - symbols->first >= CHAINS_MAX)
		return false;
	count = last - symbols->first + 1;
	symbols->chain = read_words(o, at, count, room);
	symbols->chains = count;
	while (symbols->chain && !(symbols->chain[symbols->chains - 1] & 1)) {
		more = symbols->chains < count + LONGEST_CHAIN
			       ? read_words(o, at + symbols->chains * UINT64_C(4), 1, room)
			       : NULL;
		symbols->chains++;
		if (!more)
			return false;
	}
	return symbols->chain;
}

bool ep_object_symbols(struct ep_object *o, struct ep_symbols *symbols, struct ep_symbol_room *room)
{
	enum { BUCKETS_MAX = 1 << 18, FILTER_MAX = 1 << 18 };
	uint64_t at = ep_object_has(o, EP_GNU_HASH) ? ep_object_offset(o, o->value[EP_GNU_HASH]) : UINT64_MAX;
	const uint32_t *header = at != UINT64_MAX ? read_words(o, at, 4, room) : NULL;
	uint64_t filter;

	memset(symbols, 0, sizeof(*symbols));
	if (!header || !header[0] || header[0] > BUCKETS_MAX || header[2] > FILTER_MAX)
		return false;
	filter = header[2] * UINT64_C(4) * (o->elf_class == ELFCLASS32 ? 1 : 2);
	symbols->buckets = header[0];
	symbols->first = header[1];
	at += 16 + filter;
	symbols->bucket = read_words(o, at, symbols->buckets, room);
	return symbols->bucket && read_chains(o, at + symbols->buckets * UINT64_C(4), symbols, room);
}

uint32_t ep_symbol_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

bool ep_symbols_have(const struct ep_symbols *symbols, uint32_t hash)
{
	uint32_t index = symbols->buckets ? symbols->bucket[hash % symbols->buckets] : 0;

	if (!symbols->chains || index < symbols->first)
		return false;
	for (uint32_t i = index - symbols->first; i < symbols->chains; i++) {
		if ((symbols->chain[i] ^ hash) >> 1 == 0)
			return true;
		if (symbols->chain[i] & 1)
			return false;
	}
	return false;
}

/* --- needed symbols ----------------------------------------------------------------------------------------- */

/* Elf32_Sym and Elf64_Sym in elf.h. */
struct layout {
	unsigned size, info, other, section;
};

static struct layout layout_of(const struct ep_object *o)
{
	return o->elf_class == ELFCLASS32 ? (struct layout){ 16, 12, 13, 14 } : (struct layout){ 24, 4, 5, 6 };
}

/* If no symbol is defined, the hash table does not have their number. In all files the strings follow the symbols. */
static uint32_t count_undefined(const struct ep_object *o, const struct ep_symbols *symbols)
{
	uint64_t from = o->value[EP_SYMTAB], to = o->value[EP_STRTAB];

	if (symbols->chains)
		return symbols->first;
	return to > from && (to - from) / layout_of(o).size < UINT32_MAX ? (to - from) / layout_of(o).size
									 : UINT32_MAX;
}

static bool is_undefined(const struct ep_object *o, const unsigned char *symbol)
{
	struct layout layout = layout_of(o);

	return symbol[layout.info] >> 4 == STB_GLOBAL && (symbol[layout.other] & 3) == STV_DEFAULT &&
	       ep_elf_number(symbol + layout.section, 2, o->order) == SHN_UNDEF;
}

enum { PART = 256, VERSION_SIZE = 2 };

/* A part of the symbols, with their versions. */
struct part {
	unsigned char symbol[PART * sizeof(Elf64_Sym)], version[PART * VERSION_SIZE];
	bool has_versions;
};

static bool read_part(struct ep_object *o, uint32_t first, uint32_t count, struct part *part)
{
	uint64_t symbols = ep_object_offset(o, o->value[EP_SYMTAB]), versions = UINT64_MAX;
	size_t size = (size_t)count * layout_of(o).size;

	part->has_versions = ep_object_has(o, EP_VERSYM);
	if (part->has_versions)
		versions = ep_object_offset(o, o->value[EP_VERSYM]);
	if (symbols == UINT64_MAX || (part->has_versions && versions == UINT64_MAX))
		return false;
	symbols += (uint64_t)first * layout_of(o).size;
	if (ep_pread(o->elf.fd, part->symbol, size, symbols) != (ssize_t)size)
		return false;
	size = (size_t)count * VERSION_SIZE;
	versions += (uint64_t)first * VERSION_SIZE;
	return !part->has_versions || ep_pread(o->elf.fd, part->version, size, versions) == (ssize_t)size;
}

static bool is_left_out(const struct ep_object *o, const struct part *part, uint32_t i, uint64_t left_out)
{
	unsigned version = VER_NDX_GLOBAL;

	if (part->has_versions)
		version = ep_elf_number(part->version + (size_t)i * VERSION_SIZE, VERSION_SIZE, o->order);
	version &= ~EP_VERSION_HIDDEN;
	return version > VER_NDX_GLOBAL && left_out >> (version < EP_VERSION_LAST ? version : EP_VERSION_LAST) & 1;
}

bool ep_object_undefined(struct ep_object *o, const struct ep_symbols *symbols, uint64_t left_out,
			 ep_each_symbol *each, void *context)
{
	enum { UNDEFINED_MAX = 1 << 16 };
	uint32_t count = ep_object_has(o, EP_SYMTAB) ? count_undefined(o, symbols) : 0;
	struct part part;

	for (uint32_t i = 1; i < count; i++) {
		uint32_t in_part = (i - 1) % PART, left = count - i;
		const unsigned char *symbol = part.symbol + (size_t)in_part * layout_of(o).size;
		const char *name;

		if (count > UNDEFINED_MAX || (!in_part && !read_part(o, i, left < PART ? left : PART, &part)))
			return false;
		if (!is_undefined(o, symbol) || is_left_out(o, &part, in_part, left_out))
			continue;
		name = ep_object_string(o, ep_elf_number(symbol, 4, o->order));
		if (!name)
			return false;
		if (each(context, i, name))
			return true;
	}
	return true;
}

const char *ep_object_symbol_name(struct ep_object *o, uint32_t index)
{
	struct part part;

	return ep_object_has(o, EP_SYMTAB) && read_part(o, index, 1, &part)
		       ? ep_object_string(o, ep_elf_number(part.symbol, 4, o->order))
		       : NULL;
}

/* --- when they are bound ------------------------------------------------------------------------------------ */

bool ep_object_binds_now(const struct ep_object *o)
{
	return ep_object_has(o, EP_BIND_NOW) || (ep_object_has(o, EP_FLAGS) && o->value[EP_FLAGS] & DF_BIND_NOW) ||
	       (ep_object_has(o, EP_FLAGS_1) && o->value[EP_FLAGS_1] & DF_1_NOW);
}

/* A table of relocations. Each entry begins with an address and a number, which has the symbol in its upper part. */
struct relocations {
	uint64_t at, size;
	unsigned entry;
};

static struct relocations table_of(const struct ep_object *o, enum ep_tag at, enum ep_tag size, bool has_addend)
{
	unsigned word = o->elf_class == ELFCLASS32 ? 4 : 8;
	struct relocations table = { .entry = word * (has_addend ? 3 : 2) };

	if (ep_object_has(o, at) && ep_object_has(o, size)) {
		table.at = o->value[at];
		table.size = o->value[size];
	}
	return table;
}

static uint32_t symbol_of(const struct ep_object *o, const unsigned char *entry)
{
	uint64_t info = o->elf_class == ELFCLASS32 ? ep_elf_number(entry + 4, 4, o->order) << 24
						   : ep_elf_number(entry + 8, 8, o->order);
	bool is_none = o->elf_class == ELFCLASS32 ? !(info >> 24 & 0xff) : !(info & UINT32_MAX);

	return is_none ? 0 : info >> 32;
}

/* Does it have a relocation for this symbol outside the table not_in? */
static bool table_has(struct ep_object *o, struct relocations table, struct relocations not_in, uint32_t index)
{
	enum { SIZE_MAX_READ = 1 << 22, ENTRIES = 128 };
	unsigned char bytes[ENTRIES * sizeof(Elf64_Rela)];
	uint64_t from = ep_object_offset(o, table.at);

	if (!table.size || table.size > SIZE_MAX_READ || from == UINT64_MAX)
		return false;
	for (uint64_t i = 0; i < table.size / table.entry; i++) {
		uint64_t address = table.at + i * table.entry;

		if (i % ENTRIES == 0 &&
		    ep_pread(o->elf.fd, bytes, (size_t)ENTRIES * table.entry, from + i * table.entry) <= 0)
			return false;
		if (symbol_of(o, bytes + i % ENTRIES * table.entry) == index &&
		    (address < not_in.at || address - not_in.at >= not_in.size))
			return true;
	}
	return false;
}

/* MIPS binds the symbols of its global offset table without relocations, and writes those of 64-bit files differently. */
bool ep_object_binds(struct ep_object *o, uint32_t index, bool now)
{
	bool has_addends = ep_object_has(o, EP_PLTREL) && o->value[EP_PLTREL] == DT_RELA;
	struct relocations later = table_of(o, EP_JMPREL, EP_PLTRELSZ, has_addends), none = { .size = 0 };

	if (o->machine == EM_MIPS)
		return false;
	return (now && table_has(o, later, none, index)) ||
	       table_has(o, table_of(o, EP_RELA, EP_RELASZ, true), now ? none : later, index) ||
	       table_has(o, table_of(o, EP_REL, EP_RELSZ, false), now ? none : later, index);
}

/* The number of the relocation that copies data, R_..._COPY in elf.h; 0: unknown. */
static unsigned copy_of(unsigned machine)
{
	static const struct {
		unsigned short machine, copy;
	} copies[] = {
		{ EM_X86_64, R_X86_64_COPY }, { EM_386, R_386_COPY },	  { EM_AARCH64, R_AARCH64_COPY },
		{ EM_ARM, R_ARM_COPY },	      { EM_RISCV, R_RISCV_COPY }, { EM_PPC, R_PPC_COPY },
		{ EM_PPC64, R_PPC64_COPY },   { EM_S390, R_390_COPY },
	};

	for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
		if (copies[i].machine == machine)
			return copies[i].copy;
	}
	return 0;
}

/* Returns the index of the relocation's symbol, or 0 if it does not copy. */
static uint32_t copied_by(const struct ep_object *o, const unsigned char *entry)
{
	unsigned type = o->elf_class == ELFCLASS32 ? entry[o->order == ELFDATA2LSB ? 4 : 7]
						   : ep_elf_number(entry + 8, 8, o->order) & UINT32_MAX;

	return type && type == copy_of(o->machine) ? symbol_of(o, entry) : 0;
}

static int tell_copied(struct ep_object *o, uint32_t index, uint64_t left_out, ep_each_symbol *each, void *context)
{
	struct part part;
	const char *name;

	if (!index || !read_part(o, index, 1, &part) || is_left_out(o, &part, 0, left_out))
		return 0;
	name = part.symbol[layout_of(o).info] >> 4 == STB_GLOBAL
		       ? ep_object_string(o, ep_elf_number(part.symbol, 4, o->order))
		       : NULL;
	return name ? each(context, index, name) : 0;
}

/* The relocations without a symbol come first. */
void ep_object_copied(struct ep_object *o, uint64_t left_out, ep_each_symbol *each, void *context)
{
	enum { SIZE_MAX_READ = 1 << 14 };
	struct relocations table = table_of(o, EP_RELA, EP_RELASZ, true);
	uint64_t skipped = ep_object_has(o, EP_RELACOUNT) ? o->value[EP_RELACOUNT] * table.entry : 0;
	unsigned char bytes[SIZE_MAX_READ];
	uint64_t from = ep_object_offset(o, table.at);
	ssize_t size;

	if (!ep_object_has(o, EP_SYMTAB) || from == UINT64_MAX || skipped >= table.size ||
	    table.size - skipped > sizeof(bytes))
		return;
	size = ep_pread(o->elf.fd, bytes, table.size - skipped, from + skipped);
	for (ssize_t i = 0; i + (ssize_t)table.entry <= size; i += table.entry) {
		if (tell_copied(o, copied_by(o, bytes + i), left_out, each, context))
			return;
	}
}

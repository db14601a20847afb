/* SPDX-License-Identifier: MIT */
/* A writer of small dynamic ELF files, for the machine of the test itself, and of ld.so.cache. */
#ifndef TESTS_DYNAMIC_H
#define TESTS_DYNAMIC_H

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DYNAMIC_SIZE = 0x8000, DYNAMIC_LIST = 4, DYNAMIC_ALIGNMENT = 0x10000 };

/* A version of a file that is needed, or, without a file, one that is defined. */
struct dynamic_version {
	const char *file, *name;
	int weak;
};

struct dynamic_file {
	const char *soname, *rpath, *runpath, *loader;
	const char *filter, *auxiliary; /* libraries: gcc's -Wl,-F and -Wl,-f */
	const char *needed[DYNAMIC_LIST];
	struct dynamic_version version[DYNAMIC_LIST];
	unsigned flags_1;
	unsigned machine;      /* 0: that of the test */
	unsigned type;	       /* 0: ET_DYN */
	unsigned char system;  /* EI_OSABI */
	unsigned isa;	       /* x86: the bits of X86_ISA_1_NEEDED; 0: no such note */
	unsigned kernel[3];    /* of the ABI tag; 0: none */
	const char *constants; /* that are in its code, as in a loader */
	size_t constants_size;
};

/* The places of the parts. */
enum {
	DYNAMIC_NOTES_AT = 0x400,
	DYNAMIC_TEXT_AT = 0x800,
	DYNAMIC_VERSIONS_AT = 0x1000,
	DYNAMIC_SECTION_AT = 0x2000,
	DYNAMIC_STRINGS_AT = 0x3000,
	DYNAMIC_CONSTANTS_AT = 0x4000
};

struct dynamic_writer {
	unsigned char bytes[DYNAMIC_SIZE];
	size_t strings, entries, notes, at;
};

static inline size_t dynamic_string(struct dynamic_writer *w, const char *string)
{
	size_t at = w->strings;

	strcpy((char *)w->bytes + DYNAMIC_STRINGS_AT + at, string);
	w->strings += strlen(string) + 1;
	return at;
}

static inline void dynamic_entry(struct dynamic_writer *w, long tag, size_t value)
{
	ElfW(Dyn) entry = { .d_tag = tag };

	entry.d_un.d_val = value;
	memcpy(w->bytes + DYNAMIC_SECTION_AT + sizeof(entry) * w->entries++, &entry, sizeof(entry));
}

static inline void dynamic_tag(struct dynamic_writer *w, long tag, const char *string)
{
	if (string)
		dynamic_entry(w, tag, dynamic_string(w, string));
}

/* The function that ELF files hash names by: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html */
static inline uint32_t dynamic_hash(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		hash = (hash ^ (hash & 0xf0000000) >> 24) & ~0xf0000000;
	}
	return hash;
}

/* Each version that is needed has an entry of its own. */
static inline void dynamic_needs(struct dynamic_writer *w, const struct dynamic_file *file)
{
	size_t at = DYNAMIC_VERSIONS_AT;
	ElfW(Verneed) *last = NULL;

	for (int i = 0; i < DYNAMIC_LIST && file->version[i].name; i++) {
		const struct dynamic_version *version = &file->version[i];
		ElfW(Verneed) *need = (void *)(w->bytes + at);
		ElfW(Vernaux) *aux = (void *)(need + 1);

		if (!version->file)
			continue;
		*need = (ElfW(Verneed)){ .vn_version = 1, .vn_cnt = 1, .vn_aux = sizeof(*need) };
		need->vn_file = dynamic_string(w, version->file);
		*aux = (ElfW(Vernaux)){ .vna_hash = dynamic_hash(version->name),
					.vna_flags = version->weak ? VER_FLG_WEAK : 0 };
		aux->vna_name = dynamic_string(w, version->name);
		if (last)
			last->vn_next = sizeof(*need) + sizeof(*aux);
		else
			dynamic_entry(w, DT_VERNEED, at);
		last = need;
		at += sizeof(*need) + sizeof(*aux);
	}
	w->at = at;
}

static inline void dynamic_definitions(struct dynamic_writer *w, const struct dynamic_file *file)
{
	ElfW(Verdef) *last = NULL;

	for (int i = 0; i < DYNAMIC_LIST && file->version[i].name; i++) {
		const struct dynamic_version *version = &file->version[i];
		ElfW(Verdef) *def = (void *)(w->bytes + w->at);
		ElfW(Verdaux) *aux = (void *)(def + 1);

		if (version->file)
			continue;
		*def = (ElfW(Verdef)){ .vd_version = 1,
				       .vd_cnt = 1,
				       .vd_ndx = i + 1,
				       .vd_hash = dynamic_hash(version->name),
				       .vd_aux = sizeof(*def) };
		aux->vda_name = dynamic_string(w, version->name);
		if (last)
			last->vd_next = sizeof(*def) + sizeof(*aux);
		else
			dynamic_entry(w, DT_VERDEF, w->at);
		last = def;
		w->at += sizeof(*def) + sizeof(*aux);
	}
}

static inline void dynamic_note(struct dynamic_writer *w, uint32_t type, const uint32_t *words, uint32_t count)
{
	const uint32_t header[] = { 4, count * 4, type };
	unsigned char *at = w->bytes + DYNAMIC_NOTES_AT + w->notes;

	memcpy(at, header, sizeof(header));
	memcpy(at + sizeof(header), "GNU", 4);
	memcpy(at + sizeof(header) + 4, words, count * sizeof(*words));
	w->notes += sizeof(header) + 4 + count * sizeof(*words);
}

static inline void dynamic_notes(struct dynamic_writer *w, const struct dynamic_file *file)
{
	const uint32_t isa[] = { 0xc0008002, 4, file->isa, 0 };
	const uint32_t tag[] = { 0, file->kernel[0], file->kernel[1], file->kernel[2] };

	if (file->isa)
		dynamic_note(w, 5, isa, 4);
	if (file->kernel[0])
		dynamic_note(w, 1, tag, 4);
}

static inline void dynamic_segments(struct dynamic_writer *w, const struct dynamic_file *file)
{
	ElfW(Phdr) segments[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = DYNAMIC_SIZE, .p_align = DYNAMIC_ALIGNMENT },
		{ .p_type = PT_DYNAMIC, .p_flags = PF_R, .p_offset = DYNAMIC_SECTION_AT },
		{ .p_type = PT_NOTE, .p_flags = PF_R, .p_offset = DYNAMIC_NOTES_AT, .p_align = 8 },
		{ .p_type = file->loader ? PT_INTERP : PT_NULL, .p_flags = PF_R, .p_offset = DYNAMIC_TEXT_AT },
	};
	ElfW(Ehdr) *header = (void *)w->bytes;

	segments[1].p_filesz = w->entries * sizeof(ElfW(Dyn));
	segments[2].p_filesz = w->notes;
	if (file->loader) {
		strcpy((char *)w->bytes + DYNAMIC_TEXT_AT, file->loader);
		segments[3].p_filesz = strlen(file->loader) + 1;
	}
	for (int i = 0; i < 4; i++) {
		segments[i].p_vaddr = segments[i].p_offset;
		segments[i].p_memsz = segments[i].p_filesz;
	}
	memcpy(w->bytes + sizeof(*header), segments, sizeof(segments));
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*segments);
	header->e_phnum = 4;
}

/* The header of the test itself, as far as it shows the machine. */
static inline void dynamic_header(struct dynamic_writer *w, const struct dynamic_file *file)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) own, *header = (void *)w->bytes;

	ck_assert_int_eq(read(fd, &own, sizeof(own)), sizeof(own));
	close(fd);
	memcpy(header->e_ident, own.e_ident, EI_NIDENT);
	header->e_ident[EI_OSABI] = file->system;
	header->e_type = file->type ? file->type : ET_DYN;
	header->e_machine = file->machine ? file->machine : own.e_machine;
	header->e_version = EV_CURRENT;
	header->e_flags = own.e_flags;
	header->e_ehsize = sizeof(*header);
	header->e_entry = DYNAMIC_CONSTANTS_AT;
}

/* Write the file below the directory. */
static inline void dynamic_write(int directory, const char *path, const struct dynamic_file *file)
{
	static struct dynamic_writer w;
	int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	memset(&w, 0, sizeof(w));
	w.strings = 1;
	ck_assert_msg(fd >= 0, "%s", path);
	dynamic_header(&w, file);
	dynamic_entry(&w, DT_STRTAB, DYNAMIC_STRINGS_AT);
	dynamic_tag(&w, DT_SONAME, file->soname);
	dynamic_tag(&w, DT_RPATH, file->rpath);
	dynamic_tag(&w, DT_RUNPATH, file->runpath);
	dynamic_tag(&w, DT_FILTER, file->filter);
	dynamic_tag(&w, DT_AUXILIARY, file->auxiliary);
	for (int i = 0; i < DYNAMIC_LIST; i++)
		dynamic_tag(&w, DT_NEEDED, file->needed[i]);
	if (file->flags_1)
		dynamic_entry(&w, DT_FLAGS_1, file->flags_1);
	dynamic_needs(&w, file);
	dynamic_definitions(&w, file);
	dynamic_notes(&w, file);
	dynamic_entry(&w, DT_NULL, 0);
	dynamic_segments(&w, file);
	if (file->constants)
		memcpy(w.bytes + DYNAMIC_CONSTANTS_AT, file->constants, file->constants_size);
	ck_assert_int_eq(write(fd, w.bytes, sizeof(w.bytes)), sizeof(w.bytes));
	fchmod(fd, 0755);
	close(fd);
}

/* --- ld.so.cache: sysdeps/generic/dl-cache.h in glibc --- */

enum { CACHE_ENTRIES = 8, CACHE_HEADER = 48, CACHE_ENTRY = 24 };

struct cache_entry {
	const char *name, *path;
	int flags;
	const char *hwcaps; /* "x86-64-v3"; NULL: for all processors */
};

struct cache_writer {
	unsigned char bytes[4096];
	size_t size;
};

static inline uint32_t cache_string(struct cache_writer *w, const char *string)
{
	uint32_t at = w->size;

	strcpy((char *)w->bytes + at, string);
	w->size += strlen(string) + 1;
	return at;
}

static inline void cache_number(struct cache_writer *w, size_t at, uint32_t number)
{
	memcpy(w->bytes + at, &number, sizeof(number));
}

/* The one section that there is. Each entry has its own name of a subdirectory. */
static inline void cache_extension(struct cache_writer *w, const struct cache_entry *entries, size_t count)
{
	uint32_t names[CACHE_ENTRIES];
	size_t at;

	for (size_t i = 0; i < count; i++)
		names[i] = cache_string(w, entries[i].hwcaps ? entries[i].hwcaps : "");
	at = (w->size + 7) / 8 * 8;
	cache_number(w, 32, at);
	cache_number(w, at, 0xeaa42174);
	cache_number(w, at + 4, 1);
	cache_number(w, at + 8, 1);
	cache_number(w, at + 16, at + 24);
	cache_number(w, at + 20, count * 4);
	memcpy(w->bytes + at + 24, names, count * 4);
	w->size = at + 24 + count * 4;
}

/* The entries are in the order of the file: the largest name first. */
static inline void cache_write(int directory, const char *path, const struct cache_entry *entries, size_t count)
{
	struct cache_writer w = { .size = CACHE_HEADER + count * CACHE_ENTRY };
	int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	memcpy(w.bytes, "glibc-ld.so.cache1.1", 20);
	cache_number(&w, 20, count);
	w.bytes[28] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 2 : 3;
	for (size_t i = 0; i < count; i++) {
		size_t at = CACHE_HEADER + i * CACHE_ENTRY;
		uint64_t hwcap = entries[i].hwcaps ? UINT64_C(1) << 62 | i : 0;

		cache_number(&w, at, entries[i].flags);
		cache_number(&w, at + 4, cache_string(&w, entries[i].name));
		cache_number(&w, at + 8, cache_string(&w, entries[i].path));
		memcpy(w.bytes + at + 16, &hwcap, sizeof(hwcap));
	}
	cache_extension(&w, entries, count);
	ck_assert_int_eq(write(fd, w.bytes, w.size), w.size);
	close(fd);
}

#endif

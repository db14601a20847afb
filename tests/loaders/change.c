/* SPDX-License-Identifier: MIT */
/* What can be wrong with a library, made in the upper directory of an overlay. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/loaders/loaders.h"

/* Larger libraries would be copied for a long time. */
enum { SIZE_MAX_CHANGED = 64 << 20 };

/* foreign_libraries has some of these, which are small. */
enum { FOREIGN_SIZE_MAX = 65536 };
const char *foreign_libraries;

/* --- reading ------------------------------------------------------------------------------------------------- */

static ElfW(Ehdr) * header(unsigned char *image)
{
	return (ElfW(Ehdr) *)image;
}

static ElfW(Phdr) * segment(unsigned char *image, unsigned type)
{
	ElfW(Phdr) *phdr = (ElfW(Phdr) *)(image + header(image)->e_phoff);

	for (int i = 0; i < header(image)->e_phnum; i++)
		if (phdr[i].p_type == type)
			return phdr + i;
	return NULL;
}

/* The place of an address in the file. */
static unsigned char *at(unsigned char *image, ElfW(Addr) address)
{
	ElfW(Phdr) *phdr = (ElfW(Phdr) *)(image + header(image)->e_phoff);

	for (int i = 0; i < header(image)->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD && address >= phdr[i].p_vaddr &&
		    address < phdr[i].p_vaddr + phdr[i].p_filesz)
			return image + phdr[i].p_offset + (address - phdr[i].p_vaddr);
	return NULL;
}

static ElfW(Dyn) * dynamic(unsigned char *image, ElfW(Sxword) tag)
{
	ElfW(Phdr) *phdr = segment(image, PT_DYNAMIC);

	for (ElfW(Dyn) *entry = phdr ? (ElfW(Dyn) *)(image + phdr->p_offset) : NULL; entry && entry->d_tag; entry++)
		if (entry->d_tag == tag)
			return entry;
	return NULL;
}

static void read_name(struct library *library)
{
	ElfW(Dyn) *strings = dynamic(library->image, DT_STRTAB), *name = dynamic(library->image, DT_SONAME);
	const char *table = strings ? (const char *)at(library->image, strings->d_un.d_ptr) : NULL;

	snprintf(library->name, sizeof(library->name), "%s",
		 name && table ? table + name->d_un.d_val : strrchr(library->path, '/') + 1);
}

static bool read_all(int fd, unsigned char *image, size_t size)
{
	for (ssize_t n; size; image += n, size -= n) {
		n = read(fd, image, size);
		if (n <= 0)
			return false;
	}
	return true;
}

int read_library(struct library *library, const char *root, const char *path)
{
	char full[PATH_MAX];
	struct stat st;
	int fd, ret = -1;

	*library = (struct library){ .path = path };
	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(ElfW(Ehdr)) &&
	    st.st_size < SIZE_MAX_CHANGED) {
		library->size = st.st_size;
		library->image = malloc(library->size);
		if (library->image && read_all(fd, library->image, library->size) &&
		    memcmp(library->image, ELFMAG, SELFMAG) == 0) {
			read_name(library);
			ret = 0;
		}
	}
	close(fd);
	return ret;
}

void forget_library(struct library *library)
{
	free(library->image);
	library->image = NULL;
}

/* --- a library that is damaged, or of another kind. Each returns 0, or -1 if it does not apply ------------------ */

static int empty(unsigned char *image, size_t *size)
{
	(void)image;
	*size = 0;
	return 0;
}

static int header_cut_off(unsigned char *image, size_t *size)
{
	(void)image;
	*size = 40;
	return 0;
}

static int only_header(unsigned char *image, size_t *size)
{
	(void)image;
	*size = sizeof(ElfW(Ehdr));
	return 0;
}

static int linker_script(unsigned char *image, size_t *size)
{
	*size = sprintf((char *)image, "/* GNU ld script */\nINPUT ( -lncursesw_and_others )\n/* %32s */\n", "");
	return 0;
}

/* The library foreign-NAME.so of the directory of foreign libraries. */
static int foreign(const char *name, unsigned char *image, size_t *size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/foreign-%s.so", foreign_libraries, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, image, FOREIGN_SIZE_MAX);
	close(fd);
	if (n <= 0)
		return -1;
	*size = n;
	return 0;
}

static int other_machine(unsigned char *image, size_t *size)
{
	return foreign("machine", image, size);
}

static int other_class(unsigned char *image, size_t *size)
{
	return foreign("class", image, size);
}

static int other_byte_order(unsigned char *image, size_t *size)
{
	return foreign("order", image, size);
}

static int other_system(unsigned char *image, size_t *size)
{
	(void)size;
	image[EI_OSABI] = ELFOSABI_FREEBSD;
	return 0;
}

static int object_file(unsigned char *image, size_t *size)
{
	(void)size;
	header(image)->e_type = ET_REL;
	return 0;
}

static int program(unsigned char *image, size_t *size)
{
	(void)size;
	header(image)->e_type = ET_EXEC;
	return 0;
}

static int small_headers(unsigned char *image, size_t *size)
{
	(void)size;
	header(image)->e_phentsize--;
	return 0;
}

static int no_dynamic_section(unsigned char *image, size_t *size)
{
	ElfW(Phdr) *phdr = segment(image, PT_DYNAMIC);

	(void)size;
	if (!phdr)
		return -1;
	phdr->p_type = PT_NULL;
	return 0;
}

static int no_segments(unsigned char *image, size_t *size)
{
	ElfW(Phdr) * phdr;

	(void)size;
	while ((phdr = segment(image, PT_LOAD)))
		phdr->p_type = PT_NULL;
	return 0;
}

/* Rename the version definitions from first on, count of them at most. The one at 0 names the library. */
static int rename_versions(unsigned char *image, ElfW(Xword) first, ElfW(Xword) count)
{
	ElfW(Dyn) *tag = dynamic(image, DT_VERDEF), *number = dynamic(image, DT_VERDEFNUM);
	unsigned char *place = tag ? at(image, tag->d_un.d_ptr) : NULL;
	const ElfW(Verdaux) *library = NULL;

	if (!place || !number || number->d_un.d_val <= first)
		return -1;
	for (ElfW(Xword) i = 0; i < number->d_un.d_val && i < first + count; i++) {
		ElfW(Verdef) *version = (ElfW(Verdef) *)place;
		ElfW(Verdaux) *name = (ElfW(Verdaux) *)(place + version->vd_aux);

		if (!library)
			library = name;
		if (i >= first) {
			name->vda_name = library->vda_name;
			version->vd_hash ^= 1;
		}
		place += version->vd_next;
	}
	return 0;
}

/* As an older version of the library: it lacks the newest versions of the symbols. */
static int old_versions(unsigned char *image, size_t *size)
{
	const ElfW(Dyn) *number = dynamic(image, DT_VERDEFNUM);

	(void)size;
	return number ? rename_versions(image, 1 + number->d_un.d_val / 3, number->d_un.d_val) : -1;
}

static int one_version_gone(unsigned char *image, size_t *size)
{
	(void)size;
	return rename_versions(image, 1, 1);
}

/* As a library that was built without them: the loader of glibc warns, and takes it. */
static int no_versions(unsigned char *image, size_t *size)
{
	static const ElfW(Sxword) tags[] = { DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM };
	enum { UNKNOWN_TAG = 0x60000001 };

	(void)size;
	if (!dynamic(image, DT_VERDEF))
		return -1;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		ElfW(Dyn) *entry = dynamic(image, tags[i]);

		if (entry)
			entry->d_tag = UNKNOWN_TAG;
	}
	return 0;
}

static ElfW(Nhdr) * note(unsigned char *image, unsigned type)
{
	ElfW(Phdr) *phdr = (ElfW(Phdr) *)(image + header(image)->e_phoff);

	for (int i = 0; i < header(image)->e_phnum; i++) {
		ElfW(Nhdr) *note = (ElfW(Nhdr) *)(image + phdr[i].p_offset);

		if (phdr[i].p_type == PT_NOTE && phdr[i].p_filesz >= 32 && note->n_type == type &&
		    memcmp(note + 1, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
			return note;
	}
	return NULL;
}

/* The ABI tag is the first note of its segment in a library of glibc only, and not always. */
static int newer_kernel(unsigned char *image, size_t *size)
{
	for (size_t i = 0; i + 32 <= *size && i < 4096; i += 4) {
		ElfW(Nhdr) *tag = (ElfW(Nhdr) *)(image + i);
		uint32_t *version = (uint32_t *)((char *)(tag + 1) + 4);

		if (tag->n_type == NT_GNU_ABI_TAG && tag->n_namesz == 4 && tag->n_descsz == 16 &&
		    memcmp(tag + 1, ELF_NOTE_GNU, 4) == 0) {
			version[1] = 255;
			return 0;
		}
	}
	return -1;
}

#ifdef __x86_64__
/* x86-64 psABI: the property note of gcc -Wl,-z,x86-64-v4. Here it takes the place of the build id. */
static int newer_processor(unsigned char *image, size_t *size)
{
	ElfW(Nhdr) *build_id = note(image, NT_GNU_BUILD_ID);
	ElfW(Phdr) *phdr = (ElfW(Phdr) *)(image + header(image)->e_phoff);
	uint32_t *words = (uint32_t *)(build_id + 1);

	(void)size;
	if (!build_id || build_id->n_descsz < 16 || note(image, NT_GNU_PROPERTY_TYPE_0))
		return -1;
	build_id->n_type = NT_GNU_PROPERTY_TYPE_0;
	build_id->n_descsz = 16;
	words[1] = 0xc0008002; /* GNU_PROPERTY_X86_ISA_1_NEEDED */
	words[2] = 4;
	words[3] = 1 << 5; /* no processor has this one yet */
	words[4] = 0;
	for (int i = 0; i < header(image)->e_phnum; i++)
		if (phdr[i].p_type == PT_NOTE && phdr[i].p_offset == (size_t)((unsigned char *)build_id - image)) {
			phdr[i].p_filesz = phdr[i].p_memsz = 32;
			phdr[i].p_align = 8;
		}
	return 0;
}
#else
static int newer_processor(unsigned char *image, size_t *size)
{
	(void)image;
	(void)size;
	return -1;
}
#endif

/* --- the changes ---------------------------------------------------------------------------------------------- */

enum place {
	NOT_WRITTEN,
	IN_PLACE, /* instead of the library */
	ASIDE	  /* in the directory /aside, under the name of the library */
};

struct change {
	const char *name;
	int (*damage)(unsigned char *image, size_t *size); /* NULL: a copy */
	enum place place;
	bool gone;	      /* the library itself is removed */
	bool no_cache;	      /* /etc/ld.so.cache and musl's list of directories are removed */
	mode_t kind;	      /* not a regular file */
	const char *variable; /* %s is the name of the library */
	const char *file, *content;
};

static const struct change changes[] = {
	{ "as it is", .kind = 0 },
	{ "removed", .gone = true },
	{ "removed, like ld.so.cache", .gone = true, .no_cache = true },
	{ "without ld.so.cache", .no_cache = true },
	{ "in LD_LIBRARY_PATH only", .place = ASIDE, .gone = true, .variable = "LD_LIBRARY_PATH=/nothing:/aside" },
	{ "after an empty entry of LD_LIBRARY_PATH", .place = ASIDE, .gone = true,
	  .variable = "LD_LIBRARY_PATH=;/aside/" },
	{ "not in LD_LIBRARY_PATH", .gone = true, .variable = "LD_LIBRARY_PATH=/nothing:/tmp:relative" },
	{ "another one in LD_LIBRARY_PATH", .place = ASIDE, .variable = "LD_LIBRARY_PATH=/aside" },
	{ "of another machine in LD_LIBRARY_PATH", .damage = other_machine, .place = ASIDE,
	  .variable = "LD_LIBRARY_PATH=/aside" },
	{ "of another class in LD_LIBRARY_PATH", .damage = other_class, .place = ASIDE,
	  .variable = "LD_LIBRARY_PATH=/aside" },
	{ "text in LD_LIBRARY_PATH", .damage = linker_script, .place = ASIDE, .variable = "LD_LIBRARY_PATH=/aside" },
	{ "an old version in LD_LIBRARY_PATH", .damage = old_versions, .place = ASIDE,
	  .variable = "LD_LIBRARY_PATH=/aside" },
	{ "in LD_PRELOAD only", .place = ASIDE, .gone = true, .variable = "LD_PRELOAD=/aside/%s" },
	{ "missing in LD_PRELOAD", .variable = "LD_PRELOAD=/aside/%s:libnothing.so" },
	{ "of another machine in LD_PRELOAD", .damage = other_machine, .place = ASIDE,
	  .variable = "LD_PRELOAD=/aside/%s" },
	{ "text in LD_PRELOAD", .damage = linker_script, .place = ASIDE, .variable = "LD_PRELOAD=/aside/%s" },
	{ "missing in ld.so.preload", .file = "/etc/ld.so.preload", .content = "/aside/nothing.so /nothing\n" },
	{ "removed, also from ld.so.preload", .gone = true, .file = "/etc/ld.so.preload",
	  .content = "/nothing/%s\n" },
	{ "in ld.so.preload only", .place = ASIDE, .gone = true, .file = "/etc/ld.so.preload",
	  .content = "/aside/%s # it\n" },
	{ "empty", .damage = empty, .place = IN_PLACE },
	{ "cut off in its header", .damage = header_cut_off, .place = IN_PLACE },
	{ "cut off after its header", .damage = only_header, .place = IN_PLACE },
	{ "text", .damage = linker_script, .place = IN_PLACE },
	{ "of another machine", .damage = other_machine, .place = IN_PLACE },
	{ "of another class", .damage = other_class, .place = IN_PLACE },
	{ "of another byte order", .damage = other_byte_order, .place = IN_PLACE },
	{ "of another system", .damage = other_system, .place = IN_PLACE },
	{ "an object file", .damage = object_file, .place = IN_PLACE },
	{ "a program", .damage = program, .place = IN_PLACE },
	{ "with headers of a wrong size", .damage = small_headers, .place = IN_PLACE },
	{ "without a dynamic section", .damage = no_dynamic_section, .place = IN_PLACE },
	{ "without segments", .damage = no_segments, .place = IN_PLACE },
	{ "older", .damage = old_versions, .place = IN_PLACE },
	{ "without one version", .damage = one_version_gone, .place = IN_PLACE },
	{ "without versions", .damage = no_versions, .place = IN_PLACE },
	{ "for a newer kernel", .damage = newer_kernel, .place = IN_PLACE },
	{ "for a newer processor", .damage = newer_processor, .place = IN_PLACE },
	{ "unreadable", .place = IN_PLACE, .kind = S_IFREG },
	{ "a directory", .place = IN_PLACE, .kind = S_IFDIR },
	{ "a dangling link", .place = IN_PLACE, .kind = S_IFLNK },
	{ "a device", .place = IN_PLACE, .kind = S_IFCHR }, /* /dev/full, which does not block a loader */
};

const struct change *change_number(int number)
{
	return number < (int)(sizeof(changes) / sizeof(*changes)) ? changes + number : NULL;
}

const char *change_name(const struct change *change)
{
	return change->name;
}

bool change_needs_library(const struct change *change)
{
	return change->gone || change->place != NOT_WRITTEN || (change->variable && strchr(change->variable, '%'));
}

/* Make the directories of a path in upper, with the modes that they have in the root. */
static int make_parents(const char *root, const char *upper, const char *path)
{
	char below[PATH_MAX], full[2 * PATH_MAX];
	struct stat st;

	snprintf(below, sizeof(below), "%s", path);
	for (char *slash = strchr(below + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		snprintf(full, sizeof(full), "%s%s", root, below);
		if (stat(full, &st) < 0)
			st.st_mode = 0755;
		snprintf(full, sizeof(full), "%s%s", upper, below);
		if (mkdir(full, st.st_mode & 07777) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int remove_file(const char *root, const char *upper, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (access(full, F_OK) < 0)
		return 0;
	snprintf(full, sizeof(full), "%s%s", upper, path);
	/* overlayfs: a character device 0:0 hides the file. */
	return make_parents(root, upper, path) < 0 || mknod(full, S_IFCHR, makedev(0, 0)) < 0 ? -1 : 0;
}

static int write_file(const char *root, const char *upper, const char *path, mode_t mode, const void *content,
		      size_t size)
{
	char full[PATH_MAX];
	int fd, ret;

	snprintf(full, sizeof(full), "%s%s", upper, path);
	if (make_parents(root, upper, path) < 0)
		return -1;
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	ret = write(fd, content, size) == (ssize_t)size && fchmod(fd, mode) == 0 ? 0 : -1;
	close(fd);
	return ret;
}

static int make_special(const struct change *change, const struct library *library, const char *root,
			const char *upper)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", upper, library->path);
	if (make_parents(root, upper, library->path) < 0)
		return -1;
	switch (change->kind) {
	case S_IFDIR:
		return mkdir(full, 0755);
	case S_IFLNK:
		return symlink("/nothing/library", full);
	case S_IFCHR:
		return mknod(full, S_IFCHR | 0666, makedev(1, 7));
	default:
		return write_file(root, upper, library->path, 0, library->image, library->size);
	}
}

static int write_library(const struct change *change, const struct library *library, const char *root,
			 const char *upper)
{
	unsigned char *copy = malloc(library->size + FOREIGN_SIZE_MAX);
	char path[PATH_MAX];
	size_t size = library->size;
	int ret = -1;

	if (!copy)
		return -1;
	memcpy(copy, library->image, size);
	if (change->place == ASIDE)
		snprintf(path, sizeof(path), "/aside/%s", library->name);
	else
		snprintf(path, sizeof(path), "%s", library->path);
	if (!change->damage || change->damage(copy, &size) == 0)
		ret = write_file(root, upper, path, 0755, copy, size);
	free(copy);
	return ret;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static int write_text(const struct change *change, const struct library *library, const char *root, const char *upper)
{
	char text[512];
	int n = snprintf(text, sizeof(text), change->content, library ? library->name : "");

	return write_file(root, upper, change->file, 0644, text, n);
}

static int set_variable(const struct change *change, const struct library *library, char *envp[ENVIRONMENT_MAX])
{
	static char variable[512];
	int n = 0;

	while (envp[n])
		n++;
	snprintf(variable, sizeof(variable), change->variable, library ? library->name : "");
	envp[n] = variable;
	return 0;
}

static int remove_caches(const char *root, const char *upper)
{
	return remove_file(root, upper, "/etc/ld.so.cache") < 0 ||
			       remove_file(root, upper, "/etc/ld-musl-x86_64.path") < 0
		       ? -1
		       : 0;
}

int make_change(const struct change *change, const struct library *library, const char *root, const char *upper,
		char *envp[ENVIRONMENT_MAX])
{
	if (change->gone && remove_file(root, upper, library->path) < 0)
		return -1;
	if (change->no_cache && remove_caches(root, upper) < 0)
		return -1;
	if (change->kind && make_special(change, library, root, upper) < 0)
		return -1;
	if (change->place != NOT_WRITTEN && !change->kind && write_library(change, library, root, upper) < 0)
		return -1;
	if (change->file && write_text(change, library, root, upper) < 0)
		return -1;
	return change->variable ? set_variable(change, library, envp) : 0;
}

/* SPDX-License-Identifier: MIT */
/* The kind of a file that is not text: which archive, which object file, for which machines. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "explain/facts/elf_file.h"
#include "explain/facts/span.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- archives ------------------------------------------------------------------------------------- */

/* ar(5): the name of the first member follows the magic. */
static enum errpipe_content ar_content(struct ep_span head)
{
	struct ep_span member = ep_after(head, 8);

	if (ep_starts(member, "__.PKGDEF"))
		return ERRPIPE_CONTENT_GO_PACKAGE;
	if (ep_starts(member, "debian-binary"))
		return ERRPIPE_CONTENT_DEBIAN_PACKAGE;
	return ERRPIPE_CONTENT_STATIC_LIBRARY;
}

static uint32_t little(struct ep_span span, size_t at, size_t size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | (unsigned char)ep_byte(span, at + size);
	return value;
}

/* The names of a zip archive that tell its kind, by the Java, Python wheel and zipapp specifications. */
static enum errpipe_content by_name(struct ep_span name)
{
	if (ep_equals(name, "AndroidManifest.xml"))
		return ERRPIPE_CONTENT_ANDROID_PACKAGE;
	if (ep_equals(name, "[Content_Types].xml"))
		return ERRPIPE_CONTENT_DOCUMENT;
	if (ep_starts(name, "META-INF/MANIFEST.MF") || ep_equals(name, "META-INF/"))
		return ERRPIPE_CONTENT_JAR;
	if (ep_equals(name, "__main__.py"))
		return ERRPIPE_CONTENT_ZIPAPP;
	if (ep_holds(name, ".dist-info/"))
		return ERRPIPE_CONTENT_WHEEL;
	return ERRPIPE_CONTENT_UNKNOWN;
}

static enum errpipe_content by_ending(const char *path)
{
	static const struct {
		const char *ending;
		enum errpipe_content content;
	} endings[] = {
		{ ".jar", ERRPIPE_CONTENT_JAR },
		{ ".war", ERRPIPE_CONTENT_JAR },
		{ ".whl", ERRPIPE_CONTENT_WHEEL },
		{ ".pyz", ERRPIPE_CONTENT_ZIPAPP },
	};

	for (size_t i = 0; i < COUNT(endings); i++) {
		if (ep_has_ending(path, endings[i].ending))
			return endings[i].content;
	}
	return ERRPIPE_CONTENT_UNKNOWN;
}

/* The entries of the central directory in these bytes, which may begin anywhere (APPNOTE.TXT, 4.3.12). */
static enum errpipe_content by_directory(struct ep_span bytes)
{
	enum { NAME_LENGTH = 28, NAME = 46 };
	enum errpipe_content content = ERRPIPE_CONTENT_UNKNOWN;

	for (; bytes.size && !content; bytes = ep_after(bytes, 1)) {
		if (!ep_starts(bytes, "PK\1\2"))
			continue;
		struct ep_span name = ep_after(bytes, NAME);
		size_t length = little(bytes, NAME_LENGTH, 2);

		if (name.size > length)
			name.size = length;
		content = by_name(name);
	}
	return content;
}

/* The first file's name, and the end of the file, where the central directory is. */
static enum errpipe_content zip_content(int fd, struct ep_span head, uint64_t size, const char *path)
{
	enum { NAME_LENGTH = 26, NAME = 30 };
	struct ep_span name = ep_after(head, NAME);
	char tail[EP_TEXT_SIZE];
	uint64_t from = size > sizeof(tail) ? size - sizeof(tail) : 0;
	enum errpipe_content content;
	ssize_t n;

	if (name.size > little(head, NAME_LENGTH, 2))
		name.size = little(head, NAME_LENGTH, 2);
	content = by_name(name);
	n = content ? 0 : ep_pread(fd, tail, sizeof(tail), from);
	if (n > 0)
		content = by_directory((struct ep_span){ tail, n });
	return content ? content : by_ending(path);
}

/* The first member of an archive of docker save or skopeo. */
static bool is_container_image(struct ep_span head)
{
	static const char *const names[] = { "blobs/", "manifest.json", "oci-layout", "index.json", "repositories" };

	for (size_t i = 0; i < COUNT(names); i++) {
		if (ep_starts(head, names[i]))
			return true;
	}
	return false;
}

enum errpipe_content ep_archive_content(int fd, const struct ep_head *head, const struct errpipe_link *link)
{
	const struct ep_span span = { (const char *)head->bytes, head->size };

	if (link->format == ERRPIPE_FORMAT_AR)
		return ar_content(span);
	if (link->format == ERRPIPE_FORMAT_ZIP)
		return zip_content(fd, span, link->size, link->path);
	if (link->format == ERRPIPE_FORMAT_GZIP && ep_has_ending(link->path, ".apk"))
		return ERRPIPE_CONTENT_ALPINE_PACKAGE;
	if (link->format == ERRPIPE_FORMAT_TAR && is_container_image(span))
		return ERRPIPE_CONTENT_CONTAINER_IMAGE;
	return ERRPIPE_CONTENT_UNKNOWN;
}

/* --- other data ----------------------------------------------------------------------------------- */

#define BYTES(literal) literal, sizeof(literal) - 1

/* As file(1) recognizes them. */
static const struct magic {
	uint64_t at;
	const char *bytes;
	size_t size;
	enum errpipe_content content;
} magics[] = {
	{ 0, BYTES("\xed\xab\xee\xdb"), ERRPIPE_CONTENT_RPM_PACKAGE },
	{ 0, BYTES("\0GITCRYPT\0"), ERRPIPE_CONTENT_GIT_CRYPT },
	{ 0, BYTES("age-encryption.org/v1\n"), ERRPIPE_CONTENT_AGE },
	{ 0, BYTES("\x1bLua"), ERRPIPE_CONTENT_LUA_BYTECODE },
	{ 0, BYTES("\x1bLJ"), ERRPIPE_CONTENT_LUA_BYTECODE },
	{ 0, BYTES("BC\xc0\xde"), ERRPIPE_CONTENT_LLVM_BITCODE },
	{ 0, BYTES("QFI\xfb"), ERRPIPE_CONTENT_DISK_IMAGE },
	{ 0, BYTES("KDMV"), ERRPIPE_CONTENT_DISK_IMAGE },
	{ 0, BYTES("hsqs"), ERRPIPE_CONTENT_DISK_IMAGE },
	{ 0x8001, BYTES("CD001"), ERRPIPE_CONTENT_DISK_IMAGE },
	{ 0x200, BYTES("EFI PART"), ERRPIPE_CONTENT_DISK_IMAGE },
	{ 0, BYTES("SQLite format 3"), ERRPIPE_CONTENT_DATABASE },
	{ 0, BYTES("\x89PNG\r\n"), ERRPIPE_CONTENT_PICTURE },
	{ 0, BYTES("\xff\xd8\xff"), ERRPIPE_CONTENT_PICTURE },
	{ 0, BYTES("GIF89a"), ERRPIPE_CONTENT_PICTURE },
	{ 0, BYTES("GIF87a"), ERRPIPE_CONTENT_PICTURE },
	{ 8, BYTES("WEBPVP8"), ERRPIPE_CONTENT_PICTURE },
	{ 0, BYTES("%PDF-"), ERRPIPE_CONTENT_DOCUMENT },
	{ 0, BYTES("\x4c\0\0\0\1\x14\2\0"), ERRPIPE_CONTENT_WINDOWS_SHORTCUT },
	{ 0, BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), ERRPIPE_CONTENT_WINDOWS_INSTALLER },
};

/* A number for each version, a line end, and at most two flags (https://peps.python.org/pep-0552/). */
static bool is_python_bytecode(struct ep_span head)
{
	return head.size >= 16 && memcmp(head.at + 2, "\r\n", 2) == 0 && little(head, 4, 4) <= 3;
}

/* The magic of ext2 to ext4 in the superblock, with a possible block size. */
static bool is_ext(int fd)
{
	enum { SUPERBLOCK = 0x400, BLOCK_SIZE = 24, MAGIC = 56, BLOCK_SIZE_MAX = 6 };
	char bytes[MAGIC + 2];
	struct ep_span span = { bytes, sizeof(bytes) };

	return ep_pread(fd, bytes, sizeof(bytes), SUPERBLOCK) == sizeof(bytes) && little(span, MAGIC, 2) == 0xef53 &&
	       little(span, BLOCK_SIZE, 4) <= BLOCK_SIZE_MAX;
}

static bool has_magic(int fd, const struct ep_head *head, const struct magic *magic)
{
	char bytes[32];

	if (magic->at + magic->size <= EP_HEAD_SIZE)
		return magic->at + magic->size <= head->size &&
		       memcmp(head->bytes + magic->at, magic->bytes, magic->size) == 0;
	return ep_pread(fd, bytes, magic->size, magic->at) == (ssize_t)magic->size &&
	       memcmp(bytes, magic->bytes, magic->size) == 0;
}

enum errpipe_content ep_data_content(int fd, const struct ep_head *head)
{
	const struct ep_span span = { (const char *)head->bytes, head->size };

	for (size_t i = 0; i < COUNT(magics); i++) {
		if (has_magic(fd, head, &magics[i]))
			return magics[i].content;
	}
	if (is_python_bytecode(span))
		return ERRPIPE_CONTENT_PYTHON_BYTECODE;
	return is_ext(fd) ? ERRPIPE_CONTENT_DISK_IMAGE : ERRPIPE_CONTENT_UNKNOWN;
}

/* --- PE ------------------------------------------------------------------------------------------- */

static bool has_bytes(int fd, uint64_t at, const char *bytes, size_t size)
{
	char read[8];

	return ep_pread(fd, read, size, at) == (ssize_t)size && memcmp(read, bytes, size) == 0;
}

/*
 * The boot protocol of x86, and the image header of arm64 (Documentation/arch/x86/boot.rst and arm64/booting.rst in the kernel's
 * sources). Otherwise the subsystem, and the directory of the runtime header (PE format, in Microsoft's documentation).
 */
enum errpipe_content ep_windows_content(int fd)
{
	enum { OFFSET = 0x3c, OPTIONAL = 24, SUBSYSTEM = 68, EFI_FIRST = 10, EFI_LAST = 13, IS_64 = 0x20b };
	enum { DIRECTORIES_32 = 96, DIRECTORIES_64 = 112, RUNTIME = 14 * 8 };
	char bytes[OPTIONAL + DIRECTORIES_64 + RUNTIME + 4], offset[4];
	struct ep_span span = { bytes, sizeof(bytes) }, header;
	uint32_t subsystem, at;

	if (has_bytes(fd, 0x202, "HdrS", 4) || has_bytes(fd, 0x38, "ARM\x64", 4))
		return ERRPIPE_CONTENT_LINUX_KERNEL;
	if (ep_pread(fd, offset, sizeof(offset), OFFSET) != sizeof(offset))
		return ERRPIPE_CONTENT_UNKNOWN;
	at = little((struct ep_span){ offset, sizeof(offset) }, 0, sizeof(offset));
	if (ep_pread(fd, bytes, sizeof(bytes), at) != sizeof(bytes) || memcmp(bytes, "PE\0\0", 4) != 0)
		return ERRPIPE_CONTENT_UNKNOWN;
	header = ep_after(span, OPTIONAL);
	subsystem = little(header, SUBSYSTEM, 2);
	if (subsystem >= EFI_FIRST && subsystem <= EFI_LAST)
		return ERRPIPE_CONTENT_EFI_PROGRAM;
	at = (little(header, 0, 2) == IS_64 ? DIRECTORIES_64 : DIRECTORIES_32) + RUNTIME;
	return little(header, at, 4) ? ERRPIPE_CONTENT_DOTNET : ERRPIPE_CONTENT_UNKNOWN;
}

/* --- bytes that were never written --------------------------------------------------------------- */

/* At most this many bytes are read. */
enum { NULS_MAX = 1 << 16 };

uint64_t ep_leading_nuls(int fd, uint64_t size)
{
	char bytes[EP_TEXT_SIZE];
	uint64_t count = 0;

	if (size > NULS_MAX)
		size = NULS_MAX;
	while (count < size) {
		ssize_t n = ep_pread(fd, bytes, sizeof(bytes), count);

		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i])
				return count + i;
		}
		if (n <= 0)
			break;
		count += n;
	}
	return count;
}

/* --- ELF ------------------------------------------------------------------------------------------ */

/* The table of section names of a relocatable file. Returns how many bytes of it are in names. */
static size_t read_section_names(int fd, const struct errpipe_link *link, const struct ep_head *head, char *names,
				 size_t size)
{
	struct ep_elf elf;
	uint64_t offset;
	ssize_t n;

	ep_elf_open(&elf, link, fd, head);
	if (!ep_elf_section_names(&elf, &offset))
		return 0;
	n = ep_pread(fd, names, size, offset);
	return n > 0 ? n : 0;
}

/* Only modules of the kernel have that section (include/linux/moduleparam.h). */
static bool has_modinfo(int fd, const struct errpipe_link *link, const struct ep_head *head)
{
	char names[EP_TEXT_SIZE];
	struct ep_span span = { names, read_section_names(fd, link, head, names, sizeof(names)) };

	for (; span.size; span = ep_after(span, 1)) {
		if (ep_starts(span, ".modinfo") && span.size > 8 && !span.at[8])
			return true;
	}
	return false;
}

enum errpipe_content ep_object_content(int fd, const struct ep_head *head, const struct errpipe_link *link)
{
	if (link->machine == 247 /* EM_BPF */)
		return ERRPIPE_CONTENT_BPF_OBJECT;
	if (has_modinfo(fd, link, head) || ep_has_ending(link->path, ".ko"))
		return ERRPIPE_CONTENT_KERNEL_MODULE;
	return ERRPIPE_CONTENT_UNKNOWN;
}

/* https://github.com/AppImage/AppImageSpec: the magic is where ELF has padding. */
bool ep_is_appimage(const struct ep_head *head)
{
	return head->size > 10 && memcmp(head->bytes + 8, "AI", 2) == 0 && head->bytes[10] >= 1 &&
	       head->bytes[10] <= 2;
}

/* EI_OSABI, by the System V gABI. 0 and 3 are Linux's own. */
const char *ep_elf_system(unsigned abi)
{
	static const char *const systems[] = { [1] = "HP-UX", [2] = "NetBSD",  [6] = "Solaris", [7] = "AIX",
					       [8] = "IRIX",  [9] = "FreeBSD", [12] = "OpenBSD" };

	return abi < COUNT(systems) ? systems[abi] : NULL;
}

/* --- Mach-O --------------------------------------------------------------------------------------- */

static const char *mach_o_machine(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} machines[] = {
		{ 0x01000007, "x86_64" }, { 0x0100000c, "arm64" }, { 7, "i386" }, { 12, "arm" }, { 18, "ppc" },
		{ 0x01000012, "ppc64" },
	};

	for (size_t i = 0; i < COUNT(machines); i++) {
		if (machines[i].type == type)
			return machines[i].name;
	}
	return NULL;
}

static uint32_t big(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* CA FE BA BE and CA FE BA BF begin a file for several machines, whose headers are big-endian. */
const char *ep_mach_o_machines(struct ep_check *c, const struct ep_head *head)
{
	enum { FAT = 8, FAT_SIZE = 20, FAT_64_SIZE = 32, MACHINES_MAX = 4 };
	const unsigned char *bytes = head->bytes;
	const char *names[MACHINES_MAX] = { NULL };
	unsigned count = big(bytes + 4), size = bytes[3] == 0xbf ? FAT_64_SIZE : FAT_SIZE;

	if (bytes[0] != 0xca) {
		struct ep_span type = { (const char *)bytes, head->size };

		return mach_o_machine(bytes[0] == 0xfe ? big(bytes + 4) : little(type, 4, 4));
	}
	for (unsigned i = 0; i < count && i < MACHINES_MAX; i++) {
		names[i] = mach_o_machine(big(bytes + FAT + (size_t)i * size));
		if (!names[i])
			return NULL;
	}
	if (count != 2)
		return count == 1 ? names[0] : NULL;
	return ep_keep(c, "%s and %s", names[0], names[1]);
}

/* --- bytes that were converted as text -------------------------------------------------------------------- */

struct conversion {
	uint32_t last;		       /* bytes */
	unsigned line_feeds, replaced; /* line feeds after a carriage return, and the replacement character U+FFFD */
	unsigned rest;		       /* bytes that the character in UTF-8 still needs */
	bool has_other_line_feeds, is_not_utf_8;
};

/* How many bytes follow that one in UTF-8. */
static unsigned bytes_after(unsigned char byte)
{
	return byte < 0xc2 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
}

static void add_byte(struct conversion *conversion, unsigned char byte)
{
	bool continues = (byte & 0xc0) == 0x80;

	conversion->last = conversion->last << 8 | byte;
	if ((conversion->last & 0xffff) == ('\r' << 8 | '\n'))
		conversion->line_feeds++;
	else if (byte == '\n')
		conversion->has_other_line_feeds = true;
	if (continues != !!conversion->rest || byte == 0xc0 || byte == 0xc1 || byte > 0xf4)
		conversion->is_not_utf_8 = true;
	conversion->rest = continues ? conversion->rest - !!conversion->rest : bytes_after(byte);
	conversion->replaced += (conversion->last & 0xffffff) == 0xefbfbd;
}

/* So many of them are no accident in a program. */
enum { CONVERTED_MIN = 16 };

enum errpipe_detail ep_conversion(int fd)
{
	enum { CHUNK = 4096, CHUNKS = 16 };
	struct conversion conversion = { 0 };
	unsigned char bytes[CHUNK];
	ssize_t n = CHUNK;

	for (int chunk = 0; chunk < CHUNKS && n == CHUNK; chunk++) {
		n = ep_pread(fd, bytes, CHUNK, (uint64_t)chunk * CHUNK);
		for (ssize_t i = 0; i < n; i++)
			add_byte(&conversion, bytes[i]);
	}
	if (!conversion.has_other_line_feeds && conversion.line_feeds >= CONVERTED_MIN)
		return ERRPIPE_DETAIL_RETURNS_ADDED;
	if (!conversion.is_not_utf_8 && conversion.replaced >= CONVERTED_MIN)
		return ERRPIPE_DETAIL_NO_UTF_8;
	return ERRPIPE_DETAIL_NONE;
}

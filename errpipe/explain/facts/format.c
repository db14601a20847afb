/* SPDX-License-Identifier: MIT */
/* Recognize a file by its first bytes. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct magic {
	const char *bytes;
	size_t size;
	enum errpipe_format format;
} magics[] = {
	{ BYTES("#!"), ERRPIPE_FORMAT_SCRIPT },
	{ BYTES("\177ELF"), ERRPIPE_FORMAT_ELF },
	{ BYTES("\xef\xbb\xbf"), ERRPIPE_FORMAT_BYTE_ORDER_MARK },
	{ BYTES("\xff\xfe"), ERRPIPE_FORMAT_UTF_16 },
	{ BYTES("\xfe\xff"), ERRPIPE_FORMAT_UTF_16 },
	{ BYTES("\xfe\xed\xfa\xce"), ERRPIPE_FORMAT_MACH_O },
	{ BYTES("\xfe\xed\xfa\xcf"), ERRPIPE_FORMAT_MACH_O },
	{ BYTES("\xce\xfa\xed\xfe"), ERRPIPE_FORMAT_MACH_O },
	{ BYTES("\xcf\xfa\xed\xfe"), ERRPIPE_FORMAT_MACH_O },
	{ BYTES("\xca\xfe\xba\xbe"), ERRPIPE_FORMAT_MACH_O }, /* for several machines; or Java */
	{ BYTES("\xca\xfe\xba\xbf"), ERRPIPE_FORMAT_MACH_O },
	{ BYTES("\0asm"), ERRPIPE_FORMAT_WEBASSEMBLY },
	{ BYTES("\x1f\x8b"), ERRPIPE_FORMAT_GZIP },
	{ BYTES("\xfd\x37zXZ\0"), ERRPIPE_FORMAT_XZ },
	{ BYTES("\x28\xb5\x2f\xfd"), ERRPIPE_FORMAT_ZSTD },
	{ BYTES("PK\3\4"), ERRPIPE_FORMAT_ZIP },
	{ BYTES("PK\5\6"), ERRPIPE_FORMAT_ZIP }, /* without a file in it */
	{ BYTES("PK\7\x8"), ERRPIPE_FORMAT_ZIP },
	{ BYTES("\x04\x22\x4d\x18"), ERRPIPE_FORMAT_LZ4 },
	{ BYTES("7z\xbc\xaf\x27\x1c"), ERRPIPE_FORMAT_7Z },
	{ BYTES("Rar!\x1a\x07"), ERRPIPE_FORMAT_RAR },
	{ BYTES("070701"), ERRPIPE_FORMAT_CPIO },
	{ BYTES("070702"), ERRPIPE_FORMAT_CPIO },
	{ BYTES("070707"), ERRPIPE_FORMAT_CPIO },
	{ BYTES("MSCF\0\0\0\0"), ERRPIPE_FORMAT_CAB },
	{ BYTES("!<arch>\n"), ERRPIPE_FORMAT_AR },
	{ BYTES("!<thin>\n"), ERRPIPE_FORMAT_AR },
};

/* A text can begin with these as well. */
static const struct magic magics_of_binaries[] = {
	{ BYTES("MZ"), ERRPIPE_FORMAT_PE },
	{ BYTES("BZh"), ERRPIPE_FORMAT_BZIP2 },
};

static enum errpipe_format look_up(const struct ep_head *head, const struct magic *magic, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (head->size >= magic[i].size && memcmp(head->bytes, magic[i].bytes, magic[i].size) == 0)
			return magic[i].format;
	}
	return ERRPIPE_FORMAT_UNKNOWN;
}

/* After CA FE BA BE: the version of a class file, from 45 on; or a small number of machines (file(1) does the same). */
static bool is_java(const struct ep_head *head)
{
	return head->bytes[0] == 0xca && head->bytes[3] == 0xbe && (head->bytes[6] << 8 | head->bytes[7]) >= 43;
}

static bool is_octal(const unsigned char *field, size_t size)
{
	size_t digits = 0, at = 0;

	while (at < size && field[at] == ' ')
		at++;
	for (; at < size && field[at] >= '0' && field[at] <= '7'; at++)
		digits++;
	while (at < size && (field[at] == ' ' || field[at] == '\0'))
		at++;
	return digits && at == size;
}

/*
 * The name "ustar" of a tar header lies after the first 256 bytes, and old headers lack it. But mode, uid, gid, size and
 * time are octal numbers (tar(5)).
 */
static bool is_tar(const struct ep_head *head)
{
	static const struct {
		size_t at, size;
	} fields[] = { { 100, 8 }, { 108, 8 }, { 116, 8 }, { 124, 12 }, { 136, 12 }, { 148, 8 } };

	if (head->size < EP_HEAD_SIZE || !head->bytes[0])
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!is_octal(head->bytes + fields[i].at, fields[i].size))
			return false;
	}
	return true;
}

/* Windows also writes it without a byte order mark: Latin letters, each with a zero byte after it. */
static bool is_utf_16(const struct ep_head *head)
{
	enum { MIN = 16 };

	if (head->size < MIN)
		return false;
	for (size_t i = 0; i + 1 < head->size; i += 2) {
		unsigned char byte = head->bytes[i];

		if (head->bytes[i + 1] || byte >= 0x7f || (byte < ' ' && (byte < '\t' || byte > '\r')))
			return false;
	}
	return true;
}

/* How many bytes of UTF-8 follow this one; -1: no character begins with it. */
static int length_of_rest(unsigned char byte)
{
	enum { ESCAPE = 0x1b };

	if (byte >= 0xc2 && byte <= 0xdf)
		return 1;
	if (byte >= 0xe0 && byte <= 0xef)
		return 2;
	if (byte >= 0xf0 && byte <= 0xf4)
		return 3;
	return (byte >= ' ' && byte < 0x7f) || (byte >= '\a' && byte <= '\r') || byte == ESCAPE ? 0 : -1;
}

/* The last character may be cut off at the end of the head. */
static bool is_text(const struct ep_head *head)
{
	for (size_t i = 0; i < head->size; i++) {
		int rest = length_of_rest(head->bytes[i]);

		if (rest < 0)
			return false;
		for (; rest && i + 1 < head->size; rest--) {
			if ((head->bytes[++i] & 0xc0) != 0x80)
				return false;
		}
		if (rest && head->size < EP_HEAD_SIZE)
			return false;
	}
	return true;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum errpipe_format ep_format(const struct ep_head *head)
{
	enum errpipe_format format;

	if (!head->size)
		return ERRPIPE_FORMAT_EMPTY;
	format = look_up(head, magics, COUNT(magics));
	if (format == ERRPIPE_FORMAT_MACH_O && is_java(head))
		return ERRPIPE_FORMAT_JAVA_CLASS;
	if (format != ERRPIPE_FORMAT_UNKNOWN)
		return format;
	if (is_tar(head))
		return ERRPIPE_FORMAT_TAR;
	if (is_text(head))
		return ERRPIPE_FORMAT_TEXT;
	if (is_utf_16(head))
		return ERRPIPE_FORMAT_UTF_16;
	return look_up(head, magics_of_binaries, COUNT(magics_of_binaries));
}

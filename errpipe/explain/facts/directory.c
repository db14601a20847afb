/* SPDX-License-Identifier: MIT */
/* Directories and small files that the kernel makes up, as in /proc. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "explain/facts/facts.h"

int ep_openat(int directory, const char *name, int flags)
{
	int fd = openat(directory, name, flags | O_CLOEXEC);

	return fd < 0 ? -errno : ep_above_stderr(fd);
}

ssize_t ep_read_text(int directory, const char *name, char *text, size_t size)
{
	/* O_NONBLOCK: do not block if it is not a file. */
	int fd = ep_openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		n = read(fd, text + length, size - 1 - length);
		if (n > 0)
			length += n;
	} while (length < size - 1 && (n > 0 || (n < 0 && errno == EINTR)));
	n = n < 0 ? -errno : (ssize_t)length;
	close(fd);
	text[length] = '\0';
	return n;
}

uint64_t ep_read_number(const char *path)
{
	char text[24];
	uint64_t number = 0;

	if (ep_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	for (const char *p = text; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + (*p - '0');
	return number;
}

/* As in getdents64(2). */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int ep_entries(int directory, unsigned max, int (*each)(void *context, const char *name), void *context)
{
	union {
		struct dirent64 first;
		char bytes[4096];
	} buf;
	long n;

	while ((n = syscall(SYS_getdents64, directory, &buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(buf.bytes + at);
			int ret;

			at += entry->reclen;
			if (is_dots(entry->name))
				continue;
			if (max-- == 0)
				return 0;
			ret = each(context, entry->name);
			if (ret)
				return ret;
		}
	}
	return n < 0 ? -errno : 0;
}

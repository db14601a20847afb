/* SPDX-License-Identifier: MIT */
/* Shared by the targets of libFuzzer: functions to split an input, and to check conditions. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* --- the input, which reads as zeros after its end --- */

struct input {
	const uint8_t *bytes;
	size_t size;
};

static inline unsigned take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->bytes++;
}

static inline unsigned take_16(struct input *input)
{
	unsigned low = take(input);

	return low | take(input) << 8;
}

/* At most size bytes. */
static inline struct input take_part(struct input *input, size_t size)
{
	struct input part = { input->bytes, size < input->size ? size : input->size };

	input->bytes += part.size;
	input->size -= part.size;
	return part;
}

/* --- conditions --- */

__attribute__((noreturn)) static inline void give_up(const char *what)
{
	perror(what);
	abort();
}

static inline void must(bool holds, const char *what)
{
	if (holds)
		return;
	dprintf(STDERR_FILENO, "this does not hold: %s\n", what);
	abort();
}

/* A copy of exactly this size, so that the sanitizer detects reads beyond it. */
static inline void *exactly(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		give_up("malloc");
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* The same for a string, which ends at the first NUL. */
static inline char *string_of(const struct input *input)
{
	char *copy = malloc(input->size + 1), *string;

	if (!copy)
		give_up("malloc");
	if (input->size)
		memcpy(copy, input->bytes, input->size);
	copy[input->size] = '\0';
	string = exactly(copy, strlen(copy) + 1);
	free(copy);
	return string;
}

/* Terminals obey ASCII's control characters and U+0080 to U+009f. */
static inline bool is_harmless(const char *text, const char *allowed)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++) {
		if ((*p < ' ' || *p == 0x7f) && !strchr(allowed, *p))
			return false;
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			return false;
	}
	return true;
}

/*
 * Check a function with the semantics of snprintf(3): for any room it writes the same harmless line and returns its length.
 * Returns the line, malloc'd.
 */
static inline char *line_of(size_t (*write)(char *buf, size_t size, const void *of), const void *of, size_t room)
{
	size_t length = write(NULL, 0, of), rest;
	char *line = malloc(length + 1), *cut = malloc(room ? room : 1);

	if (!line || !cut)
		give_up("malloc");
	must(write(line, length + 1, of) == length && strlen(line) == length, "a line has the returned length");
	must(write(cut, room, of) == length, "a truncated line returns the same length");
	rest = room <= length ? room - !!room : length;
	must(!room || (strlen(cut) == rest && memcmp(cut, line, rest) == 0),
	     "a line is truncated where the room ends");
	must(is_harmless(line, ""), "a line has no control characters");
	free(cut);
	return line;
}

/* A leaked descriptor changes this number. */
static inline int lowest_free(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	close(fd);
	return fd;
}

/* --- a private directory, in memory --- */

static char base[] = "/dev/shm/errpipe-fuzz.XXXXXX";

static inline int remove_it(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void remove_base(void)
{
	nftw(base, remove_it, 16, FTW_DEPTH | FTW_PHYS);
}

/* Returns a descriptor of the directory, which is removed when the fuzzer ends. */
static inline int make_base(void)
{
	int fd;

	if (!mkdtemp(base))
		give_up(base);
	atexit(remove_base);
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		give_up(base);
	return fd;
}

/* Never follows a link or blocks. Returns false if the file cannot be opened. */
static inline bool put_file(int directory, const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0700);

	if (fd < 0)
		return false;
	if (write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) < 0)
		give_up(name);
	close(fd);
	return true;
}

#endif

/* SPDX-License-Identifier: MIT */
/* What the targets of libFuzzer share: taking an input apart, and saying what must hold whatever it is. */
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

/* --- the input: zeros behind its end --- */

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

/* At most so many. */
static inline struct input take_part(struct input *input, size_t size)
{
	struct input part = { input->bytes, size < input->size ? size : input->size };

	input->bytes += part.size;
	input->size -= part.size;
	return part;
}

/* --- what must hold --- */

__attribute__((noreturn)) static inline void give_up(const char *what)
{
	perror(what);
	abort();
}

static inline void must(bool holds, const char *what)
{
	if (holds)
		return;
	dprintf(STDERR_FILENO, "it does not hold that %s\n", what);
	abort();
}

/* A block to its last byte, so that the sanitizer sees the next one taken. */
static inline void *exactly(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		give_up("malloc");
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* The same as a string: it ends at the first NUL. */
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

/* Nothing that a terminal obeys: ASCII's control characters, and U+0080 to U+009f. */
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
 * A line that is written as snprintf(3) does it: the same one whatever the room, harmless, and with its length returned.
 * It is in a buffer of its own that write() fills.
 */
static inline char *line_of(size_t (*write)(char *buf, size_t size, const void *of), const void *of, size_t room)
{
	size_t length = write(NULL, 0, of), rest;
	char *line = malloc(length + 1), *cut = malloc(room ? room : 1);

	if (!line || !cut)
		give_up("malloc");
	must(write(line, length + 1, of) == length && strlen(line) == length,
	     "a line has the length that is returned");
	must(write(cut, room, of) == length, "a line has the same length when it is cut");
	rest = room <= length ? room - !!room : length;
	must(!room || (strlen(cut) == rest && memcmp(cut, line, rest) == 0), "a line is cut where the room ends");
	must(is_harmless(line, ""), "a line has no control characters");
	free(cut);
	return line;
}

/* A descriptor that is left open makes it another. */
static inline int lowest_free(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	close(fd);
	return fd;
}

/* --- a folder of its own, in memory --- */

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

/* Returns its descriptor. It is gone when the fuzzer ends. */
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

/* Not through a link, and without waiting, whatever is there. Returns false if nothing can be written there. */
static inline bool put_file(int folder, const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0700);

	if (fd < 0)
		return false;
	if (write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) < 0)
		give_up(name);
	close(fd);
	return true;
}

#endif

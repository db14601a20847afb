/* SPDX-License-Identifier: MIT */
/*
 * Decode records with the library and print a line for each. dmz/decode_test.go compares the lines with its own results.
 *
 * Standard input consists of sizes (4 bytes, little-endian), each followed by an input of that size. An input has the
 * format of tests/fuzz/decode.c: the size of the record (1 byte; 255 means all of the rest), the record, and the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errpipe.h"

enum { ALL = 255, MAX_SIZE = 1 << 24 };

static void print_report(const struct errpipe_report *report, const char *path)
{
	const char *name = errpipe_errname(report->error);
	size_t size = errpipe_message(NULL, 0, report, path) + 1;
	char *message = malloc(size);

	if (!message)
		exit(EXIT_FAILURE);
	errpipe_message(message, size, report, path);
	printf("%d %d %d %u %u %d", report->verdict, report->error, report->raw_error, report->machine, report->step,
	       report->status);
	for (int policy = ERRPIPE_POSIX; policy <= ERRPIPE_SYSTEMD; policy++)
		printf(" %d", errpipe_exit_code(report, policy));
	printf(" %s %s\n", name ? name : "-", message);
	free(message);
}

/* A NUL follows the input. */
static void decode(const unsigned char *input, size_t size)
{
	struct errpipe_report report;
	size_t rest = size ? size - 1 : 0, length = size ? input[0] : 0;
	const char *path;

	if (length == ALL || length > rest)
		length = rest;
	path = (const char *)input + (size - rest) + length;
	if (errpipe_decode(input + (size - rest), length, &report) < 0)
		puts("EPROTO");
	else
		print_report(&report, path);
}

int main(void)
{
	unsigned char bytes[4];

	while (fread(bytes, 1, sizeof(bytes), stdin) == sizeof(bytes)) {
		size_t size = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (size_t)bytes[3] << 24;
		unsigned char *input = size > MAX_SIZE ? NULL : calloc(size + 1, 1);

		if (!input || fread(input, 1, size, stdin) != size)
			return EXIT_FAILURE;
		decode(input, size);
		free(input);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}

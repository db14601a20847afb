/* SPDX-License-Identifier: MIT */
/* The messages of errpipe's own failures, and help. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"

char *own_words(int error, const char *format, va_list args)
{
	const char *name = errpipe_errname(error);
	char *words, *all = NULL;

	if (!name && error)
		name = errpipe_strerror(error);
	if (vasprintf(&words, format, args) < 0)
		return NULL;
	if (!name)
		return words;
	if (asprintf(&all, "%s (%s)", words, name) < 0)
		all = NULL;
	free(words);
	return all;
}

void print_own(const char *words)
{
	fprintf(stderr, "errpipe: %s\n", words ? words : "no memory");
}

int own_failure(int error, const char *format, ...)
{
	va_list args;
	char *words;

	va_start(args, format);
	words = own_words(error, format, args);
	va_end(args);
	print_own(words);
	free(words);
	return EXIT_OWN;
}

int bad_usage(const char *command)
{
	fprintf(stderr, "Try '%s --help'.\n", command);
	return EXIT_OWN;
}

int help(const char *text)
{
	fputs(text, stdout);
	return 0;
}

char *escaped(const char *path)
{
	size_t size = errpipe_escape(NULL, 0, path) + 1;
	char *line = malloc(size);

	if (line)
		errpipe_escape(line, size, path);
	return line;
}

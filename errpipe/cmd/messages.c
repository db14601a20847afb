/* SPDX-License-Identifier: MIT */
/* The messages of errpipe's own failures, and help. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"

const char *errno_name(int error)
{
	const char *name = errpipe_errname(error);

	return name ? name : errpipe_strerror(error);
}

char *own_words(int error, const char *format, va_list args)
{
	char *words, *all = NULL;

	if (vasprintf(&words, format, args) < 0)
		return NULL;
	if (!error)
		return words;
	if (asprintf(&all, "%s (%s)", words, errno_name(error)) < 0)
		all = NULL;
	free(words);
	return all;
}

void print_own(const char *words)
{
	fprintf(stderr, "errpipe: %s\n", words ? words : "out of memory");
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

int name_failure(int error, const char *before, const char *name, const char *after)
{
	char *words = quoted(name);

	own_failure(words ? error : ENOMEM, "%s %s%s", before, words ? words : "a name", after);
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

static char *changed(size_t (*change)(char *, size_t, const char *), const char *text)
{
	size_t size = change(NULL, 0, text) + 1;
	char *line = malloc(size);

	if (line)
		change(line, size, text);
	return line;
}

char *escaped(const char *text)
{
	return changed(errpipe_escape, text);
}

char *quoted(const char *name)
{
	return changed(errpipe_quote, name);
}

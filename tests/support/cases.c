/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "errpipe_explain.h"

enum { NAME, PATH, WHO, STATE, SURFACES, ERRNO, EXIT_CODES, WORDS, CAUSE, BROKEN, COLUMNS };

struct exec_case *cases;
size_t case_count;

static const char *file;
static int line_number;

/* Only the errnos that the table uses. A second copy of the library's list would prove nothing. */
static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "E2BIG", E2BIG },	{ "EACCES", EACCES },	{ "EAGAIN", EAGAIN },	{ "EFAULT", EFAULT },
	{ "EINVAL", EINVAL },	{ "EIO", EIO },		{ "EISDIR", EISDIR },	{ "ELIBBAD", ELIBBAD },
	{ "ELOOP", ELOOP },	{ "EMFILE", EMFILE },	{ "ENFILE", ENFILE },	{ "ENAMETOOLONG", ENAMETOOLONG },
	{ "ENOENT", ENOENT },	{ "ENOEXEC", ENOEXEC }, { "ENOMEM", ENOMEM },	{ "ENOSYS", ENOSYS },
	{ "ENOTDIR", ENOTDIR }, { "EPERM", EPERM },	{ "ETXTBSY", ETXTBSY },
};

__attribute__((format(printf, 1, 2), noreturn)) static void mistake(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line_number);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static int number(const char *text, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > max)
		return -1;
	return n;
}

int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].number;
	}
	return number(name, 4095);
}

const char *error_name(int error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i].number == error)
			return errors[i].name;
	}
	return NULL;
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && strchr(" \t\n", end[-1]))
		*--end = '\0';
	return text + strspn(text, " \t");
}

static void split(char *line, char *column[COLUMNS])
{
	char *rest = line;
	int n = 0;

	while (rest) {
		if (n == COLUMNS)
			mistake("more than %d columns", COLUMNS);
		column[n] = trim(strsep(&rest, "|"));
		if (!*column[n])
			mistake("column %d is empty", n + 1);
		n++;
	}
	if (n < COLUMNS)
		mistake("%d columns, expected %d", n, COLUMNS);
}

/* The index of word in words, which ends with NULL. */
static int one_of(const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	mistake("'%s' is not one of '%s', '%s', ...", word, words[0], words[1]);
}

static void parse_exit_codes(char *text, int codes[CASE_POLICIES])
{
	int n = 0;

	for (char *code = strtok(text, " "); code; code = strtok(NULL, " ")) {
		if (n == CASE_POLICIES || number(code, 255) < 0)
			mistake("'%s' is not an exit code, or is one too many", code);
		codes[n++] = number(code, 255);
	}
	if (n != CASE_POLICIES)
		mistake("%d exit codes, expected %d", n, CASE_POLICIES);
}

static int cause_number(const char *name)
{
	for (int cause = 0; errpipe_cause_name(cause); cause++) {
		if (strcmp(errpipe_cause_name(cause), name) == 0)
			return cause;
	}
	mistake("'%s' is not a cause", name);
}

static struct exec_case parse(char *column[COLUMNS])
{
	static const char *const who[] = { "any", "root", "user", NULL };
	static const char *const surfaces[] = { "all", "library", NULL };
	struct exec_case c = {
		.name = column[NAME],
		.path = column[PATH],
		.who = one_of(column[WHO], who),
		.state = strcmp(column[STATE], "-") == 0 ? NULL : column[STATE],
		.surfaces = one_of(column[SURFACES], surfaces),
		.error = error_number(column[ERRNO]),
		.words = column[WORDS],
		.cause = cause_number(column[CAUSE]),
		.broken = strcmp(column[BROKEN], "-") == 0 ? -1 : number(column[BROKEN], ERRPIPE_LINKS_MAX - 1),
	};

	if (c.error < 0)
		mistake("'%s' is not an errno that tests/support/cases.c knows", column[ERRNO]);
	if (c.broken < 0 && strcmp(column[BROKEN], "-") != 0)
		mistake("'%s' is not a link of a chain", column[BROKEN]);
	parse_exit_codes(column[EXIT_CODES], c.exit_codes);
	return c;
}

static void add(struct exec_case c)
{
	for (size_t i = 0; i < case_count; i++) {
		if (strcmp(cases[i].name, c.name) == 0)
			mistake("the case '%s' exists already", c.name);
	}
	cases = realloc(cases, (case_count + 1) * sizeof(*cases));
	if (!cases)
		mistake("out of memory");
	cases[case_count++] = c;
}

static const char *table_path(void)
{
	const char *given = getenv("ERRPIPE_CASES"), *source = getenv("ERRPIPE_SRC");
	char *path;

	if (given)
		return given;
	if (!source || asprintf(&path, "%s/tests/cases.txt", source) < 0) {
		fputs("tests/support/cases.c: neither ERRPIPE_CASES nor ERRPIPE_SRC is set\n", stderr);
		exit(EXIT_FAILURE);
	}
	return path;
}

void load_cases(void)
{
	char *line = NULL, *column[COLUMNS];
	size_t size = 0;
	FILE *table;

	file = table_path();
	table = fopen(file, "re");
	if (!table)
		mistake("%s", strerror(errno));

	while (getline(&line, &size, table) >= 0) {
		line_number++;
		if (*line == '#' || !*trim(line))
			continue;
		split(line, column);
		add(parse(column));
		line = NULL; /* the case keeps pointers into it */
	}
	if (ferror(table))
		mistake("%s", strerror(errno));
	if (!case_count)
		mistake("no cases");
	free(line);
	fclose(table);
}

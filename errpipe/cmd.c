/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "lib/internal.h"

static const char usage[] = "Usage: errpipe COMMAND [OPTION...] [ARG...]\n"
			    "\n"
			    "Start programs and explain why one could not be started.\n"
			    "\n"
			    "  run      start a program, wait for it, and exit with its status\n"
			    "  exec     replace errpipe with a program\n"
			    "  decode   print a record that a stub wrote\n"
			    "  explain  explain why an exec of a program fails, or would fail\n"
			    "  help     print this, or the options of a command\n"
			    "\n"
			    "  --help      print this; after a command, print its options\n"
			    "  --version   print the version\n"
			    "\n"
			    "Exit status 125 means that errpipe itself failed, including bad usage.\n";

static const struct {
	const char *name;
	const char *title; /* for getopt_long(3), which starts its messages with argv[0] */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "errpipe run", cmd_run },
	{ "exec", "errpipe exec", cmd_exec },
	{ "decode", "errpipe decode", cmd_decode },
	{ "explain", "errpipe explain", cmd_explain },
};

static char *own_words(int error, const char *format, va_list args)
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

static void print_own(const char *words)
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

int find_policy(const char *name)
{
	static const char *const policies[] = {
		[ERRPIPE_POSIX] = "posix",
		[ERRPIPE_DOCKERD] = "dockerd",
		[ERRPIPE_RUNC] = "runc",
		[ERRPIPE_SYSTEMD] = "systemd",
	};

	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (strcmp(policies[i], name) == 0)
			return i;
	}
	own_failure(0, "unknown policy '%s'", name);
	return -1;
}

int find_yes_or_no(const char *name)
{
	if (strcmp(name, "yes") == 0)
		return 1;
	if (strcmp(name, "no") == 0)
		return 0;
	own_failure(0, "--explain takes yes or no, not '%s'", name);
	return -1;
}

char *escaped(const char *path)
{
	struct errpipe__line line = { malloc(4 * strlen(path) + 1), 4 * strlen(path) + 1, 0 };

	if (!line.buf)
		return NULL;
	errpipe__add_path(&line, path);
	errpipe__end(&line);
	return line.buf;
}

void outcome_fail(struct outcome *outcome, int error, const char *format, ...)
{
	va_list args;

	free(outcome->failure);
	va_start(args, format);
	outcome->failure = own_words(error, format, args);
	va_end(args);
	outcome->report = (struct errpipe_report){ .status = -1 };
}

char *outcome_line(const struct outcome *outcome)
{
	size_t size;
	char *line;

	if (!outcome->report.verdict) {
		if (asprintf(&line, "errpipe: %s", outcome->failure ? outcome->failure : "no memory") < 0)
			return NULL;
		return line;
	}
	size = errpipe_message(NULL, 0, &outcome->report, outcome->path) + 1;
	line = malloc(size);
	if (line)
		errpipe_message(line, size, &outcome->report, outcome->path);
	return line;
}

int outcome_tell(const struct outcome *outcome, enum errpipe_policy policy)
{
	char *line;

	if (outcome->report.verdict != ERRPIPE_STARTED) {
		line = outcome_line(outcome);
		if (line)
			fprintf(stderr, "%s\n", line);
		else
			print_own(NULL);
		free(line);
	}
	return outcome->report.verdict ? errpipe_exit_code(&outcome->report, policy) : EXIT_OWN;
}

void outcome_free(struct outcome *outcome)
{
	free(outcome->path);
	free(outcome->tried);
	free(outcome->failure);
}

/* Whoever redirects the output to a full disk wants to know. A closed stdout matters only if it was written to. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout); /* its errno is gone */
	int error = fflush(stdout) == 0 ? 0 : errno;

	if (fclose(stdout) != 0 && errno != EBADF && !error)
		error = errno;
	if ((failed || error) && status == 0)
		return own_failure(error, "cannot write to standard output");
	return status;
}

static int run_command(int argc, char **argv)
{
	const char *name = argv[0];

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name) == 0) {
			argv[0] = (char *)commands[i].title;
			return commands[i].run(argc, argv);
		}
	}
	own_failure(0, "unknown %s '%s'", *name == '-' ? "option" : "command", name);
	return bad_usage("errpipe");
}

/* "help COMMAND" is "COMMAND --help". */
static int cmd_help(int argc, char **argv)
{
	char *help_argv[] = { argv[1], "--help", NULL };

	if (argc < 2)
		return help(usage);
	if (argc > 2) {
		own_failure(0, "help takes a single command; unexpected '%s'", argv[2]);
		return bad_usage("errpipe");
	}
	return run_command(2, help_argv);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		own_failure(0, "no command given");
		return bad_usage("errpipe");
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return close_stdout(help(usage));
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return close_stdout(help("errpipe " ERRPIPE_VERSION "\n"));
	if (strcmp(name, "help") == 0)
		return close_stdout(cmd_help(argc - 1, argv + 1));
	return close_stdout(run_command(argc - 1, argv + 1));
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const char usage[] =
	"Usage: errpipe run [--policy POLICY] [--] PROGRAM [ARG...]\n"
	"       errpipe decode [--path PATH] [FILE]\n"
	"\n"
	"Start programs, and say why one could not be started.\n"
	"\n"
	"run: start PROGRAM, found as a shell finds it, wait for it, and exit as it does (128 plus the signal that\n"
	"killed it). If it cannot be started, print why and exit with the code that the policy gives:\n"
	"  POLICY     not found  cannot be executed  set-up failed\n"
	"  posix      127        126                 125            the default, as shells do\n"
	"  dockerd    127        126 or 128          125            as in dockerd's State.ExitCode\n"
	"  runc       255        255                 255\n"
	"  systemd    203        203                 203\n"
	"\n"
	"decode: print what a record in FILE, or on standard input, says of PATH. Exits with 0 if it is a record\n"
	"and with 1 if it is not.\n"
	"\n"
	"  -h, --help       print this\n"
	"  -V, --version    print the version\n"
	"\n"
	"125 is the exit code for bad usage, and for a failure of errpipe itself.\n";

static const struct {
	const char *name;
	const char *title; /* for getopt_long(3), which starts its messages with argv[0] */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "errpipe run", cmd_run },
	{ "decode", "errpipe decode", cmd_decode },
};

int own_failure(int error, const char *format, ...)
{
	const char *name = errpipe_errname(error);
	va_list args;

	va_start(args, format);
	fputs("errpipe: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	if (name)
		fprintf(stderr, " (%s)", name);
	else if (error)
		fprintf(stderr, " (%s)", errpipe_strerror(error));
	fputc('\n', stderr);
	return EXIT_OWN;
}

int bad_usage(void)
{
	fputs("Try 'errpipe --help'.\n", stderr);
	return EXIT_OWN;
}

void print_message(FILE *to, const struct errpipe_report *report, const char *path)
{
	size_t size = errpipe_message(NULL, 0, report, path) + 1;
	char *line = malloc(size);

	if (!line) {
		own_failure(0, "no memory for a line of %zu bytes", size);
		return;
	}
	errpipe_message(line, size, report, path);
	fprintf(to, "%s\n", line);
	free(line);
}

/* Whoever redirects the output to a full disk wants to know. A closed stdout matters only if it was written to. */
static int close_stdout(int status)
{
	bool failed = fflush(stdout) != 0 || ferror(stdout);

	if (fclose(stdout) != 0 && errno != EBADF)
		failed = true;
	if (failed && status == 0)
		return own_failure(0, "cannot write to standard output");
	return status;
}

static int print(const char *text)
{
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		own_failure(0, "no command given");
		return bad_usage();
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return close_stdout(print(usage));
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return close_stdout(print("errpipe " ERRPIPE_VERSION "\n"));

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name) == 0) {
			argv[1] = (char *)commands[i].title;
			return close_stdout(commands[i].run(argc - 1, argv + 1));
		}
	}

	own_failure(0, "unknown %s '%s'", *name == '-' ? "option" : "command", name);
	return bad_usage();
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const char usage[] = "Usage: errpipe COMMAND [OPTION...] [ARG...]\n"
			    "\n"
			    "Start programs and explain why one could not be started.\n"
			    "\n"
			    "  run      start a program, wait for it, and exit with its status\n"
			    "  exec     replace errpipe with a program\n"
			    "  decode   print a record that a stub wrote\n"
			    "  explain  explain why an exec of a program fails, or would fail\n"
			    "  stub     write a stub that changes the process, for other languages\n"
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
	{ "run", "errpipe run", cmd_run },	    { "exec", "errpipe exec", cmd_exec },
	{ "decode", "errpipe decode", cmd_decode }, { "explain", "errpipe explain", cmd_explain },
	{ "stub", "errpipe stub", cmd_stub },
};

/* A full disk must not go unnoticed. A closed stdout matters only if something was written to it. */
static int close_stdout(int status)
{
	bool failed = ferror(stdout); /* its errno is no longer known */
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
	name_failure(0, *name == '-' ? "unknown option" : "unknown command", name, "");
	return bad_usage("errpipe");
}

/* "help COMMAND" is "COMMAND --help". */
static int cmd_help(int argc, char **argv)
{
	char *help_argv[] = { argv[1], "--help", NULL };

	if (argc < 2)
		return help(usage);
	if (argc > 2) {
		name_failure(0, "help takes a single command; unexpected", argv[2], "");
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

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

static const char usage[] = "Usage: errpipe decode [--path PATH] [--json] [FILE]\n"
			    "\n"
			    "Print the record in FILE or on standard input. A stub writes one when an exec\n"
			    "fails.\n"
			    "\n"
			    "  --path PATH   the program that failed (a record does not contain it)\n"
			    "  --json        print it as JSON\n"
			    "  --help        print this\n"
			    "\n"
			    "Exit status: 0 if it is a record, 1 if not, 125 if it cannot be read.\n";

enum { PATH, JSON, HELP };

static const struct option options[] = {
	{ "path", required_argument, NULL, PATH },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

enum { EXIT_NO_RECORD = 1 };

/* Long enough to see that it is too long. */
enum { READ_SIZE = 64 };

static int print(const struct outcome *outcome, bool as_json)
{
	int ret;

	if (as_json) {
		ret = json_write(stdout, outcome, NULL, -1);
		return ret < 0 ? own_failure(-ret, "cannot write JSON") : 0;
	}
	if (!outcome->line)
		return own_failure(ENOMEM, "cannot print the record");
	puts(outcome->line);
	return 0;
}

static int decode(FILE *file, const char *name, struct outcome *outcome, bool as_json)
{
	char bytes[READ_SIZE];
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	int ret;

	if (ferror(file))
		return own_failure(errno, "cannot read %s", name);
	if (size == 0) {
		own_failure(0, "%s is empty: either the target started or no stub ran", name);
		return EXIT_NO_RECORD;
	}
	if (errpipe_decode(bytes, size, &outcome->report) < 0) {
		own_failure(0, "%s is not a record", name);
		return EXIT_NO_RECORD;
	}
	outcome_finish(outcome);
	ret = print(outcome, as_json);
	free(outcome->line);
	return ret;
}

int cmd_decode(int argc, char **argv)
{
	struct outcome outcome = { .path = NULL };
	bool as_json = false;
	const char *name;
	char *where;
	FILE *file;
	int option, ret;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case PATH:
			outcome.path = optarg;
			break;
		case JSON:
			as_json = true;
			break;
		case HELP:
			return help(usage);
		default:
			return bad_usage(argv[0]);
		}
	}
	if (as_json && !json_is_there())
		return EXIT_OWN;
	if (argc - optind > 1) {
		name_failure(0, "decode takes a single file; unexpected", argv[optind + 1], "");
		return bad_usage(argv[0]);
	}

	name = argv[optind];
	if (!name || strcmp(name, "-") == 0)
		return decode(stdin, "standard input", &outcome, as_json);

	file = fopen(name, "re");
	if (!file)
		return name_failure(errno, "cannot open", name, "");
	where = quoted(name);
	ret = decode(file, where ? where : "the file", &outcome, as_json);
	free(where);
	fclose(file);
	return ret;
}

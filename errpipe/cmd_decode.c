/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct option options[] = {
	{ "path", required_argument, NULL, 'p' },
	{ 0 },
};

enum { EXIT_NO_RECORD = 1 };

/* Long enough to see that it is too long. */
enum { READ_SIZE = 64 };

static int decode(FILE *file, const char *name, const char *path)
{
	struct errpipe_report report;
	char bytes[READ_SIZE];
	size_t size = fread(bytes, 1, sizeof(bytes), file);

	if (ferror(file))
		return own_failure(errno, "cannot read %s", name);
	if (size == 0) {
		own_failure(0, "%s is empty: the target was started, or no stub ran", name);
		return EXIT_NO_RECORD;
	}
	if (errpipe_decode(bytes, size, &report) < 0) {
		own_failure(0, "%s is not a record", name);
		return EXIT_NO_RECORD;
	}
	print_message(stdout, &report, path);
	return 0;
}

int cmd_decode(int argc, char **argv)
{
	const char *path = NULL, *name;
	FILE *file;
	int option, ret;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'p')
			return bad_usage();
		path = optarg;
	}
	if (argc - optind > 1) {
		own_failure(0, "decode takes one file, not '%s' too", argv[optind + 1]);
		return bad_usage();
	}

	name = argv[optind];
	if (!name || strcmp(name, "-") == 0)
		return decode(stdin, "standard input", path);

	file = fopen(name, "re");
	if (!file)
		return own_failure(errno, "cannot open %s", name);
	ret = decode(file, name, path);
	fclose(file);
	return ret;
}

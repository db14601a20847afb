/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <unistd.h>

#include "cmd.h"

static const char usage[] = "Usage: errpipe stub [OPTION...]\n"
			    "\n"
			    "Write a stub to standard output, which must be a memfd, and seal it. The stub\n"
			    "changes the process as these options say, and then becomes the target.\n"
			    "dmz(1) describes its arguments.\n"
			    "\n" SETUP_USAGE "  --help            print this\n"
			    "\n"
			    "Exit status 125 means that no stub was written.\n";

enum { HELP };

static const struct option options[] = {
	SETUP_OPTIONS,
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

/* A file could be truncated, and the part of the setup that is lost would be skipped. A sealed memfd cannot. */
static int seal(void)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (fflush(stdout) != 0 || fcntl(STDOUT_FILENO, F_ADD_SEALS, seals) < 0)
		return own_failure(errno, "cannot seal the stub");
	return 0;
}

static int write_stub(const struct errpipe_setup *to)
{
	int stub = errpipe_setup_stub(to);
	char bytes[4096];
	off_t offset = 0;
	ssize_t size;

	if (stub < 0)
		return own_failure(-stub, "cannot make the stub");
	/* The library uses the descriptor's own offset as a mark. */
	while ((size = pread(stub, bytes, sizeof(bytes), offset)) > 0) {
		fwrite(bytes, 1, size, stdout);
		offset += size;
	}
	close(stub);
	return size < 0 ? own_failure(errno, "cannot read the stub") : seal();
}

/* Standard output is an empty memfd that can be sealed. */
static int check_output(void)
{
	struct stat st;

	if (fcntl(STDOUT_FILENO, F_GET_SEALS) == 0 && fstat(STDOUT_FILENO, &st) == 0 && st.st_size == 0)
		return 0;
	own_failure(0, "standard output must be an empty memfd that can be sealed: see memfd_create(2)");
	return -1;
}

static int stub_with(struct setup *setup, int argc, char **argv)
{
	int option;

	if (setup_begin(setup, argc, argv, options) < 0)
		return bad_usage(argv[0]);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == HELP)
			return help(usage);
		if (setup_option(setup, option, optarg) < 0)
			return bad_usage(argv[0]);
	}
	if (argv[optind]) {
		name_failure(0, "stub takes no program; unexpected", argv[optind], "");
		return bad_usage(argv[0]);
	}
	/* Whether groups can be changed is up to the process that runs the stub. */
	setup->to.set &= ~(uint64_t)ERRPIPE_KEEP_GROUPS;
	if (setup_check(setup) < 0 || check_output() < 0)
		return bad_usage(argv[0]);
	return write_stub(&setup->to);
}

int cmd_stub(int argc, char **argv)
{
	struct setup setup = { .is_used = false };
	int ret = stub_with(&setup, argc, argv);

	setup_free(&setup);
	return ret;
}

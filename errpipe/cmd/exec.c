/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <unistd.h>

#include "cmd.h"

static const char usage[] =
	"Usage: errpipe exec [OPTION...] [--] PROGRAM [ARG...]\n"
	"\n"
	"Replace errpipe with PROGRAM (looked up in PATH); if that fails, explain why.\n"
	"Use it in a container's ENTRYPOINT or a service's ExecStart=: PROGRAM gets the\n"
	"process, and nothing of errpipe remains.\n"
	"\n"
	"  --policy POLICY   exit code if it fails: posix (as shells do, the default),\n"
	"                    dockerd, runc, systemd\n"
	"  --argv0 NAME      the name that PROGRAM gets as argv[0]\n"
	"  --explain yes|no  after a failure, explain it in two more lines (default: yes)\n" SETUP_USAGE
	"  --help            print this\n"
	"\n"
	"Exit status 125 means that errpipe itself failed; errpipe(1) lists the policies.\n";

enum { POLICY, ARGV0, EXPLAIN, HELP };

static const struct option options[] = {
	{ "policy", required_argument, NULL, POLICY },
	{ "argv0", required_argument, NULL, ARGV0 },
	{ "explain", required_argument, NULL, EXPLAIN },
	SETUP_OPTIONS,
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

struct exec {
	struct setup setup;
	char **argv;
	bool is_set_up;
};

/* A failed step is the outcome, as with a stub. A stub would replace this process, which has to print the outcome. */
static bool set_up(struct exec *exec, struct outcome *outcome)
{
	unsigned step;
	int ret;

	if (!exec->setup.is_used || exec->is_set_up)
		return true;
	exec->is_set_up = true;
	ret = errpipe_setup_apply(&exec->setup.to, &step);
	if (ret == 0)
		return true;
	outcome->setup = &exec->setup;
	outcome->report = (struct errpipe_report){
		.verdict = ERRPIPE_SETUP_FAILED, .error = -ret, .raw_error = -ret, .step = step, .status = -1
	};
	return false;
}

/* Returns only if it has failed. The report goes through a pipe to ourselves, both ends of which an exec closes. */
static void try(const char *path, void *data, struct outcome *outcome)
{
	struct exec *exec = data;
	int pipe[2], ret;

	outcome->route = ERRPIPE_DIRECT_ASKED;
	if (!set_up(exec, outcome))
		return;
	ret = errpipe_pipe(pipe);
	if (ret == 0) {
		int error = errpipe_exec(ERRPIPE_NO_STUB, 0, pipe[1], path, exec->argv, environ);

		close(pipe[1]);
		ret = errpipe_read(pipe[0], &outcome->report);
		close(pipe[0]);
		/* An end of file is no success here: the report could not be written. */
		if (ret > 0 && outcome->report.verdict == ERRPIPE_STARTED)
			ret = error;
	}
	if (ret < 0)
		outcome_fail(outcome, -ret, "cannot report on", path);
}

/* A filter may answer 0 without the call. stdio would then try again for ever. No kernel accepts the descriptor -1. */
static bool write_is_faked(void)
{
	return write(-1, "", 1) >= 0;
}

static void explain(const struct outcome *outcome, char *const *argv)
{
	struct diagnosis diagnosis = diagnose(outcome, argv);

	diagnosis_tell(&diagnosis);
	diagnosis_free(&diagnosis);
}

static int exec_with(struct exec *exec, int argc, char **argv)
{
	enum errpipe_policy policy = ERRPIPE_POSIX;
	const char *argv0 = NULL, *program;
	struct outcome outcome;
	int explains = 1, option, ret;

	if (setup_begin(&exec->setup, argc, argv, options) < 0)
		return bad_usage(argv[0]);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case POLICY:
			ret = find_policy(optarg);
			if (ret < 0)
				return bad_usage(argv[0]);
			policy = ret;
			break;
		case ARGV0:
			argv0 = optarg;
			break;
		case EXPLAIN:
			explains = find_yes_or_no(optarg);
			if (explains < 0)
				return bad_usage(argv[0]);
			break;
		case HELP:
			return help(usage);
		default:
			if (setup_option(&exec->setup, option, optarg) < 0)
				return bad_usage(argv[0]);
		}
	}
	exec->argv = setup_argv(&exec->setup, argv + optind);
	program = *exec->argv;
	if (!program) {
		own_failure(0, "no program given");
		return bad_usage(argv[0]);
	}
	if (setup_check(&exec->setup) < 0)
		return bad_usage(argv[0]);
	if (argv0)
		*exec->argv = (char *)argv0;

	search_and_try(program, try, exec, &outcome);
	if (write_is_faked())
		_exit(outcome_exit_code(&outcome, policy));
	outcome_finish(&outcome);
	outcome_print(&outcome);
	if (explains)
		explain(&outcome, exec->argv);
	ret = outcome_exit_code(&outcome, policy);
	outcome_free(&outcome);
	return ret;
}

int cmd_exec(int argc, char **argv)
{
	struct exec exec = { .is_set_up = false };
	int ret = exec_with(&exec, argc, argv);

	setup_free(&exec.setup);
	return ret;
}

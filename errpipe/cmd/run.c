/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

static const char usage[] = "Usage: errpipe run [OPTION...] [--] PROGRAM [ARG...]\n"
			    "\n"
			    "Run PROGRAM (looked up in PATH), wait for it, and exit with its status, or with\n"
			    "128+N if signal N killed it. If it cannot be started, explain why.\n"
			    "\n"
			    "  --policy POLICY   exit code if it cannot be started: posix (as shells do, the\n"
			    "                    default), dockerd, runc, systemd\n"
			    "  --argv0 NAME      the name that PROGRAM gets as argv[0]\n"
			    "  --explain yes|no  after a failure, explain it in two more lines (default: yes)\n"
			    "  --route ROUTE     auto (default): use the stub unless PROGRAM could notice;\n"
			    "                    stub: always; direct: never\n" SETUP_USAGE
			    "  --report FILE     write the outcome to FILE as JSON; - is standard output\n"
			    "  --report-fd N     the same, to open descriptor N (PROGRAM does not inherit it)\n"
			    "  --help            print this\n"
			    "\n"
			    "Exit status 125 means that errpipe itself failed; errpipe(1) lists the policies.\n";

enum { POLICY, ARGV0, EXPLAIN, ROUTE, REPORT, REPORT_FD, HELP };

static const struct option options[] = {
	{ "policy", required_argument, NULL, POLICY },
	{ "argv0", required_argument, NULL, ARGV0 },
	{ "explain", required_argument, NULL, EXPLAIN },
	{ "route", required_argument, NULL, ROUTE },
	{ "report", required_argument, NULL, REPORT },
	{ "report-fd", required_argument, NULL, REPORT_FD },
	SETUP_OPTIONS,
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

struct run {
	enum errpipe_policy policy;
	const char *argv0, *report_name;
	int explains;
	int report_fd; /* or -1 */
	FILE *report;  /* or NULL */
	const char *program;
	struct signals signals;
	bool direct; /* without a stub */
	struct errpipe_spawn spawn;
	struct setup setup;
	char **argv;
};

/* A seccomp(2) filter may answer 0 without the call. The kernel never accepts options of 0. */
static bool waitid_is_faked(void)
{
	siginfo_t info; /* valgrind takes no NULL */

	return waitid(P_ALL, 0, &info, 0) == 0;
}

/* Without a pidfd the target counts as ended: errpipe_wait() then waits for it, but signals are not forwarded. */
static bool has_ended_by_pidfd(const struct errpipe_child *child)
{
	struct pollfd end = { child->pidfd, POLLIN, 0 };

	return child->pidfd < 0 || poll(&end, 1, 0) > 0;
}

/*
 * Has the target ended? It is not reaped here. Other children are, because process 1 gets orphans. If waitid(2) is
 * refused, the target's pidfd still shows its end.
 */
static bool has_ended(const struct errpipe_child *child)
{
	siginfo_t info;
	int ret;

	for (;;) {
		info.si_pid = 0;
		ret = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 || (info.si_pid == 0 && waitid_is_faked()))
			return has_ended_by_pidfd(child);
		if (info.si_pid == 0)
			return false;
		if (info.si_pid == child->pid)
			return true;
		waitpid(info.si_pid, NULL, 0);
	}
}

/* Forward signals until the exec has failed or the target has ended. */
static int attend(struct errpipe_child *child, struct signals *signals)
{
	struct pollfd fds[] = { { signals->fd, POLLIN, 0 }, { child->poll_fd, POLLIN, 0 } };
	struct errpipe_report report;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents) {
			int ret = errpipe_read_child(child, &report);

			if (ret < 0)
				return ret;
			if (report.verdict != ERRPIPE_STARTED)
				return 0;
			fds[1].fd = -1; /* poll(2) skips it from now on */
		}
		if (fds[0].revents)
			signals_pass_on(signals, child->pid);
		if (has_ended(child))
			return 0;
	}
}

/* Start the program at path, and wait for it. */
static void try(const char *path, void *data, struct outcome *outcome)
{
	struct run *run = data;
	struct errpipe_child child;
	int ret, waited;

	ret = errpipe_spawn(&child, &run->spawn, path, run->argv, environ);
	if (ret < 0) {
		outcome_fail(outcome, -ret, "cannot start a process for", run->program);
		outcome->lacks_process = ret == -EAGAIN;
		outcome->lacks_child = true;
		return;
	}
	outcome->route = child.route;
	outcome->setup = &run->setup;
	ret = attend(&child, &run->signals);
	if (ret < 0)
		kill(child.pid, SIGKILL);
	waited = errpipe_wait(&child, &outcome->report);
	if (ret == 0)
		ret = waited;
	if (ret < 0)
		outcome_fail(outcome, -ret, "cannot read the report of", path);
}

static int set_route(struct run *run, const char *name)
{
	static const struct {
		const char *name;
		bool direct;
		unsigned flags;
	} routes[] = { { "auto", false, 0 },
		       { "stub", false, ERRPIPE_STUB_ONLY },
		       { "direct", true, ERRPIPE_DIRECT_ONLY } };

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (strcmp(routes[i].name, name) == 0) {
			run->direct = routes[i].direct;
			run->spawn.flags = routes[i].flags;
			return 0;
		}
	}
	name_failure(0, "unknown route", name, ": use auto, stub or direct");
	return -1;
}

static int set_report_fd(struct run *run, const char *number)
{
	char *end;
	long fd = strtol(number, &end, 10);

	if (*number < '0' || *number > '9' || *end || fd > INT_MAX) {
		name_failure(0, "--report-fd takes the number of a descriptor, not", number, "");
		return -1;
	}
	run->report_fd = fd;
	return 0;
}

static int set_option(struct run *run, int option, const char *value)
{
	int ret;

	switch (option) {
	case POLICY:
		ret = find_policy(value);
		run->policy = ret;
		return ret < 0 ? -1 : 0;
	case ROUTE:
		return set_route(run, value);
	case ARGV0:
		run->argv0 = value;
		return 0;
	case EXPLAIN:
		run->explains = find_yes_or_no(value);
		return run->explains < 0 ? -1 : 0;
	case REPORT:
		run->report_name = value;
		return 0;
	case REPORT_FD:
		return set_report_fd(run, value);
	default:
		return setup_option(&run->setup, option, value);
	}
}

/* Above the standard streams. If one of those is closed, messages would otherwise land in the report. */
static FILE *duplicate(int from)
{
	int fd = fcntl(from, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool writes_to(int fd, const struct stat *file)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

/*
 * A descriptor that already writes to the file of that name, or -1: standard output, standard error, or N of /dev/fd/N.
 * Opening the file again would truncate it and overwrite later output.
 */
static int descriptor_of(const char *name)
{
	int known[] = { STDOUT_FILENO, STDERR_FILENO, -1 };
	struct stat file;

	if (strcmp(name, "-") == 0)
		return STDOUT_FILENO;
	if (stat(name, &file) < 0)
		return -1;
	if (sscanf(name, "/dev/fd/%d", &known[2]) < 1)
		sscanf(name, "/proc/self/fd/%d", &known[2]);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (writes_to(known[i], &file))
			return known[i];
	}
	return -1;
}

static FILE *create_report(const char *name)
{
	int fd = descriptor_of(name);
	FILE *low, *report;

	if (fd >= 0)
		return duplicate(fd);
	low = fopen(name, "we");
	if (!low || fileno(low) > STDERR_FILENO)
		return low;
	report = duplicate(fileno(low));
	fclose(low);
	return report;
}

static int report_failure(const struct run *run, int error)
{
	if (!run->report_name)
		return own_failure(error, "cannot write to descriptor %d", run->report_fd);
	if (strcmp(run->report_name, "-") == 0)
		return own_failure(error, "cannot write to standard output");
	return name_failure(error, "cannot write to", run->report_name, "");
}

/* Before the start: if the report cannot be written, nothing is started. */
static int open_report(struct run *run)
{
	if ((run->report_name || run->report_fd >= 0) && !json_is_there())
		return EXIT_OWN;
	if (run->report_name) {
		run->report = create_report(run->report_name);
		if (!run->report)
			return report_failure(run, errno);
	} else if (run->report_fd >= 0) {
		/* The target does not get it. */
		if (fcntl(run->report_fd, F_SETFD, FD_CLOEXEC) < 0)
			return report_failure(run, errno);
		run->report = fdopen(run->report_fd, "w");
		if (!run->report)
			return report_failure(run, errno);
	}
	return 0;
}

static int write_report(const struct run *run, const struct outcome *outcome, const struct diagnosis *diagnosis,
			int code)
{
	int ret;

	if (!run->report)
		return code;
	ret = json_write(run->report, outcome, diagnosis, code);
	if (fclose(run->report) != 0 && ret == 0)
		ret = -errno;
	return ret < 0 ? report_failure(run, -ret) : code;
}

/* Print the outcome on standard error, and write the report. */
static int tell(const struct run *run, struct outcome *outcome)
{
	struct diagnosis diagnosis = { .explanation = NULL };
	int code;

	outcome_finish(outcome);
	outcome_print(outcome);
	if (run->explains)
		diagnosis = diagnose(outcome, run->argv);
	diagnosis_tell(&diagnosis);
	if (run->explains && !diagnosis.explanation)
		outcome_print_crash(outcome);
	code = write_report(run, outcome, &diagnosis, outcome_exit_code(outcome, run->policy));
	diagnosis_free(&diagnosis);
	return code;
}

static int run_it(struct run *run, const char *program)
{
	struct outcome outcome;
	bool lacks_stub;
	int ret;

	ret = signals_take(&run->signals);
	if (ret < 0)
		return own_failure(-ret, "cannot watch for signals");
	/* Without a stub, for example where memfd_create(2) is forbidden, auto means direct. */
	if (run->setup.is_used)
		run->spawn.setup = &run->setup.to; /* with a stub of its own */
	else if (!run->direct)
		run->spawn.stub = errpipe_stub();
	lacks_stub = run->spawn.stub < 0 && run->spawn.flags & ERRPIPE_STUB_ONLY;
	run->spawn.mask = &run->signals.mask;
	run->spawn.prepare = signals_give_back;
	run->spawn.data = &run->signals;

	/* Every place in PATH would fail for the same reason. */
	if (lacks_stub) {
		outcome = (struct outcome){ .path = strdup(program) };
		outcome_fail(&outcome, -run->spawn.stub, "cannot make the stub", NULL);
	} else {
		run->program = program;
		search_and_try(program, try, run, &outcome);
	}
	ret = tell(run, &outcome);
	if (lacks_stub)
		own_failure(0, "use --route auto or --route direct, which work without the stub");
	outcome_free(&outcome);
	return ret;
}

static int run_with(struct run *run, int argc, char **argv)
{
	const char *program;
	int option, ret;

	if (setup_begin(&run->setup, argc, argv, options) < 0)
		return bad_usage(argv[0]);
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == HELP)
			return help(usage);
		if (set_option(run, option, optarg) < 0)
			return bad_usage(argv[0]);
	}
	run->argv = setup_argv(&run->setup, argv + optind);
	program = *run->argv;
	if (!program)
		own_failure(0, "no program given");
	if (run->report_name && run->report_fd >= 0)
		own_failure(0, "use either --report or --report-fd, not both");
	if (!program || (run->report_name && run->report_fd >= 0) || setup_check(&run->setup) < 0)
		return bad_usage(argv[0]);
	if (run->argv0)
		*run->argv = (char *)run->argv0;

	ret = open_report(run);
	return ret ? ret : run_it(run, program);
}

int cmd_run(int argc, char **argv)
{
	struct run run = { .explains = 1, .report_fd = -1 };
	int ret = run_with(&run, argc, argv);

	setup_free(&run.setup);
	return ret;
}

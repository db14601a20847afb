/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

static const struct option options[] = {
	{ "policy", required_argument, NULL, 'p' },
	{ 0 },
};

static const char *const policies[] = {
	[ERRPIPE_POSIX] = "posix",
	[ERRPIPE_DOCKERD] = "dockerd",
	[ERRPIPE_RUNC] = "runc",
	[ERRPIPE_SYSTEMD] = "systemd",
};

/* What the target is to inherit of us, and the descriptor that our own signals come from. */
struct signals {
	sigset_t mask;
	struct sigaction sigchld;
	int fd;
};

static int find_policy(const char *name)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (strcmp(name, policies[i]) == 0)
			return i;
	}
	return -1;
}

/*
 * Signals that are for the target are taken from a descriptor, and passed on. The others stay as they are: those
 * that stop and continue us with the target, and those that a fault of our own raises.
 */
static int take_signals(struct signals *signals)
{
	static const int left_alone[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS,
					  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS,  SIGABRT };
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t taken;

	sigfillset(&taken);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(*left_alone); i++)
		sigdelset(&taken, left_alone[i]);

	/* Whoever ignores SIGCHLD has no children to wait for, and we may have inherited that. */
	sigaction(SIGCHLD, &by_default, &signals->sigchld);
	sigprocmask(SIG_BLOCK, &taken, &signals->mask);
	signals->fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

static void give_signals_back(const struct signals *signals)
{
	sigaction(SIGCHLD, &signals->sigchld, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

/* What a terminal sends, the kernel sends to the whole foreground group: the target has had it already. */
static void pass_on(pid_t pid, const struct signals *signals)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
			kill(pid, info.ssi_signo);
	}
}

/* Reap what has ended. As pid 1 we get orphans too. True once the target is gone, and report is final. */
static bool reap(pid_t pid, struct errpipe_report *report)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == pid)
			errpipe_settle(pid, report);
		waitpid(info.si_pid, NULL, 0);
		if (info.si_pid == pid)
			return true;
	}
}

/* A child that has reported a failure is leaving. Do not depend on it. */
static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Stay with the target from its exec to its end. */
static int attend(pid_t pid, int pipe, const struct signals *signals, struct errpipe_report *report)
{
	struct pollfd fds[] = { { signals->fd, POLLIN, 0 }, { pipe, POLLIN, 0 } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents) {
			int ret = errpipe_read(pipe, 0, report);

			if (ret < 0 || report->verdict != ERRPIPE_STARTED) {
				end(pid);
				return ret < 0 ? ret : 0;
			}
			fds[1].fd = -1; /* poll(2) skips it from now on */
		}
		if (fds[0].revents)
			pass_on(pid, signals);
		if (fds[1].fd < 0 && reap(pid, report))
			return 0;
	}
}

/* Start what is at path, and wait for it. Returns 0 with the report, or EXIT_OWN. */
static int attempt(const char *path, char **argv, const struct signals *signals, struct errpipe_report *report)
{
	int pipe[2], ret;
	pid_t pid;

	ret = errpipe_pipe(pipe);
	if (ret < 0)
		return own_failure(-ret, "cannot make a pipe");

	pid = fork();
	if (pid == 0) {
		give_signals_back(signals);
		errpipe_exec(ERRPIPE_NO_STUB, 0, pipe[1], path, argv, environ);
		_exit(EXIT_OWN);
	}
	if (pid < 0) {
		ret = own_failure(errno, "cannot fork");
		close(pipe[1]);
	} else {
		close(pipe[1]);
		ret = attend(pid, pipe[0], signals, report);
		if (ret < 0)
			ret = own_failure(-ret, "cannot read the report of %s", path);
	}
	close(pipe[0]);
	return ret;
}

static int tell(const struct errpipe_report *report, const char *path, enum errpipe_policy policy)
{
	if (report->verdict != ERRPIPE_STARTED)
		print_message(stderr, report, path);
	return errpipe_exit_code(report, policy);
}

/*
 * As shells do: a file that may not be executed does not hide one further on, and is told of if there is none.
 * Any other file is the one that was meant, whatever comes of it.
 */
static int search_and_run(char **argv, const struct signals *signals, enum errpipe_policy policy)
{
	struct search search = search_begin(argv[0]);
	struct errpipe_report report, refused;
	char *refused_path = NULL;
	int ret;

	for (;;) {
		ret = search_next(&search);
		if (ret < 0) {
			ret = own_failure(-ret, "cannot search for %s", argv[0]);
			break;
		}
		if (ret == 0) {
			ret = tell(&refused, refused_path, policy);
			break;
		}
		ret = attempt(search.path, argv, signals, &report);
		if (ret)
			break;
		if (report.verdict != ERRPIPE_EXEC_FAILED || report.error != EACCES) {
			ret = tell(&report, search.found ? search.path : argv[0], policy);
			break;
		}
		if (!refused_path) {
			refused = report;
			refused_path = search.path;
			search.path = NULL;
		}
	}
	free(refused_path);
	search_end(&search);
	return ret;
}

int cmd_run(int argc, char **argv)
{
	enum errpipe_policy policy = ERRPIPE_POSIX;
	struct signals signals;
	int option, ret;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option != 'p')
			return bad_usage();
		ret = find_policy(optarg);
		if (ret < 0) {
			own_failure(0, "unknown policy '%s'", optarg);
			return bad_usage();
		}
		policy = ret;
	}
	if (optind == argc) {
		own_failure(0, "no program given");
		return bad_usage();
	}

	ret = take_signals(&signals);
	if (ret < 0)
		return own_failure(-ret, "cannot watch for signals");
	return search_and_run(argv + optind, &signals, policy);
}

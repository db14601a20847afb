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
#include <sys/syscall.h>
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
	/* The mask as the kernel has it: musl's sigprocmask(3) hides the signals that musl keeps for itself. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &signals->mask, _NSIG / 8);
	sigprocmask(SIG_BLOCK, &taken, NULL);
	signals->fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

/* In the child, for errpipe_spawn(). */
static int give_sigchld_back(void *data, unsigned *step)
{
	const struct signals *signals = data;

	(void)step;
	return sigaction(SIGCHLD, &signals->sigchld, NULL) < 0 ? -errno : 0;
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

/* Whether the target has ended. It is not reaped yet; but others are, for as pid 1 we get orphans. */
static bool has_ended(pid_t pid)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return false;
		if (info.si_pid == pid)
			return true;
		waitpid(info.si_pid, NULL, 0);
	}
}

/* Stay with the target until its exec has failed or it has ended. */
static int attend(const struct errpipe_child *child, const struct signals *signals, struct errpipe_report *report)
{
	struct pollfd fds[] = { { signals->fd, POLLIN, 0 }, { child->report, POLLIN, 0 } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents) {
			int ret = errpipe_read(child->report, report);

			if (ret < 0)
				return ret;
			if (report->verdict != ERRPIPE_STARTED)
				return 0;
			fds[1].fd = -1; /* poll(2) skips it from now on */
		}
		if (fds[0].revents)
			pass_on(child->pid, signals);
		if (has_ended(child->pid))
			return 0;
	}
}

/* Start what is at path, and wait for it. Returns 0 with the report, or EXIT_OWN. */
static int attempt(const char *path, char **argv, const struct errpipe_spawn *spawn, struct errpipe_report *report)
{
	struct errpipe_child child;
	int ret;

	ret = errpipe_spawn(&child, spawn, path, argv, environ);
	if (ret < 0)
		return own_failure(-ret, "cannot start a process for %s", path);

	*report = (struct errpipe_report){ .status = -1 };
	ret = attend(&child, spawn->data, report);
	if (ret < 0) {
		report->verdict = ERRPIPE_CLOSED;
		kill(child.pid, SIGKILL);
	}
	errpipe_wait(&child, report);
	return ret < 0 ? own_failure(-ret, "cannot read the report of %s", path) : 0;
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
static int search_and_run(char **argv, const struct errpipe_spawn *spawn, enum errpipe_policy policy)
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
		ret = attempt(search.path, argv, spawn, &report);
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
	struct errpipe_spawn spawn = { .mask = &signals.mask, .setup = give_sigchld_back, .data = &signals };
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

	/* Without a stub, as where memfd_create(2) is forbidden, the route is direct. */
	spawn.stub = errpipe_stub();
	if (spawn.stub < 0)
		spawn.stub = ERRPIPE_NO_STUB;
	return search_and_run(argv + optind, &spawn, policy);
}

/* SPDX-License-Identifier: MIT */
/*
 * A program whose argument names its action.
 *
 *	prog_act exit N		exit with N
 *	prog_act kill N		die of signal N
 *	prog_act print TEXT	print TEXT
 *	prog_act count		print "ready". Then print for each SIGTERM and SIGRTMIN+1 its count and its sender.
 *				SIGUSR1 ends this: print both totals and exit.
 *	prog_act job PLACE	print the pid, then do the same for SIGINT and SIGTERM. PLACE is one of:
 *				stay: in the parent's process group
 *				leave: for a process group of its own
 *				take: leave, and become the foreground group of the terminal
 *				session: lead a new session
 *				ignore: stay, and ignore SIGTSTP
 *	prog_act read		read standard input in a process group of its own
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int print_signal(const siginfo_t *info, int count)
{
	int signal = info->si_signo;

	return printf("%s %d from %d\n",
		      signal == SIGTERM	 ? "term"
		      : signal == SIGINT ? "int"
					 : "real",
		      count, (int)info->si_pid);
}

/* Stopping and continuing the process interrupts sigwaitinfo(2) (signal(7)). */
static int wait_for_one(const sigset_t *set, siginfo_t *info)
{
	int ret;

	do
		ret = sigwaitinfo(set, info);
	while (ret < 0 && errno == EINTR);
	return ret > 0;
}

static int count(int other)
{
	const struct timespec no_wait = { 0, 0 };
	int terms = 0, others = 0, done = 0;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, other);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");

	/* SIGUSR1 arrives before pending signals of higher numbers. Take those as well. */
	while (done ? sigtimedwait(&set, &info, &no_wait) > 0 : wait_for_one(&set, &info)) {
		if (info.si_signo == SIGUSR1)
			done = 1;
		else
			print_signal(&info, info.si_signo == SIGTERM ? ++terms : ++others);
	}
	printf("%d and %d\n", terms, others);
	return EXIT_SUCCESS;
}

static int take_terminal(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC), ret;

	signal(SIGTTOU, SIG_IGN);
	ret = tcsetpgrp(terminal, getpgrp());
	signal(SIGTTOU, SIG_DFL);
	close(terminal);
	return ret;
}

static int be_a_job(const char *place)
{
	int ret = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no process behind */
	if (strcmp(place, "ignore") == 0)
		signal(SIGTSTP, SIG_IGN);
	else if (strcmp(place, "session") == 0)
		ret = setsid();
	else if (strcmp(place, "stay") != 0)
		ret = setpgid(0, 0);
	if (ret == 0 && strcmp(place, "take") == 0)
		ret = take_terminal();
	if (ret < 0)
		return EXIT_FAILURE;
	printf("%d\n", (int)getpid());
	return count(SIGINT);
}

static int read_input(void)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return setpgid(0, 0) < 0 || read(STDIN_FILENO, &byte, 1) < 0;
}

static int die_of(int number)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(number, SIG_DFL);
	kill(getpid(), number);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(verb, "count") == 0)
		return count(SIGRTMIN + 1);
	if (strcmp(verb, "read") == 0)
		return read_input();
	if (argc < 3)
		return EXIT_FAILURE;
	if (strcmp(verb, "job") == 0)
		return be_a_job(argv[2]);
	if (strcmp(verb, "exit") == 0)
		return atoi(argv[2]);
	if (strcmp(verb, "kill") == 0)
		return die_of(atoi(argv[2]));
	if (strcmp(verb, "print") == 0)
		return puts(argv[2]) < 0;
	return EXIT_FAILURE;
}

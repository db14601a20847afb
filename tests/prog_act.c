/* SPDX-License-Identifier: MIT */
/*
 * A program that does what it is told.
 *
 *	prog_act exit N		exits with N
 *	prog_act kill N		is killed by signal N
 *	prog_act print TEXT	prints TEXT
 *	prog_act count		prints "ready"; after that, for each SIGTERM and SIGRTMIN+1, how
 *many there were so far, and who sent it; ends at SIGUSR1, with the number of both
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int print_signal(const siginfo_t *info, int count)
{
	return printf("%s %d from %d\n", info->si_signo == SIGTERM ? "term" : "real", count,
		      (int)info->si_pid);
}

/* A stop and a continuation interrupt that (signal(7)). */
static int wait_for_one(const sigset_t *set, siginfo_t *info)
{
	int ret;

	do
		ret = sigwaitinfo(set, info);
	while (ret < 0 && errno == EINTR);
	return ret > 0;
}

static int count(void)
{
	const struct timespec no_wait = { 0, 0 };
	int terms = 0, reals = 0, done = 0;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");

	/* SIGUSR1 has the lowest number and comes first: take what came with it, too. */
	while (done ? sigtimedwait(&set, &info, &no_wait) > 0 : wait_for_one(&set, &info)) {
		if (info.si_signo == SIGUSR1)
			done = 1;
		else
			print_signal(&info, info.si_signo == SIGTERM ? ++terms : ++reals);
	}
	printf("%d and %d\n", terms, reals);
	return EXIT_SUCCESS;
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

	if (strcmp(verb, "count") == 0)
		return count();
	if (argc < 3)
		return EXIT_FAILURE;
	if (strcmp(verb, "exit") == 0)
		return atoi(argv[2]);
	if (strcmp(verb, "kill") == 0)
		return die_of(atoi(argv[2]));
	if (strcmp(verb, "print") == 0)
		return puts(argv[2]) < 0;
	return EXIT_FAILURE;
}

/* SPDX-License-Identifier: MIT */
/* The command: one file per subcommand. Each takes its own argv, with a name for messages in argv[0]. */
#ifndef ERRPIPE_CMD_H
#define ERRPIPE_CMD_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "errpipe.h"

/* errpipe's own failures: bad usage, no memory, no processes left. 126 and 127 speak of the target. */
#define EXIT_OWN 125

int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_decode(int argc, char **argv);

/* cmd.c: print "errpipe: ...", with the name of the errno in brackets behind it if there is one. Returns EXIT_OWN. */
__attribute__((format(printf, 2, 3))) int own_failure(int error, const char *format, ...);

/* What getopt_long(3) leaves to be done for bad usage: it has named the mistake. Returns EXIT_OWN. */
int bad_usage(void);

/* Print what --help asks for. Returns 0. */
int help(const char *usage);

/* The policy of that name, or, after a message, -1. */
int find_policy(const char *name);

/* What came of a program that was to be exec'd. */
struct outcome {
	struct errpipe_report report; /* verdict 0: a failure of errpipe's own */
	enum errpipe_route route;
	char *path;    /* malloc'd: what was exec'd, or what the user typed if it is nowhere */
	char *failure; /* malloc'd: errpipe's own, in words, or NULL */
};

/* Make it a failure of errpipe's own, in the words of own_failure(). */
__attribute__((format(printf, 3, 4))) void outcome_fail(struct outcome *outcome, int error, const char *format, ...);

/* The line for people, malloc'd; NULL without memory. */
char *outcome_line(const struct outcome *outcome);

/* The exit code by a policy; prints the line on standard error unless the target was started. */
int outcome_tell(const struct outcome *outcome, enum errpipe_policy policy);

void outcome_free(struct outcome *outcome);

/*
 * cmd_search.c: try a program at the places where a shell would look for it, one after the other. Those where there is
 * nothing are left out, so that execve(2) decides on all others; if there is nothing anywhere, the last is tried, for
 * execve(2) to say so.
 *
 * As shells do: a file that may not be executed does not hide one further on, and is told of if there is none. Any other
 * file is the one that was meant, whatever comes of it.
 */
void search_and_try(const char *name, void (*try)(const char *path, void *data, struct outcome *outcome), void *data,
		    struct outcome *outcome);

/*
 * cmd_signals.c: signals that are for the target come to errpipe run first. It takes them from a descriptor, and passes
 * them on.
 */
struct signals {
	sigset_t mask;		  /* of the target: as we have inherited it */
	struct sigaction sigchld; /* likewise */
	int fd;			  /* readable when there is one */
	bool stop_sent;		  /* to the target, and nothing yet to continue it */
	bool stopped;		  /* the target was seen to be */
};

/* Returns 0, or a negative errno. */
int signals_take(struct signals *signals);
/* In the child, for errpipe_spawn(): data is the struct. */
int signals_give_back(void *data, unsigned *step);
/* Pass on what has come; and stop, as long as the target is stopped by job control. */
void signals_pass_on(struct signals *signals, pid_t pid);

/* cmd_json.c: whether errpipe was built with JSON; if not, it has been told. */
bool json_is_there(void);

/* Write the object that --report and --json ask for. exit_code is -1 if nothing was tried. Returns 0, or a negative errno. */
int json_write(FILE *to, const struct outcome *outcome, int exit_code);

#endif

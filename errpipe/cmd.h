/* SPDX-License-Identifier: MIT */
/* The command: one file per subcommand. Each takes its own argv, with a name for messages in argv[0]. */
#ifndef ERRPIPE_CMD_H
#define ERRPIPE_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "errpipe.h"

/* errpipe's own failures: bad usage, no memory, no processes left. 126 and 127 speak of the target. */
#define EXIT_OWN 125

int cmd_run(int argc, char **argv);
int cmd_decode(int argc, char **argv);

/* Print "errpipe: ...", with the name of the errno in brackets behind it if there is one. Returns EXIT_OWN. */
__attribute__((format(printf, 2, 3))) int own_failure(int error, const char *format, ...);

/* What getopt_long(3) leaves to be done for bad usage: it has named the mistake. Returns EXIT_OWN. */
int bad_usage(void);

/* Print the line for a report to a stream. */
void print_message(FILE *to, const struct errpipe_report *report, const char *path);

/*
 * cmd_search.c: the places where a shell would look for a program, one after the other. Those where there is
 * nothing are left out, so that execve(2) decides on all others; if there is nothing anywhere, the last is given,
 * for execve(2) to say so.
 */
struct search {
	const char *name; /* as the user typed it */
	const char *rest; /* of PATH; NULL when all of it was taken */
	char *path;	  /* the place at hand, malloc'd, or NULL */
	bool found;	  /* there was something in one of the places */
};

struct search search_begin(const char *name);
/* 1: search->path is the next place. 0: there is none left. Or a negative errno. */
int search_next(struct search *search);
void search_end(struct search *search);

#endif

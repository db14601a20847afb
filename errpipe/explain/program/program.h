/* SPDX-License-Identifier: MIT */
/*
 * What happens after the exec and before the program's own code. The kernel has started the program. Each function
 * returns 0, or -1 after ep_finding_set() with the exit status that follows.
 */
#ifndef ERRPIPE_EXPLAIN_PROGRAM_H
#define ERRPIPE_EXPLAIN_PROGRAM_H

#include "explain/kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* The program that the kernel has started. */
struct ep_running {
	const struct errpipe_link *link;
	int fd; /* open for reading */
	const struct ep_head *head;
	const struct errpipe_link *loader; /* NULL: it is static */
	int loader_fd;
};

/* libraries.c: does its loader find all libraries and versions? Fills in ex->library. */
int ep_libraries(struct ep_check *c, const struct ep_running *running);

/* room.c: did it crash, or did its loader stop, with a limit that leaves hardly any room? Call it after the others. */
int ep_small_limit(struct ep_check *c, const struct ep_running *running);

/* libraries.c: does the exec give it rights that its user does not have? */
bool ep_gains_rights(const struct ep_check *c, const struct ep_running *running);

/* option.c: does the interpreter refuse an option that the script's first line gives it, also by env(1)? */
int ep_option(struct ep_check *c, const struct ep_running *running);

/* unreadable.c: may the interpreter read its script? */
int ep_unreadable(struct ep_check *c, const struct ep_running *running);

/* A command that env(1) or a shell execs, along PATH, as execvp(3) does. */
struct ep_command {
	const char *name;		  /* as env gets it, kept; or NULL */
	struct errpipe_question question; /* the question about its exec: arguments, environment, working directory */
	bool is_shell;			  /* and not env */
	const char *path;		  /* PATH; NULL: not known */
	bool has_late_option;		  /* name is an option that comes after NAME=VALUE */
	bool has_no_path;		  /* path is what the C library takes instead of PATH */
	const struct errpipe_link *env;	  /* the link of env, or of the shell */
	const struct errpipe_link *script; /* the script whose first line names the command, or NULL */
	enum ep_answer has_shell;	   /* does it run a text file without "#!" by /bin/sh, or itself? */
	enum ep_env_kind kind;
	int fd;	      /* of env; -1: none */
	void *memory; /* of the arguments and the environment */
	size_t memory_size;
};

/*
 * env.c: is it env(1), or a shell with a simple command? Then *command is the command that it execs. It is valid until
 * ep_env_end(), which must be called in any case. The command before it must still be valid.
 */
int ep_env(struct ep_check *c, const struct ep_running *running, struct ep_command *command);
void ep_env_end(struct ep_command *command);

/* env_fails.c: no place along PATH has the command, link. is_shut: a directory of PATH may not be searched. */
int ep_env_missing(struct ep_check *c, const struct ep_command *command, const struct errpipe_link *link,
		   bool is_shut);

/* env_fails.c: the command is missing. Did the kernel cut the first line that names it? */
void ep_env_cut(struct ep_check *c, const struct ep_command *command);

/* env_fails.c: how its arguments in a first line can be more than one: the detail of ENV_ONE_ARGUMENT. */
enum errpipe_detail ep_env_splitting(const struct ep_command *command);

/* env_fails.c: the argument in the first line, kept as ENV_ONE_ARGUMENT with that detail has it. */
const char *ep_env_argument(struct ep_check *c, const struct ep_command *command);

/* env_fails.c: the status with which env ends if its execve(2) gives that error. */
int ep_env_status(int error);

/* env_fails.c: does it run a command of its own under that name if the file cannot be started? */
enum ep_answer ep_env_runs_built_in(const struct ep_command *command);

#pragma GCC visibility pop

#endif

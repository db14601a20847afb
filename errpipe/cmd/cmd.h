/* SPDX-License-Identifier: MIT */
/* The command. Each subcommand takes its own argv; argv[0] is the name for messages. */
#ifndef ERRPIPE_CMD_H
#define ERRPIPE_CMD_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "errpipe_explain.h"

/* errpipe itself failed: bad usage, out of memory, no more processes. 126 and 127 are about the target. */
#define EXIT_OWN 125

int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_stub(int argc, char **argv);

/*
 * messages.c: the message of a failure of errpipe itself, malloc'd, with the name of the errno in parentheses if there is
 * one. NULL if out of memory; print_own() then says so.
 */
__attribute__((format(printf, 2, 0))) char *own_words(int error, const char *format, va_list args);
void print_own(const char *words);

/* Print "errpipe: ...", followed by the name of the errno in parentheses if there is one. Returns EXIT_OWN. */
__attribute__((format(printf, 2, 3))) int own_failure(int error, const char *format, ...);

/* The same about a name: before, the name in quotes, and after. */
int name_failure(int error, const char *before, const char *name, const char *after);

/* After a message, point to the help. command is the argv[0] of a subcommand. Returns EXIT_OWN. */
int bad_usage(const char *command);

/* Print the answer to --help. Returns 0. */
int help(const char *usage);

/* option_values.c: the policy of that name, or, after a message, -1. */
int find_policy(const char *name);

/* The value of --explain: 1 for yes, 0 for no, or, after a message, -1. */
int find_yes_or_no(const char *name);

/* NGROUPS_MAX of the kernel. */
enum { GROUPS_MAX = 65536 };

/* A decimal id. Returns what follows it, or NULL. (uid_t)-1 is not an id: chown(2) and others take it for "leave it". */
const char *take_id(const char *text, uint32_t *id);

/* "cap_chown", or NULL for a number that is newer than errpipe. */
const char *capability_name(unsigned number);
/* The bit of a capability as OCI files name it, such as CAP_CHOWN. 0 if it is newer than errpipe. */
uint64_t capability_bit(const char *name);
/* Does it have no lower-case letter? Names in OCI files have none. */
bool is_upper(const char *name);

/* setup_options.c: the options of run and exec that change the process before the program starts. */
enum {
	SETUP_USER = 64, /* above the options of each subcommand */
	SETUP_GROUPS,
	SETUP_CHDIR,
	SETUP_UMASK,
	SETUP_LIMIT,
	SETUP_NO_NEW_PRIVS,
	SETUP_CAPABILITIES,
	SETUP_NEW_SESSION,
	SETUP_SECCOMP,
	SETUP_PROCESS,
	SETUP_CLOSE_FDS
};

/* Rows for getopt_long(3). */
#define SETUP_OPTIONS                                                                                                \
	{ "user", required_argument, NULL, SETUP_USER }, { "groups", required_argument, NULL, SETUP_GROUPS },        \
		{ "chdir", required_argument, NULL, SETUP_CHDIR },                                                   \
		{ "umask", required_argument, NULL, SETUP_UMASK },                                                   \
		{ "limit", required_argument, NULL, SETUP_LIMIT },                                                   \
		{ "no-new-privs", no_argument, NULL, SETUP_NO_NEW_PRIVS },                                           \
		{ "capabilities", required_argument, NULL, SETUP_CAPABILITIES },                                     \
		{ "new-session", no_argument, NULL, SETUP_NEW_SESSION },                                             \
		{ "seccomp", required_argument, NULL, SETUP_SECCOMP },                                               \
		{ "close-fds", no_argument, NULL, SETUP_CLOSE_FDS },                                                 \
	{                                                                                                            \
		"process", required_argument, NULL, SETUP_PROCESS                                                    \
	}

/* For the help. */
#define SETUP_USAGE                                                                                                  \
	"  --user USER[:GROUP], --groups LIST, --chdir DIR, --umask MODE, --new-session,\n"                          \
	"  --limit NAME=SOFT[:HARD], --capabilities LIST, --no-new-privs, --seccomp FILE,\n"                         \
	"  --process FILE, --close-fds\n"                                                                            \
	"                    change the process before PROGRAM starts; see errpipe(1)\n"

struct setup {
	struct errpipe_setup to;
	bool is_used;		     /* an option was given */
	bool has_groups, has_filter; /* by an option of its own */
	struct errpipe_who
		who; /* from setup_check(): the process that execs, unless it is as privileged as this one */
	bool has_who;
	gid_t *groups;
	struct errpipe_limit *limits;
	void *filter;
	struct json_t *process; /* of --process; the strings belong to it */
	char **args, **env;	/* likewise; NULL if there are none */
	char **outer_env;	/* the environment that env has replaced */
};

/*
 * Read --process, which the other options override. Call it before the options are read. Returns 0, or -1 after a message.
 */
struct option;
int setup_begin(struct setup *setup, int argc, char **argv, const struct option *options);

/* Returns 0, or -1 after a message. For any other option it returns -1 without a message. */
int setup_option(struct setup *setup, int option, const char *value);
void setup_free(struct setup *setup);

/* setup.c: memory that is there, or errpipe has exited. */
void *grow(void *memory, size_t size);

/* The resource of a name such as "nofile", in any case of letters, or -1. */
int find_resource(const char *name, size_t length);
/* The same for a name in OCI files, such as "RLIMIT_NOFILE". */
int find_rlimit(const char *type);

/* A limit as struct errpipe_question has it. */
uint64_t limit_to_ask(uint64_t limit);

/* Returns false if it replaces another limit of that resource. */
bool add_limit(struct setup *setup, const struct errpipe_limit *limit);

/* Read and close a file, which is NULL if fopen(3) failed. The text is malloc'd; a NUL follows it. NULL: there was a message. */
enum { FILE_SIZE_MAX = 4 << 20 };
char *read_file(FILE *file, const char *name, size_t *size);

/*
 * Instructions as the kernel takes them, which seccomp_export_bpf(3) writes. The setup frees the text. Returns 0, or -1 after
 * a message.
 */
int setup_filter(struct setup *setup, const char *name, char *text, size_t size);

/* The program and its arguments: argv, or if it is empty those of --process. The environment of --process becomes ours. */
char **setup_argv(struct setup *setup, char **argv);

/* Call it after the last option. Returns 0, or -1 after a message. */
int setup_check(struct setup *setup);

/* oci_process.c: read an OCI process object, or the config.json around it. Returns 0, or -1 after a message. */
int process_read(struct setup *setup, const char *name);
void process_free(struct setup *setup);

/* oci_seccomp.c: make the filter of an OCI profile, or of a text that has one. Returns 0, or -1 after a message. */
struct object;
int profile_compile(struct setup *setup, const struct object *profile);
int profile_read(struct setup *setup, const char *name, char *text, size_t size);

/* The name of an errno, or words if it has none. */
const char *errno_name(int error);

/* errpipe_escape() and errpipe_quote(), malloc'd; NULL if out of memory. */
char *escaped(const char *text);
char *quoted(const char *name);

/* outcome.c: the outcome of an attempt to exec a program. */
struct outcome {
	struct errpipe_report report; /* verdict 0: a failure of errpipe's own */
	enum errpipe_route route;
	char *path;		   /* malloc'd: the path that was tried, or the name as typed if PATH lacks it */
	char *tried;		   /* malloc'd: the path tried last, even if nothing exists there */
	bool nowhere;		   /* PATH lacks the program */
	bool lacks_process;	   /* fork(2) failed with EAGAIN */
	bool lacks_child;	   /* no process was started, so no path was tried */
	const struct setup *setup; /* of the process that was to exec; NULL: that of this process */
	char *failure;		   /* malloc'd: the failure of errpipe itself, or NULL */
	char *line;		   /* malloc'd: the message, from outcome_finish(); NULL if out of memory */
};

/* Make it a failure of errpipe itself: what failed and, unless it is NULL, a name, which is quoted. */
void outcome_fail(struct outcome *outcome, int error, const char *what, const char *name);

/* Format the message. Call it once, when the rest is final. */
void outcome_finish(struct outcome *outcome);

/* Print the message on standard error, unless the target was started. */
void outcome_print(const struct outcome *outcome);

/* Print that the target was started and then crashed, if it did: a shell would say so of its own child. */
void outcome_print_crash(const struct outcome *outcome);

/* The exit code by a policy. */
int outcome_exit_code(const struct outcome *outcome, enum errpipe_policy policy);

void outcome_free(struct outcome *outcome);

/* search.c: the PATH of execvp(3) if the variable is not set: confstr(3) _CS_PATH. */
#define DEFAULT_PATH "/bin:/usr/bin"

/* With NULL, the PATH of the environment. */
const char *path_or_default(const char *path);

/* Is a program of that name searched for in PATH? */
bool is_searched(const char *name);

/* Search a program, try to exec it, and fill in the outcome. The outcome is ENOENT if all places are ABSENT. */
void search_and_try(const char *name, void (*try)(const char *path, void *data, struct outcome *outcome), void *data,
		    struct outcome *outcome);

/*
 * signals.c: errpipe run receives the signals that are meant for the target from a descriptor, and forwards them.
 */
struct signals {
	sigset_t mask;		  /* the target's: the mask that we inherited */
	struct sigaction sigchld; /* likewise */
	int fd;			  /* readable when there is one */
	bool stop_sent;		  /* a stop signal was sent to the target, and no SIGCONT since */
	bool has_terminal;	  /* the target's group was in the foreground when the target stopped */
};

/* Returns 0, or a negative errno. */
int signals_take(struct signals *signals);
/* In the child, for errpipe_spawn(): data is the struct. */
int signals_give_back(void *data, unsigned *step);
/* Forward the pending signals. Stop while the target is stopped, if a shell can continue us. */
void signals_pass_on(struct signals *signals, pid_t pid);

/*
 * inspect.c: call work in a new process, for at most that long, because a file system may not respond. That process
 * holds nothing that others wait for: its descriptors are O_PATH.
 *
 * Returns the result of work, 0 or a negative errno. -ENOTRECOVERABLE: the process died. NO_ANSWER: it took too long.
 */
enum { NO_ANSWER = 1 };
int work_apart(int (*work)(void *data), void *data, int milliseconds);

/* inspect.c: a question, with the paths to be opened for it. */
struct inspection {
	struct errpipe_question question;
	const char *root;   /* NULL: our own */
	const char *base;   /* the directory that root and sources are relative to; NULL: the working directory */
	bool root_is_given; /* root is relative to the working directory all the same */

	struct errpipe_mount *mounts; /* of the question; the sources will be opened */
	const char **sources;	      /* for each mount: a path, or NULL if it is not known yet */
	size_t mounts_count;

	int milliseconds; /* for all of it */
};

/*
 * Call errpipe_explain() through work_apart(). The explanation is in memory of its own.
 *
 * Returns 0, or a negative errno as work_apart() does. If base or root could not be opened, looking_at names it.
 */
int explain_safely(struct errpipe_explanation **explanation, const struct inspection *inspection);

/* inspect.c: memory full of zeros; NULL without memory. */
struct errpipe_explanation *new_explanation(void);
void free_explanation(struct errpipe_explanation *explanation);

/* Replace a finding by one that has only a cause and a certainty. The links stay. */
void replace_finding(struct errpipe_explanation *explanation, enum errpipe_cause cause,
		     enum errpipe_certainty certainty);

/* diagnosis.c: an explanation and its context, for people and for JSON. */
struct diagnosis {
	struct errpipe_explanation *explanation; /* or NULL */
	const char *path;			 /* its subject; as the user typed it if PATH lacks it */
	int error;				 /* the errno of the failed exec; 0: none, or unknown */
	bool is_cwd;				 /* the path is that of the working directory */
	char *owned;				 /* malloc'd: a string of the explanation, or NULL */
	char *finding,
		*advice; /* malloc'd, from diagnosis_finish(): "" if there is nothing to say, NULL if out of memory */
};

/* no_process.c: find the limit that prevented a new process. */
void diagnose_no_process(struct diagnosis *diagnosis);

/* The errno to which the cause leads, if the exec failed with another one; otherwise 0. */
int other_errno(const struct diagnosis *diagnosis);

/* Format the finding and the advice. Call it once, when the rest is final. */
void diagnosis_finish(struct diagnosis *diagnosis);

/* Diagnose a failure. Empty for a target that started, unless the kernel killed it while loading. */
struct diagnosis diagnose(const struct outcome *outcome, char *const *argv);

/* Replace the explanation by a cause that concerns the bundle as a whole. */
void diagnosis_of_bundle(struct diagnosis *diagnosis, enum errpipe_cause cause, int error, const char *program);

/*
 * Print a line with the finding, and one with the advice if there is any. Both begin with before. If before is "", no
 * message has named the errno yet, so the first line does. Returns 0, or -1 if out of memory.
 */
int diagnosis_print(FILE *to, const struct diagnosis *diagnosis, const char *before);

/* Print both lines on standard error, after the message. */
void diagnosis_tell(const struct diagnosis *diagnosis);
void diagnosis_free(struct diagnosis *diagnosis);

/* bundle.c: a part of config.json that no runtime can carry out, or that refuses the exec. Without one, cause is NONE. */
struct bundle_fault {
	enum errpipe_cause cause;
	enum errpipe_detail detail;
	int error;
	uint64_t number, limit;
	char *object; /* malloc'd */
};

/* bundle.c: the process that an OCI bundle's config.json describes. The strings belong to config. */
struct bundle {
	struct json_t *config; /* of jansson */
	const char *root, *cwd;
	char **args, **env;		/* args is NULL if there are none */
	struct errpipe_who who, mapped; /* mapped: who, with the ids that the files have here */
	gid_t *groups, *mapped_groups;
	uint64_t limit_stack, limit_address_space, limit_processes, limit_data, limit_files; /* limit_files: hard */
	struct errpipe_mount *mounts;
	const char **sources;
	size_t mounts_count;
	char *root_name;			       /* malloc'd: as seen from the working directory; or NULL */
	const char *profile, *label;		       /* of AppArmor and SELinux; NULL: none */
	struct bundle_fault fault, cwd_fault, seccomp; /* a fault for every runtime; of cwd; of the filter */
	bool has_rule;				       /* the filter has a rule for execve */
	bool seccomp_is_unclear; /* the outcome depends on arguments, or on the order of rules */
};

/* Returns 0, or -1 after a message. Free it in both cases. Gives up on config.json after that many milliseconds. */
int bundle_read(struct bundle *bundle, const char *directory, int milliseconds);
void bundle_free(struct bundle *bundle);

/*
 * Does this machine refuse the limit of open files, or lack the AppArmor profile or the SELinux label? The object is a string
 * of the bundle.
 */
struct bundle_fault bundle_machine_fault(const struct bundle *bundle);

/* json.c: was errpipe built with JSON support? If not, prints a message. */
bool json_is_there(void);

/*
 * json_outcome.c: write the object of --report and --json. exit_code is -1 if nothing was tried. diagnosis is NULL if
 * there is none. Returns 0, or a negative errno.
 */
int json_write(FILE *to, const struct outcome *outcome, const struct diagnosis *diagnosis, int exit_code);

/* json_diagnosis.c: the object of explain --json. Returns 0, or a negative errno. */
int json_write_diagnosis(FILE *to, const struct diagnosis *diagnosis);

#endif

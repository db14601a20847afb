/* SPDX-License-Identifier: MIT */
/*
 * A script that its interpreter cannot read. The kernel needs no more than the x bit to start the interpreter, which then
 * opens the script by its path.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/program/program.h"

/* Some shells move the descriptor of their script to 10 or above, which F_DUPFD of fcntl(2) refuses with EINVAL if the limit is less. */
enum { STATUSES = 2, LEAST_MOVED = 10 };

/*
 * Interpreters, the options after which they still read the script, and their exit statuses if they cannot: of bash 5.2,
 * busybox 1.35, dash 0.5.11 and 0.5.12, perl 5.36, python 3.11 and zsh 5.9. 0: unknown.
 * not_moved: the status if they cannot move its descriptor; 0: they do not.
 */
static const struct interpreter {
	const char *name, *options;
	int not_moved, status[STATUSES];
} interpreters[] = {
	{ "bash", "afhlnuvx", 0, { 126 } }, { "bash", "aefhlnuvx", 0, { 1 } },	{ "dash", "aefnuvx", 2, { 2, 127 } },
	{ "busybox", "aefnuvx", 2, { 2 } }, { "zsh", "aefnuvx", 127, { 127 } }, { "sh", "aefnuvx", 0, { 0 } },
	{ "ash", "aefnuvx", 0, { 0 } },	    { "ksh", "aefnuvx", 0, { 0 } },	{ "mksh", "aefnuvx", 0, { 0 } },
	{ "python", "uEsSBOIv", 0, { 2 } }, { "perl", "wWtTU", 0, { 13 } },
};

static bool has_name(const struct errpipe_link *link, const char *name)
{
	const char *own = ep_last_name(link->resolved), *applet = ep_last_name(link->path);

	if (!ep_begins_with(own, name))
		return false;
	if (strcmp(name, "busybox") == 0)
		return strcmp(applet, "sh") == 0 || strcmp(applet, "ash") == 0;
	own += strlen(name);
	return strspn(own, "0123456789.") == strlen(own);
}

static bool takes(const struct interpreter *interpreter, const char *argument)
{
	return *argument == '-' && argument[1] && argument[1 + strspn(argument + 1, interpreter->options)] == '\0';
}

/* The command of env(1) gets the script as an argument. */
static bool command_takes(const struct ep_check *c, const struct interpreter *interpreter,
			  const struct errpipe_link *script)
{
	char *const *argv = c->question->argv;

	for (argv = argv && *argv ? argv + 1 : NULL; argv && *argv; argv++) {
		if (strcmp(*argv, script->path) == 0)
			return true;
		if (!takes(interpreter, *argv))
			return false;
	}
	return false;
}

static bool reads(const struct ep_check *c, const struct interpreter *interpreter, const struct errpipe_link *link,
		  const struct errpipe_link *script)
{
	if (!has_name(link, interpreter->name))
		return false;
	if (link->kind == ERRPIPE_LINK_COMMAND)
		return command_takes(c, interpreter, script);
	return !script->argument || takes(interpreter, script->argument);
}

static const struct errpipe_link *parent_of(const struct ep_check *c, const struct errpipe_link *link)
{
	return link && link->parent >= 0 ? &c->ex->link[link->parent] : NULL;
}

/* Either the interpreter that its first line names, or the command of env(1) in that line. */
static const struct errpipe_link *script_of(const struct ep_check *c, const struct errpipe_link *link)
{
	const struct errpipe_link *script;

	if (link->kind != ERRPIPE_LINK_COMMAND)
		return link->kind == ERRPIPE_LINK_INTERPRETER ? parent_of(c, link) : NULL;
	script = parent_of(c, parent_of(c, link));
	return script && script->format == ERRPIPE_FORMAT_SCRIPT ? script : NULL;
}

/* The one of the report, if it is among them; else the only one; 0: unknown. */
static int status_of(const struct ep_check *c, const struct interpreter *interpreter)
{
	const struct errpipe_report *report = c->question->report;

	for (int i = 0; report && WIFEXITED(report->status) && i < STATUSES; i++) {
		if (interpreter->status[i] == WEXITSTATUS(report->status))
			return interpreter->status[i];
	}
	return interpreter->status[1] ? 0 : interpreter->status[0];
}

static const struct interpreter *reader_of(const struct ep_check *c, const struct errpipe_link *link,
					   const struct errpipe_link *script)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(*interpreters); i++) {
		if (reads(c, &interpreters[i], link, script))
			return &interpreters[i];
	}
	return NULL;
}

static int check_permission(struct ep_check *c, const struct ep_running *running, const struct errpipe_link *script,
			    const struct interpreter *interpreter)
{
	struct ep_readable file;
	int error;

	if (c->own_identity || ep_may_read_all(&c->who) || ep_gains_rights(c, running))
		return 0;
	error = ep_open_to_read(c, script->path, &file);
	if (error == 0 && file.fd >= 0)
		close(file.fd);
	if (error != -EACCES)
		return 0;
	return ep_finding_set(c, script,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_SCRIPT_UNREADABLE,
				      .status = status_of(c, interpreter),
				      .subject = running->link->path,
				      .denied = file.denied,
			      });
}

static int check_descriptors(struct ep_check *c, const struct ep_running *running, const struct errpipe_link *script,
			     const struct interpreter *interpreter)
{
	uint64_t asked = c->question->limit_files, limit = ep_asked_limit(asked);

	if (!asked || limit > LEAST_MOVED || !interpreter->not_moved)
		return 0;
	return ep_finding_set(c, running->link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_OPEN_FILES,
				      .detail = ERRPIPE_DETAIL_MOVED_SCRIPT,
				      .status = interpreter->not_moved,
				      .subject = script->path,
				      .number = LEAST_MOVED + 1,
				      .limit = limit,
			      });
}

int ep_unreadable(struct ep_check *c, const struct ep_running *running)
{
	const struct errpipe_link *link = running->link, *script = script_of(c, link);
	const struct interpreter *interpreter = script && link->resolved ? reader_of(c, link, script) : NULL;

	if (!interpreter)
		return 0;
	if (check_permission(c, running, script, interpreter) < 0)
		return -1;
	return check_descriptors(c, running, script, interpreter);
}

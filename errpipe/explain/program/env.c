/* SPDX-License-Identifier: MIT */
/*
 * env(1), which changes its environment and execs the command in its arguments. A shell also execs the simple command that
 * it gets with -c.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "explain/program/program.h"

/* For -S. Longer strings than these, and larger environments, are not followed. */
enum { WORDS_MAX = 512, WORD_BYTES = 16384, CHANGES_MAX = 1000, STRINGS_MAX = 100000 };

static size_t count(char *const *strings)
{
	size_t n = 0;

	while (strings && strings[n])
		n++;
	return n;
}

/* --- the arguments of env ------------------------------------------------------------------------------------- */

static const struct errpipe_link *parent_of(const struct ep_check *c, const struct errpipe_link *link)
{
	return link->parent >= 0 ? &c->ex->link[link->parent] : NULL;
}

/* The first file of that exec, or NULL if a handler of binfmt_misc is among them, which has arguments of its own. */
static const struct errpipe_link *first_of(const struct ep_check *c, const struct errpipe_link *link)
{
	while (link->kind == ERRPIPE_LINK_INTERPRETER && link->parent >= 0)
		link = &c->ex->link[link->parent];
	return link->kind == ERRPIPE_LINK_HANDLER ? NULL : link;
}

/*
 * Each script puts its interpreter, the argument in its first line and its own path in place of the first argument
 * (load_script() in the kernel's fs/binfmt_script.c).
 */
static void add_arguments(const struct ep_check *c, const struct errpipe_link *link, char **to)
{
	char *const *argv = c->question->argv;

	if (link->kind != ERRPIPE_LINK_INTERPRETER && argv && *argv) {
		*to++ = *argv;
	} else {
		*to++ = (char *)link->path;
		while (link->kind == ERRPIPE_LINK_INTERPRETER && link->parent >= 0) {
			link = &c->ex->link[link->parent];
			if (link->argument)
				*to++ = (char *)link->argument;
			*to++ = (char *)link->path;
		}
	}
	for (size_t i = 1; argv && *argv && argv[i]; i++)
		*to++ = argv[i];
	*to = NULL;
}

/* --- memory --------------------------------------------------------------------------------------------------- */

struct room {
	char **words, **argv, **unset, **envp, *bytes;
};

/* Two arguments for each script. The words of -S go before the arguments that they replace. */
static bool make_room(struct ep_command *command, const struct ep_check *c, struct room *room)
{
	size_t argc = count(c->question->argv) + 2UL * ERRPIPE_LINKS_MAX + WORDS_MAX + 2;
	size_t envc = count(c->question->envp) + argc + 1;
	char **pointers;

	if (argc > STRINGS_MAX || envc > STRINGS_MAX)
		return false;
	command->memory_size = (WORDS_MAX + 2 * argc + envc) * sizeof(char *) + WORD_BYTES + PATH_MAX;
	pointers = mmap(NULL, command->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pointers == MAP_FAILED)
		return false;
	command->memory = pointers;
	*room = (struct room){
		.words = pointers,
		.argv = pointers + 2UL * WORDS_MAX,
		.unset = pointers + WORDS_MAX + argc,
		.envp = pointers + WORDS_MAX + 2 * argc,
		.bytes = (char *)(pointers + WORDS_MAX + 2 * argc + envc),
	};
	return true;
}

void ep_env_end(struct ep_command *command)
{
	if (command->memory)
		munmap(command->memory, command->memory_size);
	if (command->fd >= 0)
		close(command->fd);
	command->memory = NULL;
	command->fd = -1;
}

/* --- the environment of the command --------------------------------------------------------------------------- */

static bool has_name(const char *variable, const char *name, size_t length)
{
	return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

static bool is_unset(const struct ep_env_call *call, const char *variable)
{
	for (size_t i = 0; i < call->unset_count; i++) {
		if (has_name(variable, call->unset[i], strlen(call->unset[i])))
			return true;
	}
	return false;
}

/* putenv(3) replaces the first of that name. */
static void set(char **envp, char *variable)
{
	size_t length = strcspn(variable, "=");

	while (*envp && !has_name(*envp, variable, length))
		envp++;
	if (!*envp)
		envp[1] = NULL;
	*envp = variable;
}

static void change(char **envp, char *const *before, const struct ep_env_call *call)
{
	size_t n = 0;

	for (; before && *before && !call->clears; before++) {
		if (!is_unset(call, *before))
			envp[n++] = *before;
	}
	envp[n] = NULL;
	for (size_t i = 0; i < call->set_count; i++)
		set(envp, call->set[i]);
}

/* Where execvp(3) looks without a PATH: CS_PATH in glibc's confstr.h, musl's src/process/execvp.c. */
static const char *default_path(const struct ep_running *running, bool *is_known)
{
	enum ep_libc libc = EP_GLIBC;

	*is_known = running->loader && ep_libc_of(running->loader->path, &libc);
	return libc == EP_MUSL ? "/usr/local/bin:/bin:/usr/bin" : "/bin:/usr/bin";
}

static void guess(struct ep_check *c)
{
	if (c->ex->certainty == ERRPIPE_CERTAIN)
		c->ex->certainty = ERRPIPE_LIKELY;
}

static void set_path(struct ep_check *c, const struct ep_running *running, const struct ep_env_call *call,
		     char **envp, struct ep_command *command)
{
	bool is_known = true;

	for (char **variable = envp; *variable && !command->path; variable++) {
		if (has_name(*variable, "PATH", strlen("PATH")))
			command->path = *variable + strlen("PATH=");
	}
	if (!command->path && !command->is_shell && (c->question->envp || call->clears)) {
		command->has_no_path = true;
		command->path = default_path(running, &is_known);
	}
	if (!is_known)
		guess(c);
	if (c->question->envp || call->clears)
		command->question.envp = envp;
}

/* glibc's maybe_script_execute() in posix/execvpe.c; musl has no such thing. Toybox and uutils 0.0.17 search by themselves. */
static enum ep_answer has_shell(const struct ep_running *running, const struct ep_command *command)
{
	enum ep_libc libc;

	if (command->is_shell)
		return EP_YES;
	if (command->kind == EP_ENV_TOYBOX)
		return EP_NO;
	if (!running->loader || !ep_libc_of(running->loader->path, &libc))
		return EP_NOT_KNOWN;
	if (libc == EP_GLIBC && ep_is_one_of_many(running->link->resolved) && command->kind != EP_ENV_BUSYBOX)
		return EP_NOT_KNOWN;
	return libc == EP_GLIBC ? EP_YES : EP_NO;
}

/* --- faults --------------------------------------------------------------------------------------------------- */

/* Busybox fails with its usage. */
static int own_status(const struct ep_command *command)
{
	return command->kind == EP_ENV_BUSYBOX ? 1 : 125;
}

static int refuse(struct ep_check *c, const struct ep_command *command, enum errpipe_cause cause,
		  enum errpipe_detail detail, const char *object)
{
	return ep_finding_set(c, command->env,
			      (struct ep_finding){
				      .cause = cause,
				      .status = own_status(command),
				      .subject = command->script ? command->script->path : NULL,
				      .object = object,
				      .detail = detail,
			      });
}

static int refuse_whole(struct ep_check *c, const struct ep_command *command)
{
	return refuse(c, command, ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, ep_env_splitting(command),
		      ep_env_argument(c, command));
}

/* Is that text of the first line itself, and not of a word of -S? */
static bool is_in_line(const struct ep_command *command, const char *text)
{
	const char *argument = command->script ? command->script->argument : NULL;

	return argument && text >= argument && text <= argument + strlen(argument) && argument[1] != 'S';
}

/* The kernel does not split the rest of the first line, so env sees "-i bash" or "-i\r" as a cluster of options. */
static int refuse_option(struct ep_check *c, const struct ep_command *command, const struct ep_env_call *call)
{
	const char letter = call->letter;
	bool is_short = call->object[1] != '-' && ep_is_ascii(letter) && letter > ' ';

	if (is_in_line(command, call->object) && (letter == ' ' || letter == '\t'))
		return refuse_whole(c, command);
	if (is_in_line(command, call->object) && letter == '\r')
		return refuse(c, command, ERRPIPE_CAUSE_CARRIAGE_RETURN, ERRPIPE_DETAIL_OPTION,
			      command->script->argument);
	return refuse(c, command, ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_OPTION,
		      is_short ? ep_keep(c, "-%c", letter) : ep_keep(c, "%.64s", call->object));
}

/* Is that text of the first line, with a blank in it, as of "-C /tmp sh"? */
static bool is_unsplit(const struct ep_command *command, const char *text)
{
	return is_in_line(command, text) && strpbrk(text, " \t");
}

static int refuse_call(struct ep_check *c, const struct ep_command *command, const struct ep_env_call *call)
{
	if (call->fault == ERRPIPE_DETAIL_ENV_OPTION)
		return refuse_option(c, command, call);
	if (is_unsplit(command, call->object))
		return refuse_whole(c, command);
	return refuse(c, command, ERRPIPE_CAUSE_ENV_REFUSES, call->fault,
		      ep_keep(c, "%.*s", call->object_length < 64 ? (int)call->object_length : 64, call->object));
}

/* chdir(2) wants a directory that may be searched, as a path that goes on does. */
static int change_directory(struct ep_check *c, struct ep_command *command, const char *directory, char *joined)
{
	const char *before = *directory == '/' ? NULL : c->question->cwd;
	enum ep_place place = EP_PLACE_EMPTY;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/.", directory) >= (int)sizeof(path) ||
	    snprintf(joined, PATH_MAX, "%s%s%s", before ? before : "", before ? "/" : "", directory) >= PATH_MAX)
		place = EP_PLACE_UNSEEN;
	else if (*directory)
		place = ep_look_at(c, path);
	if ((place == EP_PLACE_EMPTY || place == EP_PLACE_SHUT) && is_unsplit(command, directory))
		return refuse_whole(c, command);
	if (place == EP_PLACE_EMPTY || place == EP_PLACE_SHUT)
		return refuse(c, command, ERRPIPE_CAUSE_ENV_REFUSES, ERRPIPE_DETAIL_ENV_DIRECTORY,
			      ep_keep(c, "%s", directory));
	if (place == EP_PLACE_UNSEEN)
		guess(c);
	command->question.cwd = joined;
	return 0;
}

/*
 * "#!/usr/bin/env NAME=VALUE command" is one argument for env, the assignment of a variable. The next argument is the
 * path of the script, which therefore becomes the command.
 */
static bool runs_its_script(const struct ep_command *command, const struct ep_env_call *call)
{
	const char *name = *call->command;

	return command->script && strcmp(name, command->script->path) == 0 && strchr(name, '/') &&
	       (*name == '/' || !call->directory);
}

/* "FOO=1 -i bash" */
static bool has_late_option(const char *argument)
{
	size_t length = strcspn(argument, " \t");
	bool sets = *argument != '-' && memchr(argument, '=', length);

	while (argument[length] && *argument != '-' && memchr(argument, '=', length)) {
		argument += length + strspn(argument + length, " \t");
		length = strcspn(argument, " \t");
	}
	return sets && *argument == '-';
}

static int run_script(struct ep_check *c, const struct ep_command *command)
{
	const char *argument = command->script->argument;
	bool splits = argument && strpbrk(argument, " \t") && !ep_begins_with(argument, "-S");

	return ep_finding_set(c, command->env,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_ENV_RUNS_SCRIPT,
				      .subject = command->script->path,
				      .object = splits ? ep_env_argument(c, command) : NULL,
				      .detail = splits && has_late_option(argument) ? ERRPIPE_DETAIL_LATE_OPTION
										    : ERRPIPE_DETAIL_NONE,
			      });
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static int follow_call(struct ep_check *c, const struct ep_running *running, struct ep_command *command,
		       const struct ep_env_call *call, const struct room *room)
{
	if (call->directory && change_directory(c, command, call->directory, room->bytes + WORD_BYTES) < 0)
		return -1;
	if (runs_its_script(command, call))
		return run_script(c, command);
	change(room->envp, c->question->envp, call);
	set_path(c, running, call, room->envp, command);
	command->question.argv = call->command;
	command->name = ep_keep(c, "%s", *call->command);
	command->has_late_option = call->set_count && **call->command == '-';
	command->has_shell = has_shell(running, command);
	command->fd = ep_opened(fcntl(running->fd, F_DUPFD_CLOEXEC, 3));
	return 0;
}

static int read_call(struct ep_check *c, const struct ep_running *running, struct ep_command *command, size_t skip,
		     const struct room *room)
{
	struct ep_words words = { .word = room->words, .max = WORDS_MAX, .bytes = room->bytes, .size = WORD_BYTES };
	struct ep_env_call call = { .unset = room->unset };

	ep_env_call(&call, command->kind, room->argv + skip, &words, c->question->envp);
	if (call.is_unknown || call.unset_count + call.set_count > CHANGES_MAX) {
		guess(c);
		return 0;
	}
	if (call.fault)
		return refuse_call(c, command, &call);
	return *call.command ? follow_call(c, running, command, &call, room) : 0;
}

/* The words that the shell passes on; if it expands some, only the name of the command. */
static bool split(struct ep_words *words, const char *text)
{
	const struct ep_words empty = *words;
	char name[PATH_MAX];

	if (ep_split(words, text, NULL) == EP_SPLIT_DONE)
		return true;
	*words = empty;
	return (size_t)snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, " \t"), text) < sizeof(name) &&
	       ep_split(words, name, NULL) == EP_SPLIT_DONE;
}

/* Each shell finds the command and passes the words on. Without PATH, each has directories of its own. */
static int read_text(struct ep_check *c, const struct ep_running *running, struct ep_command *command,
		     const char *text, const struct room *room)
{
	struct ep_words words = { .word = room->words, .max = WORDS_MAX, .bytes = room->bytes, .size = WORD_BYTES };
	struct ep_env_call call = { .command = room->words };

	if (!split(&words, text))
		return 0;
	command->is_shell = true;
	command->kind = ep_is_one_of_many(running->link->resolved) ? EP_ENV_BUSYBOX : EP_ENV_NONE;
	return follow_call(c, running, command, &call, room);
}

int ep_env(struct ep_check *c, const struct ep_running *running, struct ep_command *command)
{
	const struct errpipe_link *first = first_of(c, running->link);
	const char *resolved = running->link->resolved, *text = NULL;
	struct room room;
	size_t skip;

	*command = (struct ep_command){ .question = *c->question, .env = running->link, .fd = -1 };
	if (!first || !resolved || (running->link == first && (!c->question->argv || !*c->question->argv)))
		return 0;
	if (running->link == first && ep_may_be_shell(resolved))
		text = ep_shell_command(c->question->argv, c->question->envp);
	if (!text && !ep_may_be_env(resolved))
		return 0;
	if (running->link != first)
		command->script = parent_of(c, running->link);
	if (!make_room(command, c, &room)) {
		guess(c);
		return 0;
	}
	if (text)
		return read_text(c, running, command, text, &room);
	add_arguments(c, running->link, room.argv);
	command->kind = ep_env_program(resolved, running->fd, room.argv, &skip);
	return command->kind ? read_call(c, running, command, skip, &room) : 0;
}

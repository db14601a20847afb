/* SPDX-License-Identifier: MIT */
/* Walk the chain of files in execve(2)'s order and draw the conclusion. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/judge.h"
#include "explain/facts/elf_file.h"
#include "explain/hints/hints.h"
#include "explain/kernel/kernel.h"
#include "explain/program/program.h"
#include "explain/text.h"

/* Interpreters of interpreters (exec_binprm() in the kernel's fs/exec.c). */
enum { MAX_DEPTH = 5 };

static void interpreter_missing(struct ep_check *c, const struct errpipe_link *link)
{
	ep_interpreter_missing(c, link, c->ex->link + link->parent);
	ep_hint_interpreter(c, link);
}

/* The file is missing: replace MISSING by a more specific cause where there is one. */
static void refine_missing(struct ep_check *c, const struct errpipe_link *link)
{
	if (c->ex->cause != ERRPIPE_CAUSE_MISSING)
		return;
	if (link->kind == ERRPIPE_LINK_HANDLER)
		ep_handler_missing(c, c->ex->link + link->parent);
	else if (link->kind == ERRPIPE_LINK_LOADER && c->ex->link[link->parent].kind == ERRPIPE_LINK_HANDLER)
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_HANDLER_DYNAMIC });
	else if (link->kind == ERRPIPE_LINK_LOADER)
		ep_loader_missing(c, link, c->ex->link + link->parent);
	else if (link->kind == ERRPIPE_LINK_INTERPRETER)
		interpreter_missing(c, link);
}

/* A file of the chain that is open. */
struct file {
	struct errpipe_link *link; /* NULL: none is open */
	int path_fd, fd;
	struct ep_head head;
};

static void close_file(struct file *file)
{
	if (file->link) {
		close(file->path_fd);
		close(file->fd);
	}
	file->link = NULL;
}

static int search_handlers(struct ep_check *c, struct file *file, struct ep_next *next);

/* An x bit is enough for a script and for a program. */
static bool needs_only_permission(const struct ep_head *head)
{
	struct errpipe_link link = { .format = ep_format(head) };

	if (link.format != ERRPIPE_FORMAT_ELF)
		return link.format == ERRPIPE_FORMAT_SCRIPT;
	ep_elf_identify(&link, head);
	return link.type == ET_EXEC || link.type == ET_DYN;
}

/* The fault that would remain if the file had its x bit, with its object. */
static void find_fault(struct ep_check *c, struct file *file)
{
	struct errpipe_explanation *ex = c->ex;
	struct ep_finding denied = ep_finding_get(ex);
	const int exec_error = c->exec_error;
	struct ep_next next = { 0 };

	ep_finding_clear(ex);
	file->link->format = ep_format(&file->head);
	if (search_handlers(c, file, &next) < 0) {
		file->link->fault = ex->cause;
		file->link->wrong = ep_broken_words(c);
		denied.object = ex->object;
	} else {
		ex->handler = NULL;
	}
	ep_finding_put(ex, &denied);
	c->exec_error = exec_error;
}

/* The process may not read the file. A program can do without that, but not a script. */
static void inspect_unreadable_file(struct ep_check *c, struct errpipe_link *link)
{
	struct ep_head head = { .size = 0 };
	int fd = ep_open_for_hint(c, link->path);
	bool is_known = fd >= 0 && ep_read_head(fd, &head) == 0;

	if (fd >= 0)
		close(fd);
	if (!is_known)
		link->fault = ERRPIPE_CAUSE_UNREADABLE;
	else if (ep_format(&head) == ERRPIPE_FORMAT_SCRIPT)
		link->fault = ERRPIPE_CAUSE_SCRIPT_UNREADABLE;
}

/* The file lacks its x bit. Look for a second fault. */
static void inspect_refused_file(struct ep_check *c, struct errpipe_link *link)
{
	struct file file = { .link = link };
	struct ep_readable readable;
	int error;

	if (c->ex->cause != ERRPIPE_CAUSE_NOT_EXECUTABLE)
		return;
	error = ep_open_to_read(c, link->path, &readable);
	if (error == -EACCES && !ep_may_read_all(&c->who))
		inspect_unreadable_file(c, link);
	if (error < 0 || readable.fd < 0)
		return;
	file.fd = readable.fd;
	if (ep_read_head(file.fd, &file.head) == 0 && !needs_only_permission(&file.head))
		find_fault(c, &file);
	close(file.fd);
}

/* Returns 0 with *file, or -1. */
static int open_file(struct ep_check *c, struct errpipe_link *link, struct file *file)
{
	int path_fd = ep_find_file(c, link), fd, error;

	if (path_fd < 0) {
		refine_missing(c, link);
		inspect_refused_file(c, link);
		return -1;
	}
	if (ep_before_reading(c, link, path_fd) < 0) {
		close(path_fd);
		return -1;
	}
	fd = ep_open_file(c, path_fd);
	error = fd < 0 ? fd : ep_read_head(fd, &file->head);
	if (error < 0) {
		if (fd >= 0)
			close(fd);
		close(path_fd);
		return ep_not_read(c, link, -error, -error);
	}
	file->link = link;
	file->path_fd = path_fd;
	file->fd = fd;
	link->format = ep_format(&file->head);
	return 0;
}

/* search_binary_handler() in the kernel's fs/exec.c: it asks binfmt_misc first. */
static int search_handlers(struct ep_check *c, struct file *file, struct ep_next *next)
{
	if (ep_take_handler(c, file->link, &file->head, next)) {
		/* open_file() has set it. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		if (file->link->format == ERRPIPE_FORMAT_ELF)
			ep_elf_describe(file->link, file->fd, &file->head);
		return 0;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	switch (file->link->format) {
	case ERRPIPE_FORMAT_SCRIPT:
		return ep_script(c, file->link, &file->head, next);
	case ERRPIPE_FORMAT_ELF:
		if (ep_elf(c, file->link, file->fd, &file->head, next) == 0)
			return 0;
		ep_hint_content(c, file->link, file->fd, &file->head);
		return -1;
	default:
		if (ep_lost_handler(c, file->link, &file->head))
			return -1;
		ep_no_format(c, file->link);
		ep_hint_content(c, file->link, file->fd, &file->head);
		return -1;
	}
}

/* parent: NULL for the program. */
static struct errpipe_link *add_link(struct ep_check *c, const struct errpipe_link *parent,
				     const struct ep_next *next)
{
	struct errpipe_link *link = &c->ex->link[c->ex->links++];

	link->kind = next->kind;
	link->parent = parent ? parent - c->ex->link : -1;
	link->path = next->path;
	c->ex->looking_at = next->path;
	return link;
}

/*
 * A program for another machine does not start. But an emulator needs its loader too, so look that up and report a
 * problem beside the main cause.
 */
static void inspect_foreign_loader(struct ep_check *c, const struct errpipe_link *program, const struct ep_next *next)
{
	struct errpipe_explanation *ex = c->ex;
	struct errpipe_link *link = add_link(c, program, next);
	const struct ep_finding main_finding = ep_finding_get(ex);
	const int exec_error = c->exec_error;
	int fd;

	ep_finding_clear(ex);
	fd = ep_find_file(c, link);
	if (fd >= 0) {
		close(fd);
	} else {
		refine_missing(c, link);
		link->fault = ex->cause;
		link->wrong = ep_broken_words(c);
	}
	ep_finding_put(ex, &main_finding);
	c->exec_error = exec_error;
}

/* Returns a descriptor, or -1. */
static int open_handler(struct ep_check *c, const char *path)
{
	int path_fd = ep_openat(AT_FDCWD, path, O_PATH), fd = -1;
	struct stat st;

	if (path_fd < 0)
		return -1;
	if (fstat(path_fd, &st) == 0 && S_ISREG(st.st_mode))
		fd = ep_open_file(c, path_fd);
	close(path_fd);
	return fd;
}

/* Does the kernel take the handler's program, and does the root have its loader or interpreter? */
static void inspect_handler_file(struct ep_check *c, struct errpipe_link *link, int fd)
{
	struct file file = { .link = link, .path_fd = -1, .fd = fd };
	struct errpipe_link *last;
	struct ep_next next = { 0 };
	int path_fd;

	if (ep_read_head(fd, &file.head) < 0)
		return;
	link->format = ep_format(&file.head);
	if (search_handlers(c, &file, &next) < 0 || !next.kind || next.kind == ERRPIPE_LINK_HANDLER)
		return;
	last = add_link(c, link, &next);
	path_fd = ep_find_file(c, last);
	if (path_fd < 0)
		refine_missing(c, last);
	else
		close(path_fd);
}

/*
 * Flag F: the kernel has had the handler's program open since it was registered, but it looks for the loader of that
 * program in the root of the process (load_elf_binary() in fs/binfmt_elf.c). Its path may lead to another file by now, or
 * here, and so this is never certain. A handler for programs of this machine emulates errpipe as well.
 */
static void inspect_opened_handler(struct ep_check *c, struct errpipe_link *link)
{
	const struct errpipe_link *program = &c->ex->link[link->parent];
	bool is_emulated = program->format == ERRPIPE_FORMAT_ELF && ep_support(program) == EP_NATIVE;
	int fd = is_emulated ? -1 : open_handler(c, link->path);

	if (fd < 0)
		return;
	inspect_handler_file(c, link, fd);
	close(fd);
	if (c->ex->certainty == ERRPIPE_UNSURE)
		ep_finding_clear(c->ex);
	c->ex->certainty = c->ex->cause ? ERRPIPE_LIKELY : ERRPIPE_CERTAIN;
}

static int too_deep(struct ep_check *c, const struct errpipe_link *link, int depth)
{
	bool names_itself = strcmp(link->path, c->ex->link[link->parent].path) == 0;

	return ep_finding_set(c, link,
			      (struct ep_finding){
				      .cause = ERRPIPE_CAUSE_CHAIN_TOO_DEEP,
				      .error = ELOOP,
				      .number = depth,
				      .limit = MAX_DEPTH,
				      .detail = names_itself ? ERRPIPE_DETAIL_NAMES_ITSELF : ERRPIPE_DETAIL_NONE,
			      });
}

/*
 * Follow one execve(2) up to the point of no return. *program is the file that becomes the process. Returns 0, or -1 after
 * a finding, or at a file that cannot be seen.
 */
static int walk_chain(struct ep_check *c, const struct errpipe_link *parent, struct ep_next next,
		      struct file *program, struct file *loader)
{
	for (int depth = 0; next.kind != ERRPIPE_LINK_LOADER; depth++) {
		struct errpipe_link *link = add_link(c, parent, &next);

		if (next.opened) {
			inspect_opened_handler(c, link);
			return -1;
		}
		close_file(program);
		if (open_file(c, link, program) < 0)
			return -1;
		if (depth > MAX_DEPTH)
			return too_deep(c, link, depth);
		next = (struct ep_next){ 0 };
		parent = link;
		if (search_handlers(c, program, &next) < 0) {
			if (next.kind)
				inspect_foreign_loader(c, link, &next);
			return -1;
		}
		if (!next.kind)
			return 0;
	}
	if (open_file(c, add_link(c, parent, &next), loader) < 0)
		return -1;
	if (ep_elf_loader(c, loader->link, loader->fd, &loader->head) == 0)
		return 0;
	ep_hint_content(c, loader->link, loader->fd, &loader->head);
	return -1;
}

static int check_segments(struct ep_check *c, const struct file *file)
{
	return file->link ? ep_elf_segments(c, file->link, file->fd, &file->head) : 0;
}

/* One execve(2), until the new program runs. Returns 0, or -1 if it does not. */
static int check_exec(struct ep_check *c, const struct errpipe_link *parent, const struct ep_next *next,
		      struct file *program, struct file *loader)
{
	if (walk_chain(c, parent, *next, program, loader) < 0 ||
	    ep_credentials(c, program->link, program->path_fd) < 0 || ep_has_failed(c->question->report) ||
	    check_segments(c, program) < 0)
		return -1;
	return check_segments(c, loader);
}

static void guess(struct ep_check *c)
{
	if (c->ex->certainty == ERRPIPE_CERTAIN)
		c->ex->certainty = ERRPIPE_LIKELY;
}

/* Follow the new program up to its own code. Returns 0 with *command if it is env(1), else -1. */
static int check_program(struct ep_check *c, const struct file *program, const struct file *loader,
			 struct ep_command *command)
{
	const struct ep_running running = {
		.link = program->link,
		.fd = program->fd,
		.head = &program->head,
		.loader = loader->link,
		.loader_fd = loader->fd,
	};

	c->has_started = true;
	*command = (struct ep_command){ .fd = -1 };
	if (ep_libraries(c, &running) < 0 || ep_option(c, &running) < 0 || ep_unreadable(c, &running) < 0 ||
	    ep_env(c, &running, command) < 0 || (!command->name && ep_small_limit(c, &running) < 0))
		return -1;
	if (!command->name && c->doubts)
		guess(c);
	return command->name ? 0 : -1;
}

/* --- a file in PATH that is a symbolic link ---------------------------------------------------- */

/* Is the file itself, and not its directory, a symbolic link that leads nowhere? */
static bool is_dangling(struct ep_check *c, const char *path)
{
	const char *link, *target;
	int directory = ep_last_name(path) - path;

	return ep_fails_by(c, path, ERRPIPE_CAUSE_DANGLING_LINK, &link, &target) &&
	       (!directory || ep_exists(c, ep_keep(c, "%.*s", directory, path)));
}

/* --- the command of env(1) or a shell------------------------------------------------------------- */

/* The links and the finding of an exec, which can be given up for another one. */
struct attempt {
	struct ep_finding finding;
	enum errpipe_certainty certainty;
	int error, links;
	struct errpipe_link link[ERRPIPE_LINKS_MAX];
};

static struct attempt remember(const struct ep_check *c)
{
	struct attempt attempt = {
		.finding = ep_finding_get(c->ex),
		.certainty = c->ex->certainty,
		.error = c->exec_error,
		.links = c->ex->links,
	};

	memcpy(attempt.link, c->ex->link, sizeof(attempt.link));
	return attempt;
}

static void restore(struct ep_check *c, const struct attempt *attempt)
{
	ep_finding_put(c->ex, &attempt->finding);
	c->ex->certainty = attempt->certainty;
	c->exec_error = attempt->error;
	c->ex->links = attempt->links;
	memcpy(c->ex->link, attempt->link, sizeof(attempt->link));
}

/* The links of one exec. */
enum { EXEC_LINKS = MAX_DEPTH + 3 };

/* glibc's execvp(3) starts /bin/sh for a file of an unknown format. With a text or an empty file that succeeds. */
static int try_shell(struct ep_check *c, const struct ep_command *command, const struct attempt *before,
		     struct file *program, struct file *loader)
{
	const char *path = command->is_shell ? command->env->path : "/bin/sh";
	const struct ep_next shell = { ERRPIPE_LINK_INTERPRETER, path, false };
	const struct errpipe_link *text = &c->ex->link[c->ex->broken];
	bool is_text = c->ex->cause == ERRPIPE_CAUSE_NO_INTERPRETER_LINE || c->ex->cause == ERRPIPE_CAUSE_EMPTY_FILE;

	if (command->has_shell == EP_NO)
		return -1;
	if (command->has_shell == EP_NOT_KNOWN || !is_text || c->ex->links + EXEC_LINKS > ERRPIPE_LINKS_MAX) {
		guess(c);
		c->exec_error = 0;
		return -1;
	}
	ep_finding_put(c->ex, &before->finding);
	return check_exec(c, text, &shell, program, loader);
}

/* One place along PATH. */
static int try_place(struct ep_check *c, const struct ep_command *command, const char *path,
		     const struct attempt *before, struct file *program, struct file *loader)
{
	const struct ep_next next = { ERRPIPE_LINK_COMMAND, ep_keep(c, "%s", path), false };

	close_file(loader);
	restore(c, before);
	c->data = c->addresses = 0;
	c->untried = NULL;
	if (check_exec(c, command->env, &next, program, loader) == 0)
		return 0;
	return c->exec_error == ENOEXEC ? try_shell(c, command, before, program, loader) : -1;
}

/* execvp(3) goes on after these. */
static bool goes_on(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR || error == ESTALE || error == ENODEV ||
	       error == ETIMEDOUT;
}

/* The files that are tried. Hardly any PATH has more that fail. */
enum { ATTEMPTS_MAX = 4 };

/* The places of a name without a slash. *failed is the first file that could not be started. Returns 0, or -1. */
static int try_places(struct ep_check *c, const struct ep_command *command, const struct attempt *before,
		      struct file *program, struct file *loader, struct attempt *failed, bool *is_shut)
{
	struct ep_places places = { .name = command->name, .rest = *command->name ? command->path : NULL };
	int attempts = 0;

	while (ep_next_place(&places)) {
		enum ep_place place = ep_look_at(c, places.text);

		*is_shut |= place == EP_PLACE_SHUT;
		if (place == EP_PLACE_UNSEEN)
			guess(c);
		if (place != EP_PLACE_THERE)
			continue;
		if (try_place(c, command, places.text, before, program, loader) == 0)
			return 0;
		if (!attempts++)
			*failed = remember(c);
		if (!goes_on(c->exec_error) || attempts == ATTEMPTS_MAX)
			break;
	}
	return -1;
}

/* The first place where a symbolic link of that name leads nowhere. */
static bool find_dangling(struct ep_check *c, const struct ep_command *command, struct ep_places *places)
{
	*places = (struct ep_places){ .name = command->name, .rest = *command->name ? command->path : NULL };
	while (ep_next_place(places)) {
		if (is_dangling(c, places->text))
			return true;
	}
	return false;
}

static int search_command(struct ep_check *c, const struct ep_command *command, const struct attempt *before,
			  struct file *program, struct file *loader)
{
	const struct ep_next missing = { ERRPIPE_LINK_COMMAND, command->name, false };
	struct attempt failed = { .links = 0 };
	struct ep_places places;
	bool is_shut = false;

	if (!command->path) {
		guess(c);
		return -1;
	}
	if (try_places(c, command, before, program, loader, &failed, &is_shut) == 0)
		return 0;
	if (failed.links)
		restore(c, &failed);
	else if (!is_shut && find_dangling(c, command, &places))
		return try_place(c, command, places.text, before, program, loader);
	else
		ep_env_missing(c, command, add_link(c, command->env, &missing), is_shut);
	return -1;
}

/* execvp(3) in env. Returns 0 if the command starts, else -1. */
static int check_command(struct ep_check *c, const struct ep_command *command, struct file *program,
			 struct file *loader)
{
	const struct attempt before = remember(c);
	enum ep_answer built_in;
	int ret;

	c->question = &command->question;
	c->ex->libraries = c->ex->more_libraries = 0; /* those were env's */
	if (strchr(command->name, '/'))
		ret = try_place(c, command, command->name, &before, program, loader);
	else
		ret = search_command(c, command, &before, program, loader);
	ep_env_cut(c, command);
	built_in = ret < 0 && c->ex->links > before.links ? ep_env_runs_built_in(command) : EP_NO;
	if (built_in == EP_YES)
		restore(c, &before);
	else if (ret < 0 && c->exec_error && !c->ex->status)
		c->ex->status = ep_env_status(c->exec_error);
	if (built_in != EP_NO)
		guess(c);
	/* Shells differ in the files that they pass over, and in the status for a file that exists. */
	if (ret < 0 && command->is_shell && c->ex->cause != ERRPIPE_CAUSE_COMMAND_MISSING &&
	    c->ex->cause != ERRPIPE_CAUSE_MISSING)
		guess(c);
	return ret;
}

/* env(1) can exec another env(1), and so on. The chain has room for these. */
enum { EXECS_MAX = ERRPIPE_LINKS_MAX / EXEC_LINKS };

/* --- a foreign program behind a handler ------------------------------------------------------ */

/* The last one that a handler of binfmt_misc takes, or NULL. */
static struct errpipe_link *find_emulated(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;
	const struct errpipe_link *handler = ex->links ? &ex->link[ex->links - 1] : NULL;
	struct errpipe_link *program;

	if (handler && handler->kind == ERRPIPE_LINK_LOADER)
		handler = &ex->link[handler->parent];
	if (!handler || handler->kind != ERRPIPE_LINK_HANDLER || !ep_is_plain_emulator(c, handler))
		return NULL;
	program = &ex->link[handler->parent];
	return program->format == ERRPIPE_FORMAT_ELF && program->dynamic && ep_support(program) == EP_FOREIGN
		       ? program
		       : NULL;
}

/* The name of its loader, which ep_elf() reads of a foreign program, too. */
static struct ep_next loader_of(struct ep_check *c, struct file *program)
{
	const struct ep_finding before = ep_finding_get(c->ex);
	const int exec_error = c->exec_error;
	struct ep_next next = { 0 };

	ep_elf(c, program->link, program->fd, &program->head, &next);
	ep_finding_put(c->ex, &before);
	c->exec_error = exec_error;
	return next;
}

/* The emulator reads the loader, as it reads any file. Only the finding of a missing one is that of an exec. */
static void check_emulated_loader(struct ep_check *c, const struct file *program, const struct ep_next *next)
{
	struct errpipe_link *link = add_link(c, program->link, next);
	struct ep_readable file;
	struct ep_running running = {
		.link = program->link, .fd = program->fd, .head = &program->head, .loader = link
	};
	int error = ep_open_to_read(c, link->path, &file);

	if (error == -ENOENT) {
		ep_find_file(c, link);
		ep_emulated_loader_missing(c, link);
	}
	if (error < 0 || file.fd < 0)
		return;
	running.loader_fd = file.fd;
	if (ep_libraries(c, &running) == 0 && c->doubts)
		guess(c);
	close(file.fd);
}

/* The kernel starts the emulator. Does the foreign program have its loader and its libraries? */
static void check_emulated(struct ep_check *c)
{
	struct errpipe_link *link = c->ex->cause == ERRPIPE_CAUSE_NONE ? find_emulated(c) : NULL;
	struct file program = { .link = NULL };
	struct ep_next next;

	if (!link || ep_has_failed(c->question->report) || c->ex->links == ERRPIPE_LINKS_MAX ||
	    open_file(c, link, &program) < 0)
		return;
	c->has_started = true;
	next = loader_of(c, &program);
	if (next.kind == ERRPIPE_LINK_LOADER)
		check_emulated_loader(c, &program, &next);
	close_file(&program);
}

/* A handler for Windows programs takes a text for one. The kernel starts the handler if it exists. */
static void check_mistaken(struct ep_check *c)
{
	const struct errpipe_explanation *ex = c->ex;

	if (!c->mistaken || (ex->cause != ERRPIPE_CAUSE_NONE && ex->cause != ERRPIPE_CAUSE_HANDLER_MISSING))
		return;
	c->has_started = ex->cause == ERRPIPE_CAUSE_NONE;
	ep_finding_clear(c->ex);
	ep_finding_set(c, c->mistaken,
		       (struct ep_finding){ .cause = ERRPIPE_CAUSE_TAKEN_FOR_WINDOWS,
					    .certainty = c->has_started ? ERRPIPE_LIKELY : ERRPIPE_CERTAIN,
					    .error = ENOENT });
}

static void check_chain(struct ep_check *c, const char *path)
{
	const struct errpipe_question *question = c->question;
	struct file program = { .link = NULL }, loader = { .link = NULL };
	const struct ep_next next = { ERRPIPE_LINK_PROGRAM, path, false };
	struct ep_command command[EXECS_MAX];
	int execs = 0;

	if (check_exec(c, NULL, &next, &program, &loader) == 0) {
		while (check_program(c, &program, &loader, &command[execs++]) == 0) {
			if (execs == EXECS_MAX)
				guess(c);
			if (execs == EXECS_MAX || check_command(c, &command[execs - 1], &program, &loader) < 0)
				break;
		}
	}
	check_emulated(c);
	check_mistaken(c);
	c->question = question;
	ep_hint_system(c);
	ep_hint_line(c);
	while (execs)
		ep_env_end(&command[--execs]);
	close_file(&program);
	close_file(&loader);
}

static int fill_in_who(struct ep_check *c, gid_t *groups, int max)
{
	struct errpipe_identity identity;
	int n, ret;

	c->own_identity = !c->question->who;
	if (c->question->who) {
		c->who = *c->question->who;
		return 0;
	}
	ret = errpipe_identity(&identity);
	if (ret < 0)
		return ret;
	n = getgroups(max, groups);
	c->who = (struct errpipe_who){
		.uid = identity.euid,
		.gid = getegid(),
		.groups = groups,
		.groups_count = n < 0 ? 0 : n,
		.effective = identity.effective,
		.inheritable = identity.inheritable,
		.bounding = identity.bounding,
		.no_new_privs = identity.no_new_privs,
	};
	return 0;
}

static int open_root(const struct errpipe_question *question)
{
	int root;

	/* Otherwise AT_FDCWD would pass as a root. */
	if (question->root < 0)
		return -EBADF;
	if (question->root == ERRPIPE_OWN_ROOT)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		root = openat(question->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -errno : ep_above_stderr(root);
}

/* Did it start and, as far as is known, succeed? Then there is nothing to explain. */
static bool has_worked(const struct errpipe_report *report)
{
	return report && !ep_has_failed(report) && (report->status == -1 || report->status == 0);
}

static void begin(struct ep_check *c)
{
	const struct ep_machine *host = ep_host_machine();
	struct errpipe_explanation *ex = c->ex;

	memset(ex, 0, offsetof(struct errpipe_explanation, strings));
	ep_finding_clear(ex);
	ex->certainty = ERRPIPE_CERTAIN;
	ex->host = host->name;
	ex->host_platform = host->platform;
	c->data = c->addresses = 0;
	c->untried = NULL;
	c->cut = NULL;
	c->mistaken = NULL;
	c->has_started = false;
	c->exec_error = 0;
}

/* EAGAIN can come from a file system. If the chain does not show it, the limit of processes gave it. */
static void check_path(struct ep_check *c, const char *path)
{
	const struct errpipe_report *report = c->question->report;

	begin(c);
	if (report && report->verdict == ERRPIPE_EXEC_FAILED && report->error == EAGAIN) {
		check_chain(c, ep_keep(c, "%s", path));
		if (c->ex->error == EAGAIN)
			return;
		begin(c);
	}
	if (ep_before_lookup(c) == 0)
		check_chain(c, ep_keep(c, "%s", path));
}

static void not_in_path(struct ep_check *c)
{
	const struct ep_next name = { ERRPIPE_LINK_PROGRAM, c->question->path, false };

	begin(c);
	ep_finding_set(c, add_link(c, NULL, &name),
		       (struct ep_finding){
			       .cause = ERRPIPE_CAUSE_NOT_IN_PATH,
			       .error = ENOENT,
			       .object = ep_keep(c, "%s", c->question->search_path),
		       });
}

/*
 * The first file that is not passed over counts; without one, the first that was refused; without that, a symbolic link of
 * that name.
 */
static void search_path(struct ep_check *c)
{
	struct ep_places places = { .name = c->question->path, .rest = c->question->search_path };
	char refused[sizeof(places.text)] = "", dangling[sizeof(places.text)] = "";

	while (ep_next_place(&places)) {
		enum ep_found found;

		check_path(c, places.text);
		found = ep_found(c->ex);
		if (found == EP_FOUND_FILE || !c->steps)
			return;
		c->steps--;
		if (found == EP_FOUND_REFUSAL && !*refused)
			strcpy(refused, places.text);
		if (!*dangling && is_dangling(c, places.text))
			strcpy(dangling, places.text);
	}
	if (*refused || *dangling)
		check_path(c, *refused ? refused : dangling);
	else
		not_in_path(c);
}

static void check_all(struct ep_check *c)
{
	if (ep_is_searched(c->question->path, c->question->search_path))
		search_path(c);
	else
		check_path(c, c->question->path);
	if (!ep_hint_root(c))
		ep_hint_command(c);
}

/* NGROUPS_MAX is 65536, but few processes have that many. With more than these, only the kernel is asked. */
enum { MAX_GROUPS = 1024 };

static int explain(struct errpipe_explanation *ex, const struct errpipe_question *question)
{
	struct ep_check c = { .question = question, .ex = ex, .steps = EP_STEPS_MAX };
	struct errpipe_question followed;
	gid_t groups[MAX_GROUPS];
	int ret;

	c.root = open_root(question);
	if (c.root < 0)
		return c.root;
	begin(&c);
	ret = fill_in_who(&c, groups, MAX_GROUPS);
	if (ret == 0)
		ret = ep_follow_mounts(&c, &followed);
	if (ret == 0) {
		c.question = &followed;
		check_all(&c);
		ep_check_mounts(&c);
		ep_note_user(&c);
		ep_judge_finding(&c);
		ep_forget_mounts(&followed);
	}
	ex->looking_at = NULL;
	close(c.root);
	return ret;
}

static bool has_null(const struct errpipe_question *question)
{
	if (!question->path || (question->mounts_count && !question->mounts))
		return true;
	for (size_t i = 0; i < question->mounts_count; i++)
		if (!question->mounts[i].at)
			return true;
	return false;
}

static bool is_valid(const struct errpipe_question *question)
{
	if (!EP_IS_ZERO(question->reserved) || (question->who && !EP_IS_ZERO(question->who->reserved)))
		return false;
	for (size_t i = 0; i < question->mounts_count; i++)
		if (!EP_IS_ZERO(question->mounts[i].reserved))
			return false;
	return !has_worked(question->report);
}

/* A thread that is cancelled in here would leak descriptors. */
int errpipe_explain(struct errpipe_explanation *ex, const struct errpipe_question *question)
{
	int state, ret;

	if (!ex || !question || has_null(question))
		return -EFAULT;
	if (!is_valid(question))
		return -EINVAL;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ret = explain(ex, question);
	pthread_setcancelstate(state, &state);
	return ret;
}

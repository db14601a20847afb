/* SPDX-License-Identifier: MIT */
/* The kind of a file that the kernel does not start. */
#define _GNU_SOURCE
#include <elf.h>
#include <limits.h>
#include <unistd.h>

#include "explain/facts/span.h"
#include "explain/hints/hints.h"

/* Nothing else has the signs of these. The others only "look like" it. */
static bool is_certain(enum errpipe_content content)
{
	return content >= ERRPIPE_CONTENT_GIT_LFS_POINTER;
}

static void set_content(struct ep_check *c, struct errpipe_link *link, enum errpipe_content content)
{
	const char *interpreter = ep_interpreter_of(content);

	if (!content)
		return;
	link->content = content;
	ep_finding_refine(c,
			  (struct ep_finding){
				  .cause = interpreter ? ERRPIPE_CAUSE_UNMARKED_SCRIPT : ERRPIPE_CAUSE_NOT_A_PROGRAM,
				  .object = interpreter,
				  .certainty = is_certain(content) ? 0 : ERRPIPE_LIKELY,
			  });
}

/* --- text ----------------------------------------------------------------------------------------- */

/* The line as it should be. */
static const char *mended(struct ep_check *c, const struct errpipe_link *link, struct ep_span rest)
{
	const char *quoted = ep_quote(c, link, rest);

	return quoted ? ep_keep(c, "#!%s", quoted) : NULL;
}

static bool hint_damaged_line(struct ep_check *c, const struct errpipe_link *link, const struct ep_text *text)
{
	struct ep_damaged_line found;

	if (!ep_find_damaged_line(text->all, &found))
		return false;
	ep_finding_refine(c, (struct ep_finding){
				     .cause = ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE,
				     .detail = found.detail,
				     .number = found.number,
				     .object = mended(c, link, found.rest),
				     .certainty = ERRPIPE_LIKELY,
			     });
	return true;
}

/* Editors on Windows write both. */
static void hint_returns(struct ep_check *c, struct ep_span text)
{
	size_t length = ep_until(text, "\n");

	if (length && length < text.size && text.at[length - 1] == '\r')
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_BYTE_ORDER_MARK,
							  .detail = ERRPIPE_DETAIL_MARK_AND_RETURNS });
}

/* A shell takes a byte order mark for a part of the first command. */
static void hint_marked_text(struct ep_check *c, struct errpipe_link *link, const struct ep_text *text)
{
	if (ep_starts(text->all, "#!")) {
		hint_returns(c, text->all);
		return;
	}
	if (hint_damaged_line(c, link, text))
		return;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NO_INTERPRETER_LINE,
						  .detail = ERRPIPE_DETAIL_MARKED,
						  .object = ep_is_bash(text) ? "/usr/bin/env bash" : "/bin/sh" });
	set_content(c, link, ep_text_content(text));
}

/* The text is one path without a line feed. A shell command often begins with "./". */
static bool is_target(const struct ep_text *text, const char *name)
{
	const struct ep_span all = text->all;

	if (!text->whole || !all.size || ep_starts(all, "./") || ep_equals(all, name) ||
	    ep_holds(all, "annex/objects/"))
		return false;
	for (size_t i = 0; i < all.size; i++) {
		if ((unsigned char)all.at[i] <= ' ' || strchr("$;&|<>()`'\"*?[]{}\\=#", all.at[i]))
			return false;
	}
	return true;
}

/* "../lib/app.js", "/usr/lib/app": such a path does not have to exist. */
static bool is_distant(struct ep_span target)
{
	if (ep_byte(target, 0) == '/')
		return ep_holds(ep_after(target, 1), "/") && target.at[target.size - 1] != '/';
	return ep_starts(target, "../") && target.size > strlen("../");
}

/* Does the target of such a link exist? It is relative to the directory of the file. */
static bool leads_somewhere(struct ep_check *c, const char *path, struct ep_span target)
{
	int directory = ep_byte(target, 0) == '/' ? 0 : (int)(ep_last_name(path) - path);

	return ep_exists(c, ep_keep(c, "%.*s%.*s", directory, path, (int)target.size, target.at));
}

/* git does this without core.symlinks, and so do some programs that unpack zip archives. */
static bool hint_link(struct ep_check *c, struct errpipe_link *link, const struct ep_text *text)
{
	if (!is_target(text, ep_last_name(link->path)) ||
	    (!is_distant(text->all) && !leads_somewhere(c, link->path, text->all)))
		return false;
	set_content(c, link, ERRPIPE_CONTENT_LINK_AS_TEXT);
	c->ex->object = ep_quote(c, link, text->all);
	return true;
}

/* The same for a directory on the way: "usr/bin" in the place of "/bin". Its target exists, so it may be quoted. */
void ep_hint_file_as_directory(struct ep_check *c)
{
	const char *subject = c->ex->subject;
	struct ep_text text = { .path = subject };
	char bytes[PATH_MAX];
	ssize_t n;
	int fd;

	fd = subject ? ep_open_for_hint(c, subject) : -1;
	if (fd < 0)
		return;
	n = ep_pread(fd, bytes, sizeof(bytes), 0);
	close(fd);
	text.whole = n >= 0 && n < (ssize_t)sizeof(bytes);
	text.all = (struct ep_span){ bytes, n < 0 ? 0 : n };
	if (!is_target(&text, ep_last_name(subject)) || !leads_somewhere(c, subject, text.all))
		return;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_FILE_AS_DIRECTORY,
						  .certainty = ERRPIPE_LIKELY,
						  .detail = ERRPIPE_DETAIL_LINK_AS_TEXT,
						  .subject = subject,
						  .subject_here = ep_here(c, subject),
						  .object = ep_keep(c, "%.*s", (int)text.all.size, bytes) });
}

/* A root without bash has another shell, which may know the same words: busybox. */
static bool has_bash(struct ep_check *c)
{
	static const char *const places[] = { "/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash",
					      "/run/current-system/sw/bin/bash" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (ep_exists(c, places[i]))
			return true;
	}
	return false;
}

/* "gradlew" or "build.sh", beside the batch file. */
static void name_counterpart(struct ep_check *c, const struct errpipe_link *link)
{
	static const char *const endings[] = { "", ".sh" };
	int length = (int)strlen(link->path) - (int)strlen(".bat");

	if (!ep_has_ending(link->path, ".bat") && !ep_has_ending(link->path, ".cmd"))
		return;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings) && !c->ex->object; i++) {
		const char *path = ep_keep(c, "%.*s%s", length, link->path, endings[i]);

		if (ep_is_file(c, path))
			c->ex->object = path;
	}
}

/* //usr/bin/env go run "$0" "$@": for a shell it is a command, and for Go or C a comment, which a #! line is not. */
static bool hint_comment(struct ep_check *c, const struct ep_text *text)
{
	struct ep_span rest = text->all, line;

	if (!ep_starts(rest, "//") || !ep_take_line(&rest, &line) || !ep_holds(line, "$0"))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NO_INTERPRETER_LINE,
						  .detail = ERRPIPE_DETAIL_COMMENT_FOR_SHELLS,
						  .certainty = ERRPIPE_LIKELY });
	return true;
}

static void hint_text(struct ep_check *c, struct errpipe_link *link, const struct ep_text *text)
{
	enum errpipe_content content;

	if (hint_damaged_line(c, link, text) || hint_link(c, link, text))
		return;
	content = ep_text_content(text);
	if (!content && hint_comment(c, text))
		return;
	if (!content && ep_is_bash(text) && has_bash(c))
		content = ERRPIPE_CONTENT_BASH;
	set_content(c, link, content);
	if (content == ERRPIPE_CONTENT_BATCH_FILE)
		name_counterpart(c, link);
}

/* Without control characters, as in Latin-1. */
static bool is_eight_bit_text(struct ep_span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if ((unsigned char)text.at[i] < ' ' && !strchr("\t\n\v\f\r\x1b", text.at[i]))
			return false;
	}
	return memchr(text.at, '\0', text.size) == NULL;
}

/*
 * A shell script with an archive behind it, as makeself makes them: text up to a line that ends the shell, and other bytes
 * after it.
 */
static bool hint_payload(struct ep_check *c, const struct ep_text *text)
{
	struct ep_text script = *text;
	struct ep_span rest = text->all, line;
	bool ends = false;

	while (!ends && ep_take_line(&rest, &line) && is_eight_bit_text(line))
		ends = ep_ends_shell(line);
	script.all.size -= rest.size;
	if (!ends || is_eight_bit_text(rest) || !ep_is_shell(&script))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NO_INTERPRETER_LINE,
						  .detail = ERRPIPE_DETAIL_PAYLOAD,
						  .certainty = ERRPIPE_LIKELY });
	return true;
}

/* A text in another encoding than UTF-8: a web page in Latin-1. */
static void hint_unknown(struct ep_check *c, struct errpipe_link *link, const struct ep_text *text)
{
	enum errpipe_content content = ep_text_content(text);

	if (content != ERRPIPE_CONTENT_PLAIN_TEXT)
		set_content(c, link, content);
	if (!content && is_eight_bit_text(text->all))
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NO_INTERPRETER_LINE,
							  .certainty = ERRPIPE_LIKELY });
}

/* --- no text -------------------------------------------------------------------------------------- */

static bool hint_nuls(struct ep_check *c, struct errpipe_link *link, int fd)
{
	uint64_t count = ep_leading_nuls(fd, link->size);
	bool all = count == link->size;

	/* Some formats begin with a few NULs. */
	if (!count || (!all && count < EP_HEAD_SIZE))
		return false;
	link->content = ERRPIPE_CONTENT_NUL_BYTES;
	ep_finding_refine(c, (struct ep_finding){
				     .cause = ERRPIPE_CAUSE_NUL_BYTES,
				     .number = all ? 0 : count,
				     .certainty = all ? 0 : ERRPIPE_LIKELY,
			     });
	return true;
}

static void hint_data(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head,
		      const struct ep_text *text)
{
	set_content(c, link, ep_data_content(fd, head));
	if (!link->content && !hint_nuls(c, link, fd) && !hint_payload(c, text))
		hint_unknown(c, link, text);
}

/* Files that appear in place of one that was not copied as it is. */
static bool is_substitute(enum errpipe_content content)
{
	static const enum errpipe_content substitutes[] = {
		ERRPIPE_CONTENT_GIT_LFS_POINTER, ERRPIPE_CONTENT_GIT_ANNEX_POINTER, ERRPIPE_CONTENT_WEB_PAGE,
		ERRPIPE_CONTENT_HTTP_ERROR,	 ERRPIPE_CONTENT_HTTP_RESPONSE,	    ERRPIPE_CONTENT_JSON_ERROR,
		ERRPIPE_CONTENT_XML_ERROR,	 ERRPIPE_CONTENT_MERGE_CONFLICT,
	};

	for (size_t i = 0; i < sizeof(substitutes) / sizeof(*substitutes); i++) {
		if (substitutes[i] == content)
			return true;
	}
	return false;
}

/* The loader of a program is not an ELF file. */
static void hint_loader(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_text *text)
{
	enum errpipe_content content = ep_text_content(text);

	if (link->format == ERRPIPE_FORMAT_ELF || hint_link(c, link, text) || hint_nuls(c, link, fd))
		return;
	if (is_substitute(content))
		set_content(c, link, content);
}

/* A transfer as text: FTP in ASCII mode, git's core.autocrlf, a program that decodes UTF-8. */
static bool hint_conversion(struct ep_check *c, const struct errpipe_link *link, int fd)
{
	enum errpipe_detail detail = link->format == ERRPIPE_FORMAT_ELF ? ep_conversion(fd) : ERRPIPE_DETAIL_NONE;

	if (detail)
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS,
							  .detail = detail,
							  .certainty = ERRPIPE_LIKELY });
	return detail;
}

/* Code that another program loads: for NVIDIA's and AMD's GPUs, for microcontrollers (elf.h). */
static bool is_for_device(unsigned machine)
{
	static const unsigned machines[] = { EM_AVR, EM_MSP430, EM_8051, EM_CUDA, EM_AMDGPU };

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (machines[i] == machine)
			return true;
	}
	return false;
}

/* PowerShell's ">" does this to a program. */
static void hint_wide(struct ep_check *c, const struct ep_text *text)
{
	static const char elf[] = "\xff\xfe\x7f\0E\0L\0F", utf_32[] = "\xff\xfe\0\0", utf_32_be[] = "\0\0\xfe\xff";
	const struct ep_span all = text->all;

	if (all.size >= sizeof(elf) && memcmp(all.at, elf, sizeof(elf)) == 0)
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS,
							  .detail = ERRPIPE_DETAIL_WIDENED });
	else if (all.size >= 4 && (memcmp(all.at, utf_32, 4) == 0 || memcmp(all.at, utf_32_be, 4) == 0))
		ep_finding_refine(
			c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_UTF_16, .detail = ERRPIPE_DETAIL_UTF_32 });
}

static void hint_appimage(struct ep_check *c, struct errpipe_link *link, const struct ep_head *head)
{
	if (!ep_is_appimage(head))
		return;
	link->content = ERRPIPE_CONTENT_APPIMAGE;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_APPIMAGE });
}

/* Returns how many bytes of text there are. */
static size_t read_text(const struct errpipe_link *link, int fd, char *bytes, struct ep_text *text)
{
	ssize_t n = ep_pread(fd, bytes, EP_TEXT_SIZE, 0);

	if (n < 0)
		n = 0;
	text->all = (struct ep_span){ bytes, n };
	text->whole = n < EP_TEXT_SIZE;
	text->path = link->path;
	if (ep_starts(text->all, "\xef\xbb\xbf"))
		text->all = ep_after(text->all, 3);
	return text->all.size;
}

void ep_hint_content(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head)
{
	char bytes[EP_TEXT_SIZE];
	struct ep_text text;

	if (c->ex->broken != link - c->ex->link || !read_text(link, fd, bytes, &text) || hint_conversion(c, link, fd))
		return;
	switch (c->ex->cause) {
	case ERRPIPE_CAUSE_NO_INTERPRETER_LINE:
		hint_text(c, link, &text);
		break;
	case ERRPIPE_CAUSE_BYTE_ORDER_MARK:
		hint_marked_text(c, link, &text);
		break;
	case ERRPIPE_CAUSE_UNKNOWN_FORMAT:
		hint_data(c, link, fd, head, &text);
		break;
	case ERRPIPE_CAUSE_WINDOWS_PROGRAM:
		set_content(c, link, ep_windows_content(fd));
		break;
	case ERRPIPE_CAUSE_ARCHIVE:
		set_content(c, link, ep_archive_content(fd, head, link));
		break;
	case ERRPIPE_CAUSE_OBJECT_FILE:
		set_content(c, link, ep_object_content(fd, head, link));
		break;
	case ERRPIPE_CAUSE_LOADER_INVALID:
	case ERRPIPE_CAUSE_LOADER_TOO_SHORT:
		hint_loader(c, link, fd, &text);
		break;
	case ERRPIPE_CAUSE_OTHER_ARCHITECTURE:
		hint_appimage(c, link, head);
		if (is_for_device(link->machine))
			set_content(c, link, ERRPIPE_CONTENT_DEVICE_CODE);
		break;
	case ERRPIPE_CAUSE_UTF_16:
		hint_wide(c, &text);
		break;
	case ERRPIPE_CAUSE_MACOS_PROGRAM:
		ep_finding_refine(c, (struct ep_finding){
					     .cause = ERRPIPE_CAUSE_MACOS_PROGRAM,
					     .object = ep_mach_o_machines(c, head),
				     });
		break;
	default:
		break;
	}
}

/* --- ELF for another system ----------------------------------------------------------------------- */

/* The program that the kernel does not take, or whose loader is missing. */
static const struct errpipe_link *refused_program(const struct errpipe_explanation *ex)
{
	if (ex->cause == ERRPIPE_CAUSE_OTHER_ARCHITECTURE)
		return ex->link + ex->broken;
	if (ex->cause == ERRPIPE_CAUSE_LOADER_MISSING && ex->detail != ERRPIPE_DETAIL_FROM_SYSTEM)
		return ex->link + ex->link[ex->broken].parent;
	return NULL;
}

void ep_hint_system(struct ep_check *c)
{
	const struct errpipe_link *program = refused_program(c->ex);
	const char *system = program ? ep_elf_system(program->elf_abi) : NULL;

	if (!system)
		return;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_OTHER_SYSTEM, .object = system });
	c->ex->broken = program - c->ex->link;
}

/* --- a relative interpreter ----------------------------------------------------------------------- */

/* "bin/sh" lacks its first slash; the kernel does not look for "sh" along PATH. */
void ep_hint_interpreter(struct ep_check *c, const struct errpipe_link *link)
{
	static const char *const places[] = { "/", "/usr/bin/", "/bin/", "/usr/local/bin/" };
	bool is_name = !strchr(link->path, '/');

	if (c->ex->cause != ERRPIPE_CAUSE_INTERPRETER_MISSING || *link->path == '/' || !*link->path)
		return;
	for (size_t i = is_name; i < (is_name ? sizeof(places) / sizeof(*places) : 1); i++) {
		const char *path = ep_keep(c, "%s%s", places[i], link->path);

		if (!ep_exists(c, path))
			continue;
		ep_finding_refine(c, (struct ep_finding){
					     .cause = ERRPIPE_CAUSE_RELATIVE_INTERPRETER,
					     .object = path,
					     .certainty = ERRPIPE_LIKELY,
				     });
		break;
	}
}

/* --- a damaged line that the kernel takes ----------------------------------------------------------- */

/* The line that the kernel has cut into an interpreter and its argument. */
static const char *interpreter_line(struct ep_check *c, const struct errpipe_link *script,
				    const struct errpipe_link *interpreter)
{
	return ep_keep(c, "%s%s%s", interpreter->path, script->argument ? " " : "",
		       script->argument ? script->argument : "");
}

static bool find_damage(const char *line, struct ep_damaged_line *found)
{
	const char *newline = strstr(line, "\\n"), *carriage = strchr(line, '\r');

	if (ep_begins_with(line, "#!")) {
		*found = (struct ep_damaged_line){ ERRPIPE_DETAIL_MARK_TWICE, 0, { line + 2, strlen(line + 2) } };
		return line[2] == '/';
	}
	*found =
		(struct ep_damaged_line){ ERRPIPE_DETAIL_LITERAL_NEWLINE, 0, { line, newline ? newline - line : 0 } };
	if (newline)
		return *line == '/';
	*found = (struct ep_damaged_line){ ERRPIPE_DETAIL_ONLY_RETURNS, 0, { line, carriage ? carriage - line : 0 } };
	return carriage && carriage[1];
}

/* Does an option begin there, with a dash in place of its hyphen? Returns the length of the dash, or 0. */
static size_t option_dash(const char *text, const char *at)
{
	size_t length = at == text || ep_is_blank(at[-1]) ? ep_dash_length(at) : 0;

	return ep_is_blank(at[length]) ? 0 : length;
}

/* The argument with hyphens, kept. NULL: it has no such dash. */
static const char *with_hyphens(struct ep_check *c, const char *argument)
{
	char text[EP_HEAD_SIZE];
	struct ep_line line = { text, sizeof(text), 0 };
	bool has_dash = false;

	for (const char *at = argument; *at;) {
		size_t length = option_dash(argument, at);

		has_dash |= length != 0;
		ep_add_char(&line, length ? '-' : *at);
		at += length ? length : 1;
	}
	return has_dash && ep_end(&line) < sizeof(text) ? ep_keep(c, "%s", text) : NULL;
}

/*
 * "#!/usr/bin/env –S sh -e": a dash at the beginning of the argument, which made it the name of a command or a script. In
 * "#!/usr/bin/env bash –e", env does not split the argument either, and -S has to come before it.
 */
static const char *with_options(struct ep_check *c, const char *path, const char *argument)
{
	enum errpipe_cause cause = c->ex->cause;
	bool is_first = argument && ep_dash_length(argument);
	bool splits = cause == ERRPIPE_CAUSE_ENV_ONE_ARGUMENT && c->ex->detail == ERRPIPE_DETAIL_ENV_SPLITS;
	const char *mended = is_first || splits ? with_hyphens(c, argument) : NULL;

	if (!mended || (cause != ERRPIPE_CAUSE_ENV_ONE_ARGUMENT && cause != ERRPIPE_CAUSE_COMMAND_MISSING &&
			cause != ERRPIPE_CAUSE_LINE_REFUSED))
		return NULL;
	return ep_keep(c, "%s %s%s", path, is_first ? "" : "-S ", mended);
}

/* "#!/bin/sh<no-break space>-e": the interpreter before it exists. */
static const char *with_blank(struct ep_check *c, const char *line)
{
	const char *at = line, *rest;

	while (*at && *at != ' ' && !ep_other_blank_length(at))
		at++;
	rest = at + ep_other_blank_length(at);
	if (c->ex->cause != ERRPIPE_CAUSE_INTERPRETER_MISSING || rest == at || !*rest ||
	    !ep_is_program(c, ep_keep(c, "%.*s", (int)(at - line), line)))
		return NULL;
	return ep_keep(c, "%.*s %s", (int)(at - line), line, rest);
}

/* "-e", "-eux"; "bash-static" is another program. */
static bool is_shell_option(const char *text)
{
	return text[0] == '-' && text[1] && strspn(text + 1, "efuvx") == strlen(text + 1);
}

/* "#!/usr/bin/envpython3", "#!/bin/sh-e": a program, and a command or an option without the blank before it. */
static const char *with_lost_blank(struct ep_check *c, const char *path, const char *argument)
{
	const char *name = ep_last_name(path);
	bool is_env = ep_begins_with(name, "env");
	size_t length = is_env ? strlen("env") : strcspn(name, "-");
	const char *rest = name + length;

	if (c->ex->cause != ERRPIPE_CAUSE_INTERPRETER_MISSING || !length || !*rest ||
	    !(is_env ? ep_is_interpreter((struct ep_span){ rest, strlen(rest) }) : is_shell_option(rest)) ||
	    !ep_is_program(c, ep_keep(c, "%.*s", (int)(rest - path), path)))
		return NULL;
	return ep_keep(c, "%.*s %s%s%s%s", (int)(rest - path), path, is_env && argument ? "-S " : "", rest,
		       argument ? " " : "", argument ? argument : "");
}

/* The text up to the first blank that is not one of ASCII. */
static size_t length_before_blank(const char *text)
{
	size_t length = 0;

	while (text[length] && !ep_other_blank_length(text + length))
		length++;
	return length;
}

/* "#!/usr/bin/env bash<no-break space>-e": the command before it exists. Words are separated by -S. */
static const char *with_words(struct ep_check *c, const char *path, const char *argument)
{
	const char *name = c->ex->link[c->ex->broken].path;
	size_t length = length_before_blank(name), blank = ep_other_blank_length(name + length);
	char text[EP_HEAD_SIZE];
	struct ep_line line = { text, sizeof(text), 0 };

	if (c->ex->cause != ERRPIPE_CAUSE_COMMAND_MISSING || !argument || !strstr(argument, name) || !blank ||
	    !name[length + blank] || !ep_is_command(c, name, length))
		return NULL;
	for (const char *at = argument; *at; at += blank ? blank : 1) {
		blank = ep_other_blank_length(at);
		ep_add_char(&line, blank ? ' ' : *at);
	}
	ep_end(&line);
	return ep_keep(c, "%s %s%s", path, ep_begins_with(argument, "-S") ? "" : "-S ", text);
}

/* "#!/usr/bin/env/python3", "#!/bin/sh/-e": the file before a slash is the interpreter. */
static const char *without_slash(struct ep_check *c, const char *line)
{
	const char *slash = c->ex->cause == ERRPIPE_CAUSE_FILE_AS_DIRECTORY ? strchr(line, '/') : NULL, *file, *rest;
	bool is_env;

	while (slash && !(slash > line && ep_is_program(c, ep_keep(c, "%.*s", (int)(slash - line), line))))
		slash = strchr(slash + 1, '/');
	if (!slash)
		return NULL;
	file = ep_keep(c, "%.*s", (int)(slash - line), line);
	rest = slash + strspn(slash, "/");
	is_env = strcmp(ep_last_name(file), "env") == 0;
	if (!*rest || (!is_env && *rest != '-'))
		return NULL;
	return ep_keep(c, "%s %s%s", file, is_env && strpbrk(rest, " \t") ? "-S " : "", rest);
}

static bool find_typography(struct ep_check *c, const struct errpipe_link *script, const char *path, const char *line,
			    struct ep_damaged_line *found)
{
	const char *mended = with_options(c, path, script->argument);

	found->detail = mended ? ERRPIPE_DETAIL_DASH : ERRPIPE_DETAIL_NO_BREAK_SPACE;
	if (!mended)
		mended = with_blank(c, line);
	if (!mended)
		mended = with_words(c, path, script->argument);
	if (!mended) {
		found->detail = ERRPIPE_DETAIL_SLASH;
		mended = without_slash(c, line);
	}
	if (!mended) {
		found->detail = ERRPIPE_DETAIL_BLANK_LOST;
		mended = with_lost_blank(c, path, script->argument);
	}
	found->rest = (struct ep_span){ mended, mended ? strlen(mended) : 0 };
	return mended;
}

/* A crate's attribute, "#![allow(dead_code)]", begins like a script. */
static bool is_rust(const char *line, const char *path)
{
	return *line == '[' && ep_has_ending(path, ".rs");
}

/* Returns whether the finding is about the line of this script. */
static bool hint_line(struct ep_check *c, struct errpipe_link *script, const struct errpipe_link *interpreter)
{
	const char *line = interpreter_line(c, script, interpreter);
	struct ep_damaged_line found;

	if (is_rust(line, script->path)) {
		set_content(c, script, ERRPIPE_CONTENT_RUST);
		return true;
	}
	if (c->ex->cause == ERRPIPE_CAUSE_CARRIAGE_RETURN ||
	    (!find_damage(line, &found) && !find_typography(c, script, interpreter->path, line, &found)))
		return false;
	ep_finding_refine(c, (struct ep_finding){
				     .cause = ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE,
				     .detail = found.detail,
				     .object = mended(c, script, found.rest),
			     });
	return true;
}

/* The interpreter itself, the script, or the command of env(1). */
static bool is_broken(const struct errpipe_explanation *ex, int interpreter)
{
	const struct errpipe_link *broken = ex->broken < 0 ? NULL : &ex->link[ex->broken];

	return broken && (ex->broken == interpreter || ex->broken == ex->link[interpreter].parent ||
			  (broken->kind == ERRPIPE_LINK_COMMAND && broken->parent == interpreter));
}

void ep_hint_line(struct ep_check *c)
{
	struct errpipe_explanation *ex = c->ex;

	for (int i = 1; i < ex->links && !ex->starts; i++) {
		const struct errpipe_link *interpreter = &ex->link[i];
		int script = interpreter->parent;

		if (interpreter->kind != ERRPIPE_LINK_INTERPRETER || !is_broken(ex, i) ||
		    ex->link[script].format != ERRPIPE_FORMAT_SCRIPT)
			continue;
		if (hint_line(c, &ex->link[script], interpreter))
			ex->broken = script;
	}
}

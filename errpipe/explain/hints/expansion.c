/* SPDX-License-Identifier: MIT */
/* Variables, ~ and templates in the name of a command. Only a shell, or another program before the exec, expands these. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "explain/hints/hints.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

size_t ep_variable_length(const char *text)
{
	size_t length = 0;

	while (is_letter(text[length]) || (length && is_digit(text[length])))
		length++;
	return length;
}

/* $NAME, ${NAME}; the same as compose files and makefiles write it; Kubernetes' $(NAME), which is a command for shells; Windows' %NAME%; PowerShell's $env:NAME. */
static const struct notation {
	const char *before, *after;
	enum errpipe_detail detail;
} notations[] = {
	{ "$$", "", ERRPIPE_DETAIL_DOUBLED_DOLLAR },
	{ "$${", "}", ERRPIPE_DETAIL_DOUBLED_DOLLAR },
	{ "$env:", "", ERRPIPE_DETAIL_POWERSHELL_VARIABLE },
	{ "$Env:", "", ERRPIPE_DETAIL_POWERSHELL_VARIABLE },
	{ "${env:", "}", ERRPIPE_DETAIL_POWERSHELL_VARIABLE },
	{ "${", "}", ERRPIPE_DETAIL_NONE },
	{ "$(", ")", ERRPIPE_DETAIL_KUBERNETES },
	{ "%", "%", ERRPIPE_DETAIL_WINDOWS_VARIABLE },
	{ "$", "", ERRPIPE_DETAIL_NONE },
};

struct variable {
	const struct notation *notation;
	const char *name, *end;
	size_t length; /* of the name */
};

/* "$(pwd)" is a command, and "%Y%m" a date. */
static bool is_other_syntax(const struct variable *variable)
{
	if (variable->notation->detail == ERRPIPE_DETAIL_WINDOWS_VARIABLE)
		return variable->length < 3;
	for (size_t i = 0; i < variable->length; i++) {
		if (variable->notation->detail == ERRPIPE_DETAIL_KUBERNETES && variable->name[i] >= 'a' &&
		    variable->name[i] <= 'z')
			return true;
	}
	return false;
}

static bool read_variable(const char *text, struct variable *variable)
{
	for (size_t i = 0; i < sizeof(notations) / sizeof(*notations); i++) {
		const char *after = notations[i].after;

		if (!ep_begins_with(text, notations[i].before))
			continue;
		variable->notation = &notations[i];
		variable->name = text + strlen(notations[i].before);
		variable->length = ep_variable_length(variable->name);
		variable->end = variable->name + variable->length + strlen(after);
		if (variable->length && ep_begins_with(variable->name + variable->length, after))
			return !is_other_syntax(variable);
	}
	return false;
}

enum errpipe_detail ep_expansion(const char *text)
{
	struct variable variable;

	for (; *text; text++) {
		if (read_variable(text, &variable))
			return variable.notation->detail;
	}
	return ERRPIPE_DETAIL_NONE;
}

/* "~/bin", "~user/bin" */
static bool has_home(const char *text)
{
	return text[0] == '~' && text[1 + ep_variable_length(text + 1)] == '/';
}

static bool needs_expansion(const char *text)
{
	struct variable variable;

	if (has_home(text))
		return true;
	for (; *text; text++) {
		if (read_variable(text, &variable) || (text[0] == '$' && (text[1] == '{' || text[1] == '(')))
			return true;
	}
	return false;
}

/* "{{ .Values.command }}", "@bindir@/app" */
static bool is_template(const char *text)
{
	const char *braces = strstr(text, "{{"), *name = strchr(text, '@');
	size_t length = name ? ep_variable_length(name + 1) : 0;

	if (braces && strstr(braces, "}}"))
		return true;
	return length && (name == text || name[-1] == '/') && name[1 + length] == '@' &&
	       strchr("/", name[2 + length]);
}

static bool is_part(const char *text, const char *begin, const char *end)
{
	return (begin == text || begin[-1] == '/') && (!*end || *end == '/' || *end == ' ');
}

/* "<command>", "/opt/<version>/bin/app", from a document; "{command}". A redirection has no slash before and after it. */
static enum errpipe_detail placeholder(const char *text)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. /";
	const char *angle = strchr(text, '<'), *brace = strchr(text, '{');
	size_t length = angle ? strspn(angle + 1, inside) : 0;

	if (length > 1 && is_letter(angle[1]) && angle[1 + length] == '>' && is_part(text, angle, angle + length + 2))
		return ERRPIPE_DETAIL_PLACEHOLDER;
	length = brace ? ep_variable_length(brace + 1) : 0;
	if (length && brace[1 + length] == '}' && is_part(text, brace, brace + length + 2))
		return ERRPIPE_DETAIL_TEMPLATE;
	return ERRPIPE_DETAIL_NONE;
}

/* "{{ python }}", also if its blanks split it: the rest is in the first line or in the arguments. */
bool ep_hint_template(struct ep_check *c, const struct errpipe_link *link)
{
	const struct errpipe_link *script = ep_naming_script(c, link);
	char *const *argv = script ? NULL : c->question->argv;
	bool is_closed = script && script->argument && strstr(script->argument, "}}");

	for (; argv && *argv; argv++)
		is_closed |= strstr(*argv, "}}") != NULL;
	if (!is_closed || !ep_begins_with(link->path, "{{"))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_EXPANDED,
						  .certainty = ERRPIPE_LIKELY,
						  .detail = ERRPIPE_DETAIL_TEMPLATE });
	return true;
}

static const char *value_of(const struct ep_check *c, const struct variable *variable)
{
	char name[128];

	if (variable->length >= sizeof(name))
		return NULL;
	memcpy(name, variable->name, variable->length);
	name[variable->length] = '\0';
	return ep_variable(c, name);
}

bool ep_expand(const struct ep_check *c, const char *text, char *buf, size_t size)
{
	struct ep_line line = { buf, size, 0 };
	struct variable variable;

	if (text[0] == '~' && (!text[1] || text[1] == '/')) {
		const char *home = ep_variable(c, "HOME");

		if (!home)
			return false;
		ep_add(&line, home);
		text++;
	}
	while (*text) {
		const char *value;

		if (!read_variable(text, &variable)) {
			if (*text == '$')
				return false;
			ep_add_char(&line, *text++);
			continue;
		}
		value = value_of(c, &variable);
		if (!value)
			return false;
		ep_add(&line, value);
		text = variable.end;
	}
	return ep_end(&line) < size;
}

/* The value of a variable is shown only if it leads to a program. */
bool ep_hint_expansion(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX];
	enum errpipe_detail detail = ep_expansion(link->path), empty = placeholder(link->path);
	bool found;

	if (is_template(link->path))
		detail = ERRPIPE_DETAIL_TEMPLATE;
	else if (empty)
		detail = empty;
	else if (ep_begins_with(link->path, "%h/"))
		detail = ERRPIPE_DETAIL_SPECIFIER;
	else if (strcmp(link->path, "~") == 0)
		detail = ERRPIPE_DETAIL_HOME;
	else if (!needs_expansion(link->path) || strpbrk(link->path, " \t"))
		return false;
	found = ep_expand(c, link->path, path, sizeof(path)) && ep_is_command(c, path, strlen(path));
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_EXPANDED,
						  .certainty = found ? ERRPIPE_CERTAIN : ERRPIPE_LIKELY,
						  .detail = detail,
						  .object = found ? ep_keep(c, "%s", path) : NULL });
	return true;
}

/* run --chdir '~/x': only a directory that exists is shown. */
void ep_hint_directory(struct ep_check *c)
{
	const char *directory = c->question->cwd;
	char path[PATH_MAX];
	int fd;

	if (c->ex->cause != ERRPIPE_CAUSE_SETUP_FAILED || c->ex->number != ERRPIPE_STEP_DIRECTORY ||
	    c->ex->error != ENOENT || !directory || (strcmp(directory, "~") != 0 && !needs_expansion(directory)))
		return;
	fd = ep_expand(c, directory, path, sizeof(path)) ? ep_open_directory(c, path) : -1;
	ep_finding_refine(c, (struct ep_finding){ .cause = c->ex->cause,
						  .detail = ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED,
						  .object = ep_keep(c, "%s", directory),
						  .available = fd >= 0 ? ep_keep(c, "%s", path) : NULL });
	if (fd >= 0)
		close(fd);
}

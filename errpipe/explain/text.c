/* SPDX-License-Identifier: MIT */
/* Word an explanation. The words are in causes.def and facts.def. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/facts/facts.h"
#include "explain/text.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct words {
	const char *name, *broken, *finding, *advice;
} causes[] = {
#define CAUSE(id, name, broken, finding, advice, document, example)                                                  \
	[ERRPIPE_CAUSE_##id] = { name, broken, finding, advice },
#include "explain/causes.def"
};

static const struct words *words_of(enum errpipe_cause cause)
{
	if ((size_t)cause >= COUNT(causes))
		return NULL;
	return &causes[cause];
}

const char *errpipe_cause_name(enum errpipe_cause cause)
{
	const struct words *words = words_of(cause);

	return words ? words->name : NULL;
}

const char *errpipe_certainty_name(enum errpipe_certainty certainty)
{
	static const char *const names[] = {
		[ERRPIPE_CERTAIN] = "certain", [ERRPIPE_LIKELY] = "likely", [ERRPIPE_UNSURE] = "unknown"
	};

	return (size_t)certainty < COUNT(names) ? names[certainty] : NULL;
}

static const char *const details[] = {
#define DETAIL(id, name, words) [ERRPIPE_DETAIL_##id] = (words),
#include "explain/facts.def"
#undef DETAIL
};

static const char *const remedies[] = {
#define REMEDY(id, words) [ERRPIPE_DETAIL_##id] = (words),
#include "explain/facts.def"
#undef REMEDY
};

static const char *const classes[] = {
#define CLASS(id, name, words) [ERRPIPE_CLASS_##id] = (words),
#include "explain/facts.def"
#undef CLASS
};

static const char *const binfmts[] = {
#define BINFMT(id, name, words) [ERRPIPE_BINFMT_##id] = (words),
#include "explain/facts.def"
#undef BINFMT
};

static const char *const formats[] = {
#define FORMAT(id, name, words, object) [ERRPIPE_FORMAT_##id] = (words),
#include "explain/facts.def"
#undef FORMAT
};

static const char *const format_objects[] = {
#define FORMAT(id, name, words, object) [ERRPIPE_FORMAT_##id] = (object),
#include "explain/facts.def"
#undef FORMAT
};

static const char *const contents[] = {
#define CONTENT(id, name, words, advice) [ERRPIPE_CONTENT_##id] = (words),
#include "explain/facts.def"
#undef CONTENT
};

static const char *const content_advices[] = {
#define CONTENT(id, name, words, advice) [ERRPIPE_CONTENT_##id] = (advice),
#include "explain/facts.def"
#undef CONTENT
};

static const char *const kinds[] = {
#define KIND(id, name) [ERRPIPE_LINK_##id] = (name),
#include "explain/facts.def"
#undef KIND
};

/* errnos.def */
static const struct reason {
	const char *name, *gives, *look;
	int error;
	bool of_file_systems;
} reasons[] = {
#define ERRNO(error, gives, look)    { #error, gives, look, error, false },
#define FS_ERRNO(error, gives, look) { #error, gives, look, error, true },
#include "explain/errnos.def"
#undef ERRNO
#undef FS_ERRNO
};

static const struct {
	int error;
	const char *look;
} steps[] = {
#define STEP_ERRNO(error, look) { error, look },
#include "explain/errnos.def"
#undef STEP_ERRNO
};

static const struct setup_reason {
	unsigned step;
	int error;
	const char *why, *look;
} setup_reasons[] = {
#define SETUP_ERRNO(step, error, why, look) { ERRPIPE_STEP_##step, error, why, look },
#include "explain/errnos.def"
#undef SETUP_ERRNO
};

static const struct {
	const char *name, *look;
} modules[] = {
#define MODULE(name, errnos, whom, look) { name, look },
#include "explain/errnos.def"
#undef MODULE
};

static const char *row(const char *const *rows, size_t count, unsigned index)
{
	return index < count ? rows[index] : NULL;
}

#define ROW(rows, index) row(rows, COUNT(rows), index)

static const char *file_type_words(mode_t mode)
{
	switch (mode & S_IFMT) {
#define FILE_TYPE(type, name, words)                                                                                 \
	case type:                                                                                                   \
		return words;
#include "explain/facts.def"
#undef FILE_TYPE
	default:
		return "of an unknown type";
	}
}

static const struct errpipe_link *link_at(const struct errpipe_explanation *ex, int index)
{
	return index >= 0 && index < ex->links ? &ex->link[index] : NULL;
}

static const char *path_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link ? link->path : NULL;
}

static const char *here_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link ? link->here : NULL;
}

/* The fault of a link in words. NULL if its content already describes it. */
static const char *fault_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link && link->fault && !link->content ? link->wrong : NULL;
}

static const char *known_or_not(const char *architecture)
{
	return architecture ? architecture : "an unknown machine";
}

static const char *argument_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link ? link->argument : NULL;
}

/* The link that names the broken one; -1: none. */
static int parent_of(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link ? link->parent : -1;
}

static const char *architecture_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	if (!link)
		return NULL;
	return known_or_not(link->architecture);
}

/* "./x", its interpreter "/bin/x", the loader "/lib/x" of "/bin/x". */
static void add_it(struct ep_line *line, const struct errpipe_explanation *ex)
{
	int index = ex->broken < 0 ? 0 : ex->broken;
	const struct errpipe_link *link = link_at(ex, index);

	if (!link)
		return;
	if (link->kind != ERRPIPE_LINK_PROGRAM) {
		ep_add(line, link->parent == 0 ? "its " : "the ");
		ep_add(line, kinds[link->kind]);
		ep_add(line, " ");
	}
	ep_add_quoted(line, link->path);
	if (link->parent > 0) {
		ep_add(line, " of ");
		ep_add_quoted(line, ex->link[link->parent].path);
	}
}

/* "process 12 (cc1), process 15 (ld) and others" */
static void add_writers(struct ep_line *line, const struct errpipe_explanation *ex)
{
	for (int i = 0; i < ex->writers.count; i++) {
		ep_add(line, i ? ", process " : "process ");
		ep_add_number(line, ex->writers.writer[i].pid);
		if (!ex->writers.writer[i].name)
			continue;
		ep_add(line, " (");
		ep_add_visible(line, ex->writers.writer[i].name);
		ep_add(line, ")");
	}
	if (ex->writers.more)
		ep_add(line, " and others");
}

/* A command in one word: the object, which is its beginning, and what follows, split at blanks. */
static void add_words(struct ep_line *line, const struct errpipe_explanation *ex)
{
	enum { WORDS = 6 };
	const char *path = path_at(ex, ex->broken);
	size_t length = strlen(ex->object);
	char word[4096];

	if (!path)
		return;
	for (int i = 0; *path && i < WORDS; i++) {
		snprintf(word, sizeof(word), "%.*s", (int)length, path);
		ep_add(line, i ? ", " : "");
		ep_add_quoted(line, word);
		path += length;
		path += strspn(path, " \t");
		length = strcspn(path, " \t");
	}
	if (*path)
		ep_add(line, " ...");
}

/* "quotes", "quotes, brackets and commas": what the name has. */
static void add_marks(struct ep_line *line, const struct errpipe_explanation *ex)
{
	const char *path = path_at(ex, ex->broken);
	const bool has[] = { path && (strpbrk(path, "\"'") || strstr(path, "\xe2\x80")), path && strpbrk(path, "[]"),
			     path && strchr(path, ',') };
	static const char *const names[] = { "quotes", "brackets", "commas" };

	for (size_t i = 0, count = has[0] + has[1] + has[2]; i < COUNT(names); i++) {
		if (!has[i])
			continue;
		ep_add(line, names[i]);
		count--;
		if (count)
			ep_add(line, count == 1 ? " and " : ", ");
	}
}

/* The value of a placeholder: one of these, or nothing. */
struct value {
	const char *text; /* written by add_text */
	void (*add_text)(struct ep_line *line, const char *text);
	const char *template; /* has placeholders itself */
	void (*add)(struct ep_line *line, const struct errpipe_explanation *ex);
	char number[24]; /* for text */
};

static bool is_set(const struct value *value)
{
	return value->text || value->template || value->add;
}

static bool is(const char *key, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(name, key, length) == 0;
}

/* The architecture of a Debian package: "i386" of "libc6:i386". */
static const char *architecture_of_package(const char *package)
{
	const char *colon = package ? strchr(package, ':') : NULL;

	return colon ? colon + 1 : NULL;
}

static const struct reason *reason_for(int error)
{
	for (size_t i = 0; i < COUNT(reasons); i++) {
		if (reasons[i].error == error)
			return &reasons[i];
	}
	return NULL;
}

/* The object is the name of the errno that a file system has returned. A detail has an advice of its own. */
static const char *file_system_look(const struct errpipe_explanation *ex)
{
	if (ex->detail)
		return ROW(remedies, ex->detail);
	for (size_t i = 0; i < COUNT(reasons) && ex->object; i++) {
		if (reasons[i].of_file_systems && strcmp(reasons[i].name, ex->object) == 0)
			return reasons[i].look;
	}
	return NULL;
}

static const char *step_look(int error)
{
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (steps[i].error == error)
			return steps[i].look;
	}
	return NULL;
}

static const struct setup_reason *setup_reason(const struct errpipe_explanation *ex)
{
	static const struct setup_reason none;

	for (size_t i = 0; i < COUNT(setup_reasons) && ex->cause == ERRPIPE_CAUSE_SETUP_FAILED; i++) {
		if (setup_reasons[i].step == ex->number && setup_reasons[i].error == ex->error)
			return &setup_reasons[i];
	}
	return &none;
}

/* Is that module in a list like "selinux, landlock"? */
static bool lists(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = list; p; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (strncmp(p, name, length) == 0 && (!p[length] || p[length] == ','))
			return true;
	}
	return false;
}

static const char *module_look(const struct errpipe_explanation *ex)
{
	for (size_t i = 0; i < COUNT(modules); i++) {
		if (lists(ex->object, modules[i].name))
			return modules[i].look;
	}
	return NULL;
}

static const char *look_for(const struct errpipe_explanation *ex)
{
	const struct reason *reason = reason_for(ex->error);
	const char *look = ex->cause == ERRPIPE_CAUSE_SECURITY_MODULE ? module_look(ex) : NULL;

	return look || !reason ? look : reason->look;
}

/* The advice for a file that lacks its x bit, with or without a second fault. */
static const char *refused_look(const struct errpipe_link *link)
{
	static const struct {
		enum errpipe_cause fault;
		const char *look;
	} looks[] = {
#define FAULT(fault, look) { ERRPIPE_CAUSE_##fault, look },
#include "explain/facts.def"
#undef FAULT
	};

	for (size_t i = 0; link && i < COUNT(looks); i++) {
		if (link->fault == looks[i].fault)
			return looks[i].look;
	}
	return link && link->fault ? words_of(link->fault)->advice : NULL;
}

static const char *gives(int error)
{
	const struct reason *reason = reason_for(error);

	return reason ? reason->gives : NULL;
}

static const char *script_in(const struct errpipe_explanation *ex)
{
	for (int i = 0; i < ex->links; i++) {
		if (ex->link[i].format == ERRPIPE_FORMAT_SCRIPT)
			return ex->link[i].path;
	}
	return NULL;
}

/* The script whose first line has the name of the broken link, which may be the command of env(1). */
static const char *naming_script(const struct errpipe_explanation *ex)
{
	const struct errpipe_link *link = link_at(ex, ex->broken);

	if (link && link->kind == ERRPIPE_LINK_COMMAND)
		link = link_at(ex, link->parent);
	return link && link->kind == ERRPIPE_LINK_INTERPRETER ? path_at(ex, link->parent) : NULL;
}

/* The value of a placeholder that only has a text of its own. */
static const char *when(bool condition)
{
	return condition ? "" : NULL;
}

static const char *last_name_of(const char *path)
{
	return path ? ep_last_name(path) : NULL;
}

static bool is_in_cwd(const struct errpipe_explanation *ex)
{
	return ex->detail == ERRPIPE_DETAIL_RELATIVE_LIBRARY || ex->detail == ERRPIPE_DETAIL_BESIDE_PROGRAM;
}

/* The object is the broken link. */
static bool is_itself(const struct errpipe_explanation *ex)
{
	const char *path = path_at(ex, ex->broken);

	return path && ex->object && strcmp(path, ex->object) == 0;
}

static const char *text_of(const struct errpipe_explanation *ex, const char *key, size_t length)
{
	const struct errpipe_link *broken = link_at(ex, ex->broken);
	const struct {
		const char *key, *text;
	} texts[] = {
		{ "path", path_at(ex, ex->broken < 0 ? 0 : ex->broken) },
		{ "parent", path_at(ex, parent_of(ex, ex->broken)) },
		{ "searcher", ex->subject ? NULL : last_name_of(path_at(ex, parent_of(ex, ex->broken))) },
		{ "subject", ex->subject },
		{ "needer", ex->needer },
		{ "searched", ex->searched },
		{ "available", ex->available },
		{ "shadowing", ex->shadowing },
		{ "shadowed", ex->shadowed },
		{ "subject-last", last_name_of(ex->subject) },
		{ "looked", ex->detail ? NULL : ex->searched },
		{ "unshut", ex->object ? NULL : ex->subject },
		{ "shut", ex->detail == ERRPIPE_DETAIL_SHUT_DIRECTORY ? ex->object : NULL },
		{ "in-cwd", when(is_in_cwd(ex)) },
		{ "late", when(ex->detail == ERRPIPE_DETAIL_LATE_OPTION) },
		{ "lfs", when(ex->subject_content == ERRPIPE_CONTENT_GIT_LFS_POINTER) },
		{ "needs-glibc", when(ex->needs_libc && strcmp(ex->needs_libc, "glibc") == 0) },
		{ "object", ex->object },
		{ "itself", when(is_itself(ex)) },
		{ "link", is_itself(ex) ? NULL : ex->object },
		{ "target", ex->detail ? NULL : ex->object },
		{ "symlink", ex->detail ? NULL : ex->subject },
		{ "refusers", ex->detail ? NULL : ex->object },
		{ "search-path", ex->detail ? NULL : ex->object },
		{ "rest-of-line", ex->object ? argument_at(ex, parent_of(ex, ex->broken)) : NULL },
		{ "line", naming_script(ex) },
		{ "typed", naming_script(ex) || ex->detail ? NULL : path_at(ex, ex->broken) },
		{ "unmarked", ex->detail ? NULL : path_at(ex, ex->broken) },
		{ "interpreter-cut", ex->detail == ERRPIPE_DETAIL_QUOTED_NAME ? NULL : ex->subject },
		{ "marked", ex->detail == ERRPIPE_DETAIL_MARK_AND_RETURNS ? NULL : path_at(ex, ex->broken) },
		{ "followed", ex->detail ? NULL : ex->subject },
		{ "nested", ex->detail ? NULL : path_at(ex, parent_of(ex, ex->broken)) },
		{ "any-program", when(!naming_script(ex) && !ex->object) },
		{ "named-in", ex->detail ? NULL : path_at(ex, parent_of(ex, ex->broken)) },
		{ "script", script_in(ex) },
		{ "object-architecture", architecture_of_package(ex->object) },
		{ "needs-libc", ex->needs_libc },
		{ "has-libc", ex->has_libc },
		{ "host", known_or_not(ex->host) },
		{ "host-platform", ex->host_platform },
		{ "platform", ex->platform },
		{ "handler", ex->handler },
		{ "modules", ex->modules },
		{ "arch", architecture_at(ex, ex->broken) },
		{ "arch-of-parent", architecture_at(ex, parent_of(ex, ex->broken)) },
		{ "acl", ex->denied.acl ? "" : NULL },
		{ "mask", ex->denied.mask ? "" : NULL },
		{ "unnamed", when(ex->denied.unnamed) },
		{ "raisable", ex->limit < ep_most_arguments() ? "" : NULL },
		{ "here", here_at(ex, ex->broken) },
		{ "fault", fault_at(ex, ex->broken) },
		{ "subject-here", ex->subject_here },
		{ "s", ex->limit == 1 ? "" : "s" },
		{ "own-limit", when(ex->limit && !ex->detail) },
		{ "subject-text", ex->subject },
		{ "root", ex->root_here },
		{ "remount", ex->detail == ERRPIPE_DETAIL_CONFIGURED_MOUNT ? NULL : ex->subject },
		{ "appimage", when(ex->detail == ERRPIPE_DETAIL_APPIMAGE) },
		{ "disable", ex->detail ? NULL : ex->handler },
		{ "wsl", when(ex->detail == ERRPIPE_DETAIL_WSL_HANDLER_LOST) },
		{ "file-on", when(ex->detail == ERRPIPE_DETAIL_FILE_ON_DIRECTORY) },
		{ "android", when(ex->has_libc && strcmp(ex->has_libc, "Android") == 0) },
		{ "whole", when(ex->binfmt == ERRPIPE_BINFMT_DISABLED) },
		{ "registered", when(broken && broken->kind == ERRPIPE_LINK_HANDLER) },
		{ "returned", ex->detail ? NULL : ex->object },
		{ "refused", when(ex->object && ex->detail) },
		{ "unmapped", when(ex->detail == ERRPIPE_DETAIL_UNMAPPED_OWNER) },
		{ "nosuid", when(ex->detail == ERRPIPE_DETAIL_NOSUID) },
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (is(key, length, texts[i].key))
			return texts[i].text;
	}
	return NULL;
}

/* A number of 0 is not set, nor is a limit of 0, unless the question sets it. */
static const char *number_of(const struct errpipe_explanation *ex, const char *key, size_t length, char *decimal,
			     size_t size)
{
	const struct {
		const char *key;
		uint64_t number;
		bool set;
	} numbers[] = {
		{ "number", ex->number, ex->number },
		{ "limit", ex->limit, ex->limit || ex->detail == ERRPIPE_DETAIL_CONFIGURED_LIMIT },
		{ "arguments", ex->arguments.count, ex->arguments.count },
		{ "argument-bytes", ex->arguments.bytes, ex->arguments.count },
		{ "variables", ex->variables.count, ex->variables.count },
		{ "variable-bytes", ex->variables.bytes, ex->variables.count },
		{ "uid", ex->denied.uid, ex->denied.as },
		{ "gid", ex->denied.gid, ex->denied.as },
	};

	for (size_t i = 0; i < COUNT(numbers); i++) {
		if (is(key, length, numbers[i].key)) {
			snprintf(decimal, size, "%llu", (unsigned long long)numbers[i].number);
			return numbers[i].set ? decimal : NULL;
		}
	}
	return NULL;
}

static bool lacks_override(const struct errpipe_explanation *ex)
{
	return ex->detail == ERRPIPE_DETAIL_NO_DAC_OVERRIDE;
}

static const char *template_of(const struct errpipe_explanation *ex, const char *key, size_t length)
{
	const struct errpipe_link *broken = link_at(ex, ex->broken);
	const struct {
		const char *key, *template;
	} templates[] = {
		{ "detail", ROW(details, ex->detail) },
		{ "foreign", lacks_override(ex) ? NULL : ROW(details, ex->detail) },
		{ "powerless", lacks_override(ex) ? "" : NULL },
		{ "remedy", ROW(remedies, ex->detail) },
		{ "gives", gives(ex->error) },
		{ "look", look_for(ex) },
		{ "fs-look", file_system_look(ex) },
		{ "step-look", step_look(ex->error) },
		{ "setup-why", ex->detail ? ROW(details, ex->detail) : setup_reason(ex)->why },
		{ "setup-look", ex->detail ? ROW(remedies, ex->detail) : setup_reason(ex)->look },
		{ "denied", ROW(classes, ex->denied.as) },
		{ "binfmt", ROW(binfmts, ex->binfmt) },
		{ "format", broken ? ROW(format_objects, broken->format) : NULL },
		{ "subject-is", ex->subject_content ? ROW(contents, ex->subject_content) : ROW(details, ex->detail) },
		{ "content", broken ? ROW(contents, broken->content) : NULL },
		{ "use", broken ? ROW(content_advices, broken->content) : NULL },
		{ "refused-look", refused_look(broken) },
		{ "fault-advice", broken ? words_of(broken->fault)->advice : NULL },
		{ "file-type", broken ? file_type_words(broken->mode) : NULL },
	};

	for (size_t i = 0; i < COUNT(templates); i++) {
		if (is(key, length, templates[i].key))
			return templates[i].template;
	}
	return NULL;
}

/* The values that are always paths are quoted. */
static bool is_path(const char *key, size_t length)
{
	static const char *const paths[] = { "path", "parent", "subject", "needer", "line" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		if (is(key, length, paths[i]))
			return true;
	}
	return false;
}

static void look_up(struct value *value, const struct errpipe_explanation *ex, const char *key, size_t length)
{
	const struct {
		const char *key;
		void (*add)(struct ep_line *line, const struct errpipe_explanation *ex);
		bool set;
	} parts[] = {
		{ "it", add_it, true },
		{ "writers", add_writers, ex->writers.count },
		{ "words", add_words, ex->object },
		{ "marks", add_marks, true },
	};

	value->number[0] = '\0';
	value->add_text = is_path(key, length) ? ep_add_quoted : ep_add_visible;
	value->text = text_of(ex, key, length);
	if (!value->text)
		value->text = number_of(ex, key, length, value->number, sizeof(value->number));
	value->template = template_of(ex, key, length);
	value->add = NULL;
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i].set && is(key, length, parts[i].key))
			value->add = parts[i].add;
	}
}

static void add_template(struct ep_line *line, const struct errpipe_explanation *ex, const char *template);

static void add_value(struct ep_line *line, const struct errpipe_explanation *ex, const struct value *value)
{
	if (value->add)
		value->add(line, ex);
	else if (value->template)
		add_template(line, ex, value->template);
	else if (value->text)
		value->add_text(line, value->text);
	else
		ep_add(line, value->number);
}

enum form { PLAIN, NAME, WORD, INSIDE, FILE_NAME, NONE, OTHER, SAME };

/* The form that the end of a key asks for. That end is cut off. */
static enum form form_of(const char *key, size_t *length)
{
	static const struct {
		const char *end;
		enum form form;
	} forms[] = {
		{ "-name", NAME }, { "-word", WORD },	{ "-inside", INSIDE }, { "-file", FILE_NAME },
		{ "-none", NONE }, { "-other", OTHER }, { "-same", SAME },
	};

	for (size_t i = 0; i < COUNT(forms); i++) {
		size_t n = strlen(forms[i].end);

		if (*length > n && memcmp(key + *length - n, forms[i].end, n) == 0) {
			*length -= n;
			return forms[i].form;
		}
	}
	return PLAIN;
}

/* Does the value have the form for which there is a text? */
static bool applies(const struct value *value, enum form form, const char *path)
{
	bool same = path && value->text && strcmp(value->text, path) == 0;

	switch (form) {
	case NONE:
		return !is_set(value);
	case OTHER:
		return is_set(value) && !same;
	case SAME:
		return same;
	default:
		return is_set(value);
	}
}

/* The caller's path, for a command that the caller can type. */
static const char *path_here(const struct errpipe_explanation *ex, const char *key, size_t length, const char *path)
{
	const struct {
		const char *key, *here;
	} places[] = {
		{ "path", here_at(ex, ex->broken < 0 ? 0 : ex->broken) },
		{ "marked", here_at(ex, ex->broken) },
		{ "parent", here_at(ex, parent_of(ex, ex->broken)) },
		{ "subject", ex->subject_here },
		{ "unshut", ex->subject_here },
		{ "remount", ex->subject_here },
		{ "object", ex->object_here },
		{ "needer", ex->needer_here },
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		if (places[i].here && is(key, length, places[i].key))
			return places[i].here;
	}
	return path;
}

/* The caller's path of a file of the chain that a mount of the question brings: the image does not have it. */
static const char *file_of(const struct errpipe_explanation *ex, const char *path)
{
	for (int i = 0; i < ex->links; i++) {
		const struct errpipe_link *link = &ex->link[i];

		if (link->mounted && link->here && strcmp(link->path, path) == 0)
			return link->here;
	}
	return path;
}

/* {key}, {key-name}, {key-word}, {key-inside} and {key-file}; {key:text with %}, {key-none:text}, {key-other:text with %} and {key-same:text}. */
static void add_placeholder(struct ep_line *line, const struct errpipe_explanation *ex, const char *p, size_t length)
{
	const char *text = memchr(p, ':', length), *end = p + length;
	size_t key = text ? (size_t)(text - p) : length;
	enum form form = form_of(p, &key);
	struct value value;

	look_up(&value, ex, p, key);
	if (form == NAME || form == FILE_NAME)
		value.add_text = ep_add_quoted;
	if (form == WORD || form == INSIDE)
		value.add_text = ep_add_word;
	if (form == WORD && value.text)
		value.text = path_here(ex, p, key, value.text);
	if (form == FILE_NAME && value.text)
		value.text = file_of(ex, value.text);
	if (!text) {
		add_value(line, ex, &value);
		return;
	}
	if (!applies(&value, form, path_at(ex, ex->broken < 0 ? 0 : ex->broken)))
		return;
	for (text++; text < end; text++) {
		if (*text == '%')
			add_value(line, ex, &value);
		else
			ep_add_char(line, *text);
	}
}

static void add_template(struct ep_line *line, const struct errpipe_explanation *ex, const char *template)
{
	for (const char *p = template; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (!end) {
			ep_add_char(line, *p);
			continue;
		}
		add_placeholder(line, ex, p + 1, end - p - 1);
		p = end;
	}
}

size_t errpipe_finding(char *buf, size_t size, const struct errpipe_explanation *ex)
{
	struct ep_line line = { buf, size, 0 };
	const struct words *words = ex ? words_of(ex->cause) : NULL;

	if (words)
		add_template(&line, ex, words->finding);
	return ep_end(&line);
}

size_t errpipe_advice(char *buf, size_t size, const struct errpipe_explanation *ex)
{
	struct ep_line line = { buf, size, 0 };
	const struct words *words = ex ? words_of(ex->cause) : NULL;

	if (words)
		add_template(&line, ex, words->advice);
	return ep_end(&line);
}

const char *ep_broken_words(struct ep_check *c)
{
	char text[512];
	struct ep_line line = { text, sizeof(text), 0 };
	const struct words *words = words_of(c->ex->cause);

	if (words)
		add_template(&line, c->ex, words->broken);
	ep_end(&line);
	return ep_keep(c, "%s", text);
}

static void add_elf(struct ep_line *line, const struct errpipe_link *link)
{
	static const char *const types[] = { NULL, ", object file", NULL, NULL, ", core dump" };

	ep_add(line, "ELF");
	if (link->elf_class)
		ep_add(line, link->elf_class == 1 ? " 32-bit" : " 64-bit");
	if (link->architecture) {
		ep_add(line, ", ");
		ep_add(line, link->architecture);
	}
	if (link->type < COUNT(types) && types[link->type])
		ep_add(line, types[link->type]);
	else if (link->kind != ERRPIPE_LINK_LOADER)
		ep_add(line, link->dynamic ? ", dynamic" : ", static");
}

static void add_mode(struct ep_line *line, const struct errpipe_link *link)
{
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", (unsigned)(link->mode & 07777));
	ep_add(line, line->length ? ", mode " : "mode ");
	ep_add(line, mode);
	if (link->acl)
		ep_add(line, " and an access control list");
}

/* Of a command of env(1), the status shows that. */
static bool is_missing(const struct errpipe_explanation *ex)
{
	return ex->error == ENOENT || (ex->works && ex->status == 127);
}

size_t errpipe_link_words(char *buf, size_t size, const struct errpipe_explanation *ex, int index)
{
	struct ep_line line = { buf, size, 0 };
	const struct errpipe_link *link = ex ? link_at(ex, index) : NULL;

	if (!link)
		return ep_end(&line);
	if (link->format == ERRPIPE_FORMAT_ELF)
		add_elf(&line, link);
	else if (link->format < COUNT(formats) && formats[link->format])
		ep_add(&line, formats[link->format]);
	if (link->mode)
		add_mode(&line, link);
	if (link->resolved && strcmp(link->resolved, link->path) != 0) {
		ep_add(&line, line.length ? ", resolves to " : "resolves to ");
		ep_add_quoted(&line, link->resolved);
	}
	if (!line.length && index == ex->broken)
		ep_add(&line, is_missing(ex) ? "missing" : ex->error || ex->works ? "unreachable" : "unknown");
	if (link->wrong && index != ex->broken) {
		ep_add(&line, line.length ? "; " : "");
		ep_add(&line, link->wrong);
	}
	return ep_end(&line);
}

/* SPDX-License-Identifier: MIT */
/* An explanation in words, which are those of causes.def. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain.h"

static const struct words {
	const char *name, *broken, *finding, *advice;
} causes[] = {
#define CAUSE(id, name, broken, finding, advice, document, example)                                                  \
	[ERRPIPE_CAUSE_##id] = { name, broken, finding, advice },
#include "explain/causes.def"
};

static const struct words *words_of(enum errpipe_cause cause)
{
	if ((size_t)cause >= sizeof(causes) / sizeof(*causes))
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

	return (size_t)certainty < sizeof(names) / sizeof(*names) ? names[certainty] : NULL;
}

/* The value of a placeholder. */
struct value {
	const char *text; /* NULL: there is none */
	void (*add)(struct ep_line *line, const char *text);
	char number[24];
};

static const struct errpipe_link *link_at(const struct errpipe_explanation *ex, int index)
{
	return index >= 0 && index < ex->links ? &ex->link[index] : NULL;
}

static const char *path_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	return link ? link->path : NULL;
}

static const char *architecture_at(const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index);

	if (!link)
		return NULL;
	return link->architecture ? link->architecture : "an unknown machine";
}

static const char *kind_words(enum errpipe_link_kind kind)
{
	static const char *const words[] = {
		[ERRPIPE_LINK_PROGRAM] = "program",
		[ERRPIPE_LINK_INTERPRETER] = "interpreter",
		[ERRPIPE_LINK_HANDLER] = "emulator",
		[ERRPIPE_LINK_LOADER] = "loader",
	};

	return words[kind];
}

/* "./x", its interpreter "/bin/x", the loader "/lib/x" of "/bin/x". */
static void add_it(struct ep_line *line, const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index < 0 ? 0 : index);

	if (!link)
		return;
	if (link->kind != ERRPIPE_LINK_PROGRAM) {
		ep_add(line, index == 1 ? "its " : "the ");
		ep_add(line, kind_words(link->kind));
		ep_add(line, " ");
	}
	ep_add_quoted(line, link->path);
	if (index > 1) {
		ep_add(line, " of ");
		ep_add_quoted(line, ex->link[index - 1].path);
	}
}

static const char *in_decimal(struct value *value, uint64_t number)
{
	snprintf(value->number, sizeof(value->number), "%llu", (unsigned long long)number);
	return number ? value->number : NULL;
}

static void look_up(struct value *value, const struct errpipe_explanation *ex, const char *key, size_t length)
{
	const struct {
		const char *key, *text;
		void (*add)(struct ep_line *line, const char *text);
	} values[] = {
		{ "path", path_at(ex, ex->broken < 0 ? 0 : ex->broken), ep_add_quoted },
		{ "parent", path_at(ex, ex->broken - 1), ep_add_quoted },
		{ "program", path_at(ex, 0), ep_add_quoted },
		{ "subject", ex->subject, ep_add_quoted },
		{ "object", ex->object, ep_add_visible },
		{ "host", ex->host, ep_add_visible },
		{ "platform", ex->platform, ep_add_visible },
		{ "binfmt", ex->binfmt, ep_add_visible },
		{ "modules", ex->modules, ep_add_visible },
		{ "arch", architecture_at(ex, ex->broken), ep_add_visible },
		{ "arch-of-parent", architecture_at(ex, ex->broken - 1), ep_add_visible },
	};

	value->text = NULL;
	value->add = ep_add_visible;
	if (length == 6 && memcmp(key, "number", length) == 0)
		value->text = in_decimal(value, ex->number);
	if (length == 5 && memcmp(key, "limit", length) == 0)
		value->text = in_decimal(value, ex->limit);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (strlen(values[i].key) == length && memcmp(values[i].key, key, length) == 0) {
			value->text = values[i].text;
			value->add = values[i].add;
		}
	}
}

enum form { PLAIN, NAME, WORD, NONE, OTHER, SAME };

/* What the end of a key asks for; that end is cut off. */
static enum form form_of(const char *key, size_t *length)
{
	static const struct {
		const char *end;
		enum form form;
	} forms[] = {
		{ "-name", NAME }, { "-word", WORD }, { "-none", NONE }, { "-other", OTHER }, { "-same", SAME },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
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
		return !value->text;
	case OTHER:
		return value->text && !same;
	case SAME:
		return same;
	default:
		return value->text;
	}
}

/* {key}, {key-name} and {key-word}; {key:text with %}, {key-none:text}, {key-other:text with %} and {key-same:text}. */
static void add_placeholder(struct ep_line *line, const struct errpipe_explanation *ex, const char *p, size_t length)
{
	const char *text = memchr(p, ':', length), *end = p + length;
	size_t key = text ? (size_t)(text - p) : length;
	enum form form = form_of(p, &key);
	struct value value;

	if (key == 2 && memcmp(p, "it", 2) == 0) {
		add_it(line, ex, ex->broken);
		return;
	}
	look_up(&value, ex, p, key);
	if (form == NAME)
		value.add = ep_add_quoted;
	if (form == WORD)
		value.add = ep_add_word;
	if (!text) {
		value.add(line, value.text ? value.text : "0");
		return;
	}
	if (!applies(&value, form, path_at(ex, ex->broken < 0 ? 0 : ex->broken)))
		return;
	for (text++; text < end; text++) {
		if (*text == '%')
			value.add(line, value.text);
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

const char *ep_broken_words(struct ep_case *c)
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
	if (link->type < sizeof(types) / sizeof(*types) && types[link->type])
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

size_t errpipe_link_words(char *buf, size_t size, const struct errpipe_explanation *ex, int index)
{
	struct ep_line line = { buf, size, 0 };
	const struct errpipe_link *link = ex ? link_at(ex, index) : NULL;

	if (!link)
		return ep_end(&line);
	if (link->format == ERRPIPE_FORMAT_ELF)
		add_elf(&line, link);
	else if (link->format != ERRPIPE_FORMAT_NOT_READ)
		ep_add(&line, ep_format_words(link->format));
	if (link->mode)
		add_mode(&line, link);
	if (link->resolved && strcmp(link->resolved, link->path) != 0) {
		ep_add(&line, line.length ? ", resolves to " : "resolves to ");
		ep_add_quoted(&line, link->resolved);
	}
	if (!line.length && index == ex->broken)
		ep_add(&line, ex->error == ENOENT ? "missing" : ex->error ? "unreachable" : "unknown");
	if (link->wrong && index != ex->broken) {
		ep_add(&line, line.length ? "; " : "");
		ep_add(&line, link->wrong);
	}
	return ep_end(&line);
}

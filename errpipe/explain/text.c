/* SPDX-License-Identifier: MIT */
/* An explanation in words, which are those of causes.def. */
#include <string.h>
#include <stdio.h>

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

/* The value of a placeholder: some text, or a part of the line that is made of several. */
struct value {
	const char *text; /* NULL: there is none */
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

/* "./x", "its interpreter /bin/x", "the loader /lib/x of /bin/x". */
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
	ep_add_path(line, link->path);
	if (index > 1) {
		ep_add(line, " of ");
		ep_add_path(line, ex->link[index - 1].path);
	}
}

static void add_the_script(struct ep_line *line, const struct errpipe_explanation *ex)
{
	if (ex->broken == 1)
		ep_add(line, "the script");
	else
		ep_add_path(line, path_at(ex, ex->broken - 1));
	ep_add(line, "'s");
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
	} values[] = {
		{ "path", path_at(ex, ex->broken < 0 ? 0 : ex->broken) },
		{ "parent", path_at(ex, ex->broken - 1) },
		{ "program", path_at(ex, 0) },
		{ "subject", ex->subject },
		{ "object", ex->object },
		{ "host", ex->host },
		{ "platform", ex->platform },
		{ "binfmt", ex->binfmt },
		{ "modules", ex->modules },
		{ "arch", architecture_at(ex, ex->broken) },
		{ "arch-of-parent", architecture_at(ex, ex->broken - 1) },
	};

	value->text = NULL;
	if (length == 6 && memcmp(key, "number", length) == 0)
		value->text = in_decimal(value, ex->number);
	if (length == 5 && memcmp(key, "limit", length) == 0)
		value->text = in_decimal(value, ex->limit);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (strlen(values[i].key) == length && memcmp(values[i].key, key, length) == 0)
			value->text = values[i].text;
	}
}

static bool ends_in(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length > n && memcmp(text + length - n, end, n) == 0;
}

/* {key}, {key:text with %}, {key-none:text}, {key-other:text with %}: if it is set, is not, is another than the path. */
static void add_placeholder(struct ep_line *line, const struct errpipe_explanation *ex, const char *p, size_t length)
{
	const char *text = memchr(p, ':', length), *end = p + length;
	size_t key = text ? (size_t)(text - p) : length;
	bool none = text && ends_in(p, key, "-none"), other = text && ends_in(p, key, "-other");
	const char *path;
	struct value value;

	if (key == 2 && memcmp(p, "it", 2) == 0) {
		add_it(line, ex, ex->broken);
		return;
	}
	if (key == 10 && memcmp(p, "the-script", 10) == 0) {
		add_the_script(line, ex);
		return;
	}
	look_up(&value, ex, p, key - (none ? 5 : other ? 6 : 0));
	if (!text) {
		ep_add_path(line, value.text ? value.text : "0");
		return;
	}
	if (none != !value.text)
		return;
	path = path_at(ex, ex->broken < 0 ? 0 : ex->broken);
	if (other && path && value.text && strcmp(value.text, path) == 0)
		return;
	for (text++; text < end; text++) {
		if (*text == '%')
			ep_add_path(line, value.text);
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

static void add_broken(struct ep_line *line, const struct errpipe_explanation *ex)
{
	const struct words *words = words_of(ex->cause);

	if (words)
		add_template(line, ex, words->broken);
}

const char *ep_broken_words(struct ep_case *c)
{
	char words[512];
	struct ep_line line = { words, sizeof(words), 0 };

	add_broken(&line, c->ex);
	ep_end(&line);
	return ep_keep(c, "%s", words);
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
		ep_add(&line, line.length ? ", is " : "is ");
		ep_add_path(&line, link->resolved);
	}
	if (line.length && (index == ex->broken || link->wrong))
		ep_add(&line, "; ");
	if (index == ex->broken)
		add_broken(&line, ex);
	else if (link->wrong)
		ep_add(&line, link->wrong);
	return ep_end(&line);
}

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
static void add_it(struct errpipe__line *line, const struct errpipe_explanation *ex, int index)
{
	const struct errpipe_link *link = link_at(ex, index < 0 ? 0 : index);

	if (!link)
		return;
	if (link->kind != ERRPIPE_LINK_PROGRAM) {
		errpipe__add(line, index == 1 ? "its " : "the ");
		errpipe__add(line, kind_words(link->kind));
		errpipe__add(line, " ");
	}
	errpipe__add_path(line, link->path);
	if (index > 1) {
		errpipe__add(line, " of ");
		errpipe__add_path(line, ex->link[index - 1].path);
	}
}

static void add_the_script(struct errpipe__line *line, const struct errpipe_explanation *ex)
{
	if (ex->broken == 1)
		errpipe__add(line, "the script");
	else
		errpipe__add_path(line, path_at(ex, ex->broken - 1));
	errpipe__add(line, "'s");
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
static void add_placeholder(struct errpipe__line *line, const struct errpipe_explanation *ex, const char *p,
			    size_t length)
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
		errpipe__add_path(line, value.text ? value.text : "0");
		return;
	}
	if (none != !value.text)
		return;
	path = path_at(ex, ex->broken < 0 ? 0 : ex->broken);
	if (other && path && value.text && strcmp(value.text, path) == 0)
		return;
	for (text++; text < end; text++) {
		if (*text == '%')
			errpipe__add_path(line, value.text);
		else
			errpipe__add_char(line, *text);
	}
}

static void add_template(struct errpipe__line *line, const struct errpipe_explanation *ex, const char *template)
{
	for (const char *p = template; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (!end) {
			errpipe__add_char(line, *p);
			continue;
		}
		add_placeholder(line, ex, p + 1, end - p - 1);
		p = end;
	}
}

size_t errpipe_finding(char *buf, size_t size, const struct errpipe_explanation *ex)
{
	struct errpipe__line line = { buf, size, 0 };
	const struct words *words = ex ? words_of(ex->cause) : NULL;

	if (words)
		add_template(&line, ex, words->finding);
	return errpipe__end(&line);
}

size_t errpipe_advice(char *buf, size_t size, const struct errpipe_explanation *ex)
{
	struct errpipe__line line = { buf, size, 0 };
	const struct words *words = ex ? words_of(ex->cause) : NULL;

	if (words)
		add_template(&line, ex, words->advice);
	return errpipe__end(&line);
}

static void add_broken(struct errpipe__line *line, const struct errpipe_explanation *ex)
{
	const struct words *words = words_of(ex->cause);

	if (words)
		add_template(line, ex, words->broken);
}

const char *errpipe__broken_words(struct errpipe__case *c)
{
	char words[512];
	struct errpipe__line line = { words, sizeof(words), 0 };

	add_broken(&line, c->ex);
	errpipe__end(&line);
	return errpipe__keep(c, "%s", words);
}

static void add_elf(struct errpipe__line *line, const struct errpipe_link *link)
{
	static const char *const types[] = { NULL, ", object file", NULL, NULL, ", core dump" };

	errpipe__add(line, "ELF");
	if (link->elf_class)
		errpipe__add(line, link->elf_class == 1 ? " 32-bit" : " 64-bit");
	if (link->architecture) {
		errpipe__add(line, ", ");
		errpipe__add(line, link->architecture);
	}
	if (link->type < sizeof(types) / sizeof(*types) && types[link->type])
		errpipe__add(line, types[link->type]);
	else if (link->kind != ERRPIPE_LINK_LOADER)
		errpipe__add(line, link->dynamic ? ", dynamic" : ", static");
}

static void add_mode(struct errpipe__line *line, const struct errpipe_link *link)
{
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", (unsigned)(link->mode & 07777));
	errpipe__add(line, line->length ? ", mode " : "mode ");
	errpipe__add(line, mode);
	if (link->acl)
		errpipe__add(line, " and an access control list");
}

size_t errpipe_link_words(char *buf, size_t size, const struct errpipe_explanation *ex, int index)
{
	struct errpipe__line line = { buf, size, 0 };
	const struct errpipe_link *link = ex ? link_at(ex, index) : NULL;

	if (!link)
		return errpipe__end(&line);
	if (link->format == ERRPIPE_FORMAT_ELF)
		add_elf(&line, link);
	else if (link->format != ERRPIPE_FORMAT_NOT_READ)
		errpipe__add(&line, errpipe__format_words(link->format));
	if (link->mode)
		add_mode(&line, link);
	if (link->resolved && strcmp(link->resolved, link->path) != 0) {
		errpipe__add(&line, line.length ? ", is " : "is ");
		errpipe__add_path(&line, link->resolved);
	}
	if (line.length && (index == ex->broken || link->wrong))
		errpipe__add(&line, "; ");
	if (index == ex->broken)
		add_broken(&line, ex);
	else if (link->wrong)
		errpipe__add(&line, link->wrong);
	return errpipe__end(&line);
}

/* SPDX-License-Identifier: MIT */
/* The file is missing, but a file with a similar name exists in its directory. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "explain/hints/hints.h"
#include "explain/kernel/lookup.h"

static bool near_miss(struct ep_check *c, enum errpipe_detail detail, const char *path)
{
	ep_finding_refine(c,
			  (struct ep_finding){ .cause = ERRPIPE_CAUSE_NEAR_MISS, .detail = detail, .object = path });
	return true;
}

static bool exists(struct ep_check *c, const char *path)
{
	return ep_is_searched(path, ep_searched(c)) ? ep_is_in_path(c, path) : ep_is_file(c, path);
}

/* --- invisible characters ----------------------------------------------------------------------------------- */

/* Copy without blanks at both ends, and without invisible characters. The buffer has the size of the text. */
static enum errpipe_detail copy_visible(char *to, const char *text)
{
	enum errpipe_detail detail = ERRPIPE_DETAIL_EXTRA_BLANK;
	char *end = to;

	text += strspn(text, " ");
	while (*text) {
		size_t length = ep_visible(text);

		if (*text == '\r')
			detail = ERRPIPE_DETAIL_RETURN;
		else if (!length && detail == ERRPIPE_DETAIL_EXTRA_BLANK)
			detail = ERRPIPE_DETAIL_INVISIBLE;
		memcpy(end, text, length);
		end += length;
		text += length ? length : 1;
	}
	while (end > to && end[-1] == ' ')
		end--;
	*end = '\0';
	return detail;
}

bool ep_hint_invisible(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX];
	enum errpipe_detail detail;

	if (strlen(link->path) >= sizeof(path))
		return false;
	detail = copy_visible(path, link->path);
	return *path && strcmp(path, link->path) != 0 && exists(c, path) &&
	       near_miss(c, detail, ep_keep(c, "%s", path));
}

/* "docker-compose" with a dash in place of its hyphen, "bash" with a Cyrillic "a" */
bool ep_hint_look_alike(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX], *to = path;
	size_t length;

	if (strlen(link->path) >= sizeof(path))
		return false;
	for (const char *at = link->path; *at; at += length)
		*to++ = ep_ascii_of(at, &length);
	*to = '\0';
	return strcmp(path, link->path) != 0 && exists(c, path) &&
	       near_miss(c, ERRPIPE_DETAIL_LOOK_ALIKE, ep_keep(c, "%s", path));
}

/* "#!/bin/bash; set -e", "/app/run," */
bool ep_hint_punctuation(struct ep_check *c, const struct errpipe_link *link)
{
	size_t length = strlen(link->path);
	char path[PATH_MAX];

	if (!length || length >= sizeof(path) || !strchr(";,:", link->path[length - 1]))
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)length - 1, link->path);
	return exists(c, path) && near_miss(c, ERRPIPE_DETAIL_PUNCTUATION, ep_keep(c, "%s", path));
}

/* --- the spelling ------------------------------------------------------------------------------------------- */

/* How similar a name is, the most similar first. */
enum rank { CASE, SUFFIX, OTHER_NAME, VERSION, LETTER, LETTER_AND_SUFFIX, UNLIKE };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* The length of the beginning that both have in common. */
static size_t common(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	return length;
}

static bool differs_in_case(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return !*a && !*b;
}

/* Suffixes that people forget or add. */
static bool is_suffix(const char *text)
{
	static const char *const suffixes[] = { ".sh", ".bash", ".py", ".pl", ".rb", ".js", "3" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (strcmp(text, suffixes[i]) == 0)
			return true;
	}
	return false;
}

static bool differs_in_suffix(const char *a, const char *b)
{
	size_t length = common(a, b);

	return length && ((!a[length] && (is_suffix(b + length) || strcmp(b + length, ".exe") == 0)) ||
			  (!b[length] && is_suffix(a + length)));
}

/* Other names under which systems have the same program. */
static bool has_other_name(const char *a, const char *b)
{
	static const char *const names[][2] = {
		{ "node", "nodejs" },
		{ "entrypoint.sh", "docker-entrypoint.sh" },
		{ "fd", "fdfind" },
		{ "bat", "batcat" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if ((strcmp(a, names[i][0]) == 0 && strcmp(b, names[i][1]) == 0) ||
		    (strcmp(a, names[i][1]) == 0 && strcmp(b, names[i][0]) == 0))
			return true;
	}
	return false;
}

/* "gcc-12" and "python3.11" for "gcc" and "python3" */
static bool is_version_of(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);
	const char *rest = name + length;

	if (length < 3 || strncmp(name, wanted, length) != 0)
		return false;
	rest += *rest == '-' || (*rest == '.' && is_digit(wanted[length - 1]));
	return is_digit(*rest) && strspn(rest, "0123456789.") == strlen(rest);
}

/* Two neighbours that have changed places. */
static bool is_swapped(const char *a, const char *b)
{
	return a[0] && a[1] && a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0;
}

/*
 * One letter more, less or another. Short names in a directory of programs are often one letter apart: ash and dash, zip
 * and gzip. Another digit is another version.
 */
static bool differs_in_letter(const char *a, const char *b, bool dense)
{
	size_t length = common(a, b), least = dense ? 6 : 3;

	if (strlen(a) < 3 || strlen(b) < 3)
		return false;
	a += length;
	b += length;
	if (is_digit(*a) || is_digit(*b))
		return false;
	if (is_swapped(a, b))
		return true;
	if (length + strlen(a) < least || length + strlen(b) < least)
		return false;
	return (*a && strcmp(a + 1, b) == 0) || (*b && strcmp(a, b + 1) == 0) ||
	       (*a && *b && strcmp(a + 1, b + 1) == 0);
}

/* One letter more or less, or two that have changed places, between a common beginning and a common end. */
static bool differs_inside(const char *a, const char *b)
{
	size_t length = common(a, b), least = 6;

	if (!length || (strlen(a) < least && strlen(b) < least))
		return false;
	a += length;
	b += length;
	if (!*a || !*b || is_digit(*a) || is_digit(*b))
		return false;
	return strcmp(a + 1, b) == 0 || strcmp(a, b + 1) == 0 || (is_swapped(a, b) && a[2]);
}

/* "pyton" for "python3", "entypoint" for "entrypoint.sh": for two differences, more must be the same than for one. */
static bool differs_in_both(const char *name, const char *wanted)
{
	char base[NAME_MAX + 1];

	const char *end = name + 1;

	while (*end && !is_suffix(end))
		end++;
	snprintf(base, sizeof(base), "%.*s", (int)(end - name), name);
	return *end && differs_inside(base, wanted);
}

static enum rank rank_of(const char *name, const char *wanted, bool dense)
{
	if (differs_in_case(name, wanted))
		return CASE;
	if (differs_in_suffix(name, wanted))
		return SUFFIX;
	if (has_other_name(name, wanted))
		return OTHER_NAME;
	if (is_version_of(name, wanted))
		return VERSION;
	if (differs_in_letter(name, wanted, dense))
		return LETTER;
	return differs_in_both(name, wanted) ? LETTER_AND_SUFFIX : UNLIKE;
}

/* --- the directory ------------------------------------------------------------------------------------------ */

/* A search for names that are like the wanted one: directory/wanted/rest. */
struct similar {
	struct ep_check *c;
	const char *directory, *rest; /* the directory ends in a slash, or is "" */
	char wanted[NAME_MAX + 1];
	bool dense;
	enum rank rank;
	bool ambiguous;
	char name[NAME_MAX + 1]; /* the best */
};

static bool is_there(const struct similar *similar, const char *name)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s%s%s", similar->directory, name, similar->rest);

	return length > 0 && length < (int)sizeof(path) && ep_is_file(similar->c, path);
}

static int compare(void *context, const char *name)
{
	struct similar *similar = context;
	enum rank rank = rank_of(name, similar->wanted, similar->dense);

	if (rank == UNLIKE || rank > similar->rank || strcmp(name, similar->name) == 0 || !is_there(similar, name))
		return 0;
	similar->ambiguous = rank == similar->rank;
	similar->rank = rank;
	snprintf(similar->name, sizeof(similar->name), "%s", name);
	return 0;
}

/* bin/, /usr/sbin/ */
static bool is_dense(const char *directory)
{
	size_t length = strlen(directory);

	return length >= 4 && strcmp(directory + length - 4, "bin/") == 0;
}

static void look_through(struct similar *similar, const char *directory)
{
	enum { ENTRIES = 8192 };

	similar->directory = directory;
	similar->dense = is_dense(directory);
	ep_list(similar->c, *directory ? directory : ".", ENTRIES, compare, similar);
	similar->directory = NULL;
}

static bool told(struct similar *similar, const char *directory)
{
	static const enum errpipe_detail details[] = {
		[CASE] = ERRPIPE_DETAIL_CASE,
		[SUFFIX] = ERRPIPE_DETAIL_SUFFIX,
		[OTHER_NAME] = ERRPIPE_DETAIL_OTHER_NAME,
		[VERSION] = ERRPIPE_DETAIL_VERSION,
		[LETTER] = ERRPIPE_DETAIL_LETTER,
		[LETTER_AND_SUFFIX] = ERRPIPE_DETAIL_LETTER,
	};

	bool is_python = strcmp(similar->wanted, "python") == 0 && strcmp(similar->name, "python3") == 0;

	return similar->rank != UNLIKE && !similar->ambiguous &&
	       near_miss(similar->c, is_python ? ERRPIPE_DETAIL_PYTHON_3 : details[similar->rank],
			 ep_keep(similar->c, "%s%s%s", directory, similar->name, similar->rest));
}

static bool hint_along_path(struct similar *similar, const char *search_path)
{
	enum { PLACES = 16 };
	bool has_own_cwd = similar->c->ex->cause == ERRPIPE_CAUSE_COMMAND_MISSING; /* by its option -C */
	struct ep_directory place = { .rest = search_path };
	char directory[PATH_MAX];

	similar->rest = "";
	for (int i = 0; i < PLACES && ep_next_directory(&place); i++) {
		if (place.length + 1 >= sizeof(directory) || (has_own_cwd && *place.name != '/'))
			continue;
		snprintf(directory, sizeof(directory), "%.*s%s", (int)place.length, place.name,
			 place.length ? "/" : "");
		look_through(similar, directory);
	}
	return told(similar, "");
}

/* The finding names the component that is missing. */
static bool hint_in_directory(struct similar *similar, const char *path, size_t missing)
{
	char directory[PATH_MAX];
	const char *slash;

	snprintf(directory, sizeof(directory), "%.*s", (int)missing, path);
	slash = strrchr(directory, '/');
	directory[slash ? slash + 1 - directory : 0] = '\0';
	similar->rest = path + missing;
	look_through(similar, directory);
	return told(similar, directory);
}

bool ep_hint_similar(struct ep_check *c, const struct errpipe_link *link)
{
	struct similar similar = { .c = c, .rank = UNLIKE };
	bool along_path = ep_is_searched(link->path, ep_searched(c));
	const char *subject = along_path || !c->ex->subject ? link->path : c->ex->subject, *name;
	size_t missing = strlen(subject);

	if (missing >= PATH_MAX || strncmp(link->path, subject, missing) != 0)
		return false;
	name = ep_last_name(subject);
	if (!*name || strlen(name) >= sizeof(similar.wanted))
		return false;
	strcpy(similar.wanted, name);
	return along_path ? c->ex->object && hint_along_path(&similar, c->ex->object)
			  : hint_in_directory(&similar, link->path, missing);
}

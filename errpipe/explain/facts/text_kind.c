/* SPDX-License-Identifier: MIT */
/* The kind of a text, from its beginning. */
#define _GNU_SOURCE
#include "explain/facts/span.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct ep_span skip_space(struct ep_span span)
{
	return ep_after(span, ep_while(span, " \t\r\n"));
}

/* After that word, or the same if it is missing. */
static struct ep_span skip_past(struct ep_span span, const char *word)
{
	for (struct ep_span rest = span; rest.size; rest = ep_after(rest, 1)) {
		if (ep_starts(rest, word))
			return skip_space(ep_after(rest, strlen(word)));
	}
	return span;
}

static struct ep_span line_of(struct ep_span text)
{
	struct ep_span line = text;

	ep_take_line(&text, &line);
	return line;
}

static struct ep_span second_line_of(struct ep_span text)
{
	struct ep_span line = { text.at, 0 };

	if (ep_take_line(&text, &line) && !ep_take_line(&text, &line))
		line.size = 0;
	return line;
}

/* https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md; hawser is its first name. */
static bool is_lfs_pointer(const struct ep_text *text)
{
	return ep_starts(text->all, "version https://git-lfs") || ep_starts(text->all, "version https://hawser");
}

/* RFC 7468; PGP and OpenSSH write their keys in the same form. */
static bool is_pem(const struct ep_text *text)
{
	return ep_starts(text->all, "-----BEGIN ") && ep_holds(ep_after(line_of(text->all), 11), "-----");
}

/* --- what web servers send ---------------------------------------------------------------------- */

static struct ep_span skip_xml_declaration(struct ep_span span)
{
	span = skip_space(span);
	return ep_starts(span, "<?xml ") ? skip_past(span, "?>") : span;
}

static bool is_tag(struct ep_span span, const char *tag)
{
	size_t length = strlen(tag);

	return ep_starts_caseless(span, tag) && length < span.size &&
	       ep_until(ep_after(span, length), " \t\r\n>") == 0;
}

static bool is_web_page(const struct ep_text *text)
{
	struct ep_span span = skip_xml_declaration(text->all);

	if (ep_starts(span, "<!--"))
		span = skip_past(span, "-->");
	return is_tag(span, "<!doctype html") || is_tag(span, "<html") || is_tag(span, "<head");
}

/* The answer of S3 and of the stores that imitate it. */
static bool is_xml_error(const struct ep_text *text)
{
	struct ep_span span = skip_xml_declaration(text->all);

	return is_tag(span, "<error") && ep_starts(skip_past(span, ">"), "<Code>");
}

static bool is_xml(const struct ep_text *text)
{
	return ep_starts(text->all, "<?xml ");
}

/* '\1' stands for a blank: no string of the library is a phrase that container tools take for an errno. */
static bool is_phrase(struct ep_span line, const char *phrase)
{
	size_t length = strlen(phrase);

	if (line.size != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (ep_lower(line.at[i]) != (phrase[i] == '\1' ? ' ' : phrase[i]))
			return false;
	}
	return true;
}

static bool is_reason(struct ep_span line)
{
	static const char *const reasons[] = {
		"not\1found",
		"forbidden",
		"unauthorized",
		"bad\1request",
		"bad\1gateway",
		"access\1denied",
		"bad\1credentials",
		"gateway\1timeout",
		"too\1many\1requests",
		"service\1unavailable",
		"internal\1server\1error",
	};

	for (size_t i = 0; i < COUNT(reasons); i++) {
		if (is_phrase(line, reasons[i]))
			return true;
	}
	return false;
}

/* "404: Not ...", "503 Service Temporarily Unavailable": words after a status of an error. */
static bool has_status(struct ep_span line)
{
	struct ep_span words = ep_after(line, 3);

	if ((ep_byte(line, 0) != '4' && ep_byte(line, 0) != '5') || !ep_is_digit(ep_byte(line, 1)) ||
	    !ep_is_digit(ep_byte(line, 2)))
		return false;
	words = ep_after(words, ep_while(words, ": "));
	if (words.size + 3 == line.size || words.size < 4)
		return false;
	for (size_t i = 0; i < words.size; i++) {
		if (!ep_is_letter(words.at[i]) && !strchr(" .-", words.at[i]))
			return false;
	}
	return true;
}

enum { STATUS_LINE_MAX = 80 };

static bool is_http_error(const struct ep_text *text)
{
	struct ep_span line = ep_trim(text->all);

	if (ep_starts(line, "HTTP/") && ep_is_digit(ep_byte(line, 5)))
		return ep_holds(line_of(line), " 4") || ep_holds(line_of(line), " 5");
	if (!text->whole || line.size > STATUS_LINE_MAX || memchr(line.at, '\n', line.size) ||
	    memchr(line.at, '\0', line.size))
		return false;
	return has_status(line) || is_reason(line);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

/* Take a string in quotes. Returns false if the string does not end. */
static bool take_string(struct ep_span *rest, struct ep_span *string)
{
	size_t i = 1;

	if (ep_byte(*rest, 0) != '"')
		return false;
	while (i < rest->size && rest->at[i] != '"' && rest->at[i] != '\n')
		i += rest->at[i] == '\\' ? 2 : 1;
	if (ep_byte(*rest, i) != '"')
		return false;
	*string = (struct ep_span){ rest->at + 1, i - 1 };
	*rest = skip_space(ep_after(*rest, i + 1));
	return true;
}

/* The first key of an object, and what follows its colon. A shell's block has a command there. */
static bool take_key(struct ep_span *rest, struct ep_span *key)
{
	if (ep_byte(*rest, 0) != '{')
		return false;
	*rest = skip_space(ep_after(*rest, 1));
	if (!take_string(rest, key) || ep_byte(*rest, 0) != ':')
		return false;
	*rest = skip_space(ep_after(*rest, 1));
	return true;
}

/* A shell's test has an operator after its first word. */
static bool is_array(struct ep_span rest)
{
	struct ep_span item;

	if (ep_byte(rest, 0) != '[')
		return false;
	rest = skip_space(ep_after(rest, 1));
	return take_key(&rest, &item) || (take_string(&rest, &item) && ep_byte(rest, 0) == ',');
}

static bool is_json(const struct ep_text *text)
{
	struct ep_span rest = skip_space(text->all), key, all = ep_trim(text->all);

	return is_array(rest) || take_key(&rest, &key) || ep_equals(all, "{}") || ep_equals(all, "[]");
}

/* A number of HTTP's, in quotes or not. */
static bool is_status(struct ep_span value)
{
	if (ep_byte(value, 0) == '"')
		value = ep_after(value, 1);
	return (ep_byte(value, 0) == '4' || ep_byte(value, 0) == '5') && ep_is_digit(ep_byte(value, 1)) &&
	       ep_is_digit(ep_byte(value, 2)) && ep_until(ep_after(value, 3), ",}\" \r\n") == 0;
}

enum { ANSWER_MAX = 2048 };

/* The answer of a download service that fails: one short object, whose first key describes the failure. */
static bool is_json_error(const struct ep_text *text)
{
	static const char *const keys[] = { "message", "error", "errors", "detail", "title", "errorMessage" };
	static const char *const numbers[] = { "status", "code", "statusCode", "status_code", "errorCode" };
	struct ep_span rest = skip_space(text->all), key;
	bool is = false;

	if (!text->whole || text->all.size > ANSWER_MAX || !take_key(&rest, &key))
		return false;
	for (size_t i = 0; i < COUNT(keys); i++)
		is = is || ep_equals(key, keys[i]);
	for (size_t i = 0; i < COUNT(numbers); i++)
		is = is || (ep_equals(key, numbers[i]) && is_status(rest));
	return is;
}

/* --- other data ----------------------------------------------------------------------------------- */

/* diff(1) is also a command, so the second line counts as well. */
static bool is_diff(const struct ep_text *text)
{
	static const struct {
		const char *first, *second;
	} heads[] = {
		{ "--- ", "+++ " },
		{ "*** ", "--- " },
		{ "Index: ", "=====" },
		{ "diff --git ", "index " },
		{ "diff --git ", "new file mode " },
		{ "diff --git ", "deleted file mode " },
		{ "diff --git ", "old mode " },
		{ "diff --git ", "similarity index " },
		{ "diff -", "--- " },
	};
	struct ep_span second = second_line_of(text->all);

	/* git format-patch writes this date always. */
	if (ep_starts(text->all, "From ") && ep_holds(line_of(text->all), " Mon Sep 17 00:00:00 2001"))
		return true;
	for (size_t i = 0; i < COUNT(heads); i++) {
		if (ep_starts(text->all, heads[i].first) && ep_starts(second, heads[i].second))
			return true;
	}
	return false;
}

static bool is_batch(const struct ep_text *text)
{
	static const char *const starts[] = { "@echo off", "@echo on", "@setlocal", "@rem ", "@if ", "@set " };
	static const char *const words[] = { "rem ", "echo", "set", "::", "call ", "cd ", "start ", "if " };
	struct ep_span code = skip_space(text->all);
	bool is = false, named = ep_has_ending(text->path, ".bat") || ep_has_ending(text->path, ".cmd");

	for (size_t i = 0; i < COUNT(starts); i++)
		is = is || ep_starts_caseless(code, starts[i]);
	for (size_t i = 0; named && i < COUNT(words); i++)
		is = is || ep_starts_caseless(code, words[i]);
	return is;
}

/* "key: value", "key:" or "- item" */
static bool is_yaml_line(struct ep_span line)
{
	size_t length = 0;

	if (ep_starts(line, "- "))
		return true;
	while (ep_is_name(ep_byte(line, length)) ||
	       (length && ep_byte(line, length) && strchr("-./", line.at[length])))
		length++;
	line = ep_after(line, length);
	return length && ep_byte(line, 0) == ':' && (line.size == 1 || ep_is_blank(line.at[1]));
}

enum { YAML_LINES = 8 };

/* All of the first lines, and two of them at least, or one with another sign. */
static bool is_yaml(const struct ep_text *text)
{
	struct ep_span rest = text->all, line;
	unsigned signs = ep_has_ending(text->path, ".yml") || ep_has_ending(text->path, ".yaml"), lines = 0;

	if (ep_starts(rest, "%YAML "))
		return true;
	for (int i = 0; i < YAML_LINES && ep_take_line(&rest, &line); i++) {
		if (!ep_trim(line).size || ep_byte(line, 0) == '#')
			continue;
		if (ep_equals(ep_trim(line), "---") && !lines)
			signs++;
		else if (is_yaml_line(line))
			lines++;
		else if (!lines || !ep_is_blank(*line.at))
			return false;
	}
	return lines && signs + lines >= 2;
}

static bool is_base64_byte(char c)
{
	return ep_is_letter(c) || ep_is_digit(c) || c == '+' || c == '/' || c == '=';
}

static bool is_base64_line(struct ep_span line)
{
	for (size_t i = 0; i < line.size; i++) {
		if (!is_base64_byte(line.at[i]))
			return false;
	}
	return line.size;
}

/* The beginnings of ELF, "#!/", gzip, zip, xz, and of PE with its usual next byte. */
static bool begins_like_a_file(struct ep_span text)
{
	static const char *const starts[] = { "f0VMR", "IyEv", "H4sI", "UEsDB", "/Td6W", "TVqQ" };

	for (size_t i = 0; i < COUNT(starts); i++) {
		if (ep_starts(text, starts[i]))
			return true;
	}
	return false;
}

enum { BASE64_MIN = 32, MIME_LINE = 76, PEM_LINE = 64 };

/* No other byte, and either the beginning of a file, or lines as long as encoders make them. */
static bool is_base64(const struct ep_text *text)
{
	struct ep_span rest = text->all, line, first = line_of(text->all);
	size_t lines = 0;

	if (ep_trim(rest).size < BASE64_MIN)
		return false;
	while (ep_take_line(&rest, &line)) {
		if (!is_base64_line(line) || line.size > first.size || (line.size < first.size && rest.size))
			return false;
		lines++;
	}
	return begins_like_a_file(text->all) || (lines > 1 && (first.size == MIME_LINE || first.size == PEM_LINE));
}

enum errpipe_content ep_text_content(const struct ep_text *text)
{
	static const struct {
		bool (*is)(const struct ep_text *text);
		enum errpipe_content content;
	} kinds[] = {
		{ is_lfs_pointer, ERRPIPE_CONTENT_GIT_LFS_POINTER },
		{ is_pem, ERRPIPE_CONTENT_PEM },
		{ is_web_page, ERRPIPE_CONTENT_WEB_PAGE },
		{ is_xml_error, ERRPIPE_CONTENT_XML_ERROR },
		{ is_xml, ERRPIPE_CONTENT_XML },
		{ is_http_error, ERRPIPE_CONTENT_HTTP_ERROR },
		{ is_json_error, ERRPIPE_CONTENT_JSON_ERROR },
		{ is_json, ERRPIPE_CONTENT_JSON },
		{ is_diff, ERRPIPE_CONTENT_DIFF },
		{ is_batch, ERRPIPE_CONTENT_BATCH_FILE },
	};
	enum errpipe_content language;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].is(text))
			return kinds[i].content;
	}
	language = ep_language(text);
	if (language)
		return language;
	if (is_base64(text))
		return ERRPIPE_CONTENT_BASE64;
	if (is_yaml(text))
		return ERRPIPE_CONTENT_YAML;
	return ep_is_shell(text) ? ERRPIPE_CONTENT_UNKNOWN : ERRPIPE_CONTENT_PLAIN_TEXT;
}

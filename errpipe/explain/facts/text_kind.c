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

/* RFC 7468; OpenSSH writes its keys in the same form. */
static bool is_pem(const struct ep_text *text)
{
	return ep_starts(text->all, "-----BEGIN ") && ep_holds(ep_after(line_of(text->all), 11), "-----");
}

/* openssl pkcs12 and openssl s_client write lines before it. */
static bool is_pem_with_words(const struct ep_text *text)
{
	static const char *const starts[] = { "Bag Attributes", "subject=", "Certificate:", "Certificate chain" };

	for (size_t i = 0; i < COUNT(starts); i++) {
		if (ep_starts(text->all, starts[i]))
			return ep_holds(text->all, "\n-----BEGIN ");
	}
	return false;
}

/* Nothing else begins like this. git-media and hawser are earlier names of Git LFS. */
static enum errpipe_content by_beginning(const struct ep_text *text)
{
	static const struct {
		const char *beginning;
		enum errpipe_content content;
	} beginnings[] = {
		{ "version https://git-lfs", ERRPIPE_CONTENT_GIT_LFS_POINTER },
		{ "version https://hawser", ERRPIPE_CONTENT_GIT_LFS_POINTER },
		{ "version http://git-media.io/", ERRPIPE_CONTENT_GIT_LFS_POINTER },
		{ "/annex/objects/", ERRPIPE_CONTENT_GIT_ANNEX_POINTER },
		{ "<<<<<<< ", ERRPIPE_CONTENT_MERGE_CONFLICT },
		{ "$ANSIBLE_VAULT;", ERRPIPE_CONTENT_ANSIBLE_VAULT },
		{ "age-encryption.org/v1", ERRPIPE_CONTENT_AGE },
		{ "-----BEGIN AGE ENCRYPTED FILE-----", ERRPIPE_CONTENT_AGE },
		{ "-----BEGIN PGP MESSAGE-----", ERRPIPE_CONTENT_PGP_MESSAGE },
		{ "-----BEGIN PGP SIGNED MESSAGE-----", ERRPIPE_CONTENT_PGP_MESSAGE },
		{ "ssh-rsa AAAA", ERRPIPE_CONTENT_SSH_KEY },
		{ "ssh-ed25519 AAAA", ERRPIPE_CONTENT_SSH_KEY },
		{ "ecdsa-sha2-nistp256 AAAA", ERRPIPE_CONTENT_SSH_KEY },
		{ "#cloud-config\n", ERRPIPE_CONTENT_YAML },
		{ "PuTTY-User-Key-File-", ERRPIPE_CONTENT_PEM },
		{ "%PDF-", ERRPIPE_CONTENT_DOCUMENT },
		{ "%!PS-Adobe", ERRPIPE_CONTENT_DOCUMENT },
		{ "{\\rtf1", ERRPIPE_CONTENT_DOCUMENT },
	};

	for (size_t i = 0; i < COUNT(beginnings); i++) {
		if (ep_starts(text->all, beginnings[i].beginning))
			return beginnings[i].content;
	}
	return is_pem(text) ? ERRPIPE_CONTENT_PEM : ERRPIPE_CONTENT_UNKNOWN;
}

/* All three markers, each at the beginning of a line. */
static bool is_merge_conflict(const struct ep_text *text)
{
	static const char *const markers[] = { "<<<<<<< ", "=======", ">>>>>>> " };
	struct ep_span rest = text->all, line;
	size_t found = 0;

	while (found < COUNT(markers) && ep_take_line(&rest, &line))
		found += ep_starts(line, markers[found]);
	return found == COUNT(markers);
}

/* A symbolic link of git-annex that was checked out as text. */
static bool is_annex_link(const struct ep_text *text)
{
	return ep_starts(text->all, "../") && ep_holds(line_of(text->all), ".git/annex/objects/");
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
	       ep_until(ep_after(span, length), " \t\r\n>=") == 0;
}

enum { COMMENTS_MAX = 8 };

/* A redirection by Go's and other servers begins with the link or the heading. A PHP file can begin with HTML tags. */
static bool is_web_page(const struct ep_text *text)
{
	static const char *const tags[] = { "<!doctype html", "<html",	"<head", "<title",  "<body",  "<meta",
					    "<script",	      "<style", "<h1",	 "<center", "<a href" };
	struct ep_span span = skip_xml_declaration(text->all);

	for (int i = 0; i < COMMENTS_MAX && ep_starts(span, "<!--"); i++)
		span = skip_past(span, "-->");
	for (size_t i = 0; i < COUNT(tags); i++) {
		if (is_tag(span, tags[i]))
			return !ep_holds(span, "<?php");
	}
	return false;
}

/* The answer of S3 and of the stores that imitate it. */
static bool is_xml_error(const struct ep_text *text)
{
	struct ep_span span = skip_xml_declaration(text->all);

	return is_tag(span, "<error") && ep_starts(skip_past(span, ">"), "<Code>");
}

static bool has_end_tag(struct ep_span text, struct ep_span name)
{
	for (; text.size; text = ep_after(text, 1)) {
		if (ep_starts(text, "</") && text.size > name.size + 2 &&
		    memcmp(text.at + 2, name.at, name.size) == 0 && text.at[name.size + 2] == '>')
			return true;
	}
	return false;
}

/* A declaration, or an element with its end tag. Without that, it could be a redirection: "<input sort". */
static bool is_xml(const struct ep_text *text)
{
	struct ep_span name = ep_after(text->all, 1);

	name.size = ep_until(name, " \t\r\n>");
	if (ep_starts(text->all, "<?xml "))
		return true;
	return ep_starts(text->all, "<") && ep_is_letter(ep_byte(name, 0)) && has_end_tag(text->all, name);
}

/* '\1' stands for a blank: no string of the library is a phrase that container tools take for an errno. */
static bool starts_phrase(struct ep_span line, const char *phrase)
{
	size_t length = strlen(phrase);

	if (line.size < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (ep_lower(line.at[i]) != (phrase[i] == '\1' ? ' ' : phrase[i]))
			return false;
	}
	return true;
}

/* A whole answer, without quotes and a full stop. */
static bool is_reason(struct ep_span line)
{
	static const char *const reasons[] = {
		"not\1found",
		"file\1not\1found",
		"page\1not\1found",
		"repository\1not\1found",
		"error:\1not\1found",
		"forbidden",
		"unauthorized",
		"bad\1request",
		"bad\1gateway",
		"access\1denied",
		"accessdenied",
		"bad\1credentials",
		"gateway\1timeout",
		"too\1many\1requests",
		"rate\1limit\1exceeded",
		"service\1unavailable",
		"no\1healthy\1upstream",
		"internal\1server\1error",
		"the\1specified\1key\1does\1not\1exist",
	};

	if (ep_byte(line, 0) == '"')
		line = (struct ep_span){ line.at + 1, line.size - (line.size > 1 ? 2 : 1) };
	if (line.size && line.at[line.size - 1] == '.')
		line.size--;
	for (size_t i = 0; i < COUNT(reasons); i++) {
		if (line.size == strlen(reasons[i]) && starts_phrase(line, reasons[i]))
			return true;
	}
	return false;
}

/* The beginnings of longer answers. The first two come from redirections that were not followed. */
static bool starts_like_answer(struct ep_span line)
{
	static const char *const starts[] = {
		"moved\1permanently",
		"found.\1redirecting\1to",
		"upstream\1connect\1error\1or",
		"error\1code:\1",
		"default\1backend\1-\1",
		"curl:\1(",
		"wget:\1",
		"access\1to\1this\1resource",
	};

	for (size_t i = 0; i < COUNT(starts); i++) {
		if (starts_phrase(line, starts[i]))
			return true;
	}
	return false;
}

/* "404: Not ...", "503 Service Temporarily Unavailable", "404": the status of an error, and words. */
static bool has_status(struct ep_span line)
{
	struct ep_span words = ep_after(line, 3);

	if ((ep_byte(line, 0) != '4' && ep_byte(line, 0) != '5') || !ep_is_digit(ep_byte(line, 1)) ||
	    !ep_is_digit(ep_byte(line, 2)))
		return false;
	if (line.size == 3)
		return true;
	words = ep_after(words, ep_while(words, ": "));
	if (words.size + 3 == line.size || words.size < 4)
		return false;
	for (size_t i = 0; i < words.size; i++) {
		if (!ep_is_letter(words.at[i]) && !strchr(" .-", words.at[i]))
			return false;
	}
	return true;
}

enum { ANSWER_LINE_MAX = 200 };

static bool is_http_error(const struct ep_text *text)
{
	struct ep_span line = ep_trim(text->all);

	if (ep_starts(line, "HTTP/") && ep_is_digit(ep_byte(line, 5)))
		return ep_holds(line_of(line), " 4") || ep_holds(line_of(line), " 5");
	if (!text->whole || line.size > ANSWER_LINE_MAX || memchr(line.at, '\n', line.size) ||
	    memchr(line.at, '\0', line.size))
		return false;
	return has_status(line) || is_reason(line) || starts_like_answer(line);
}

/* "HTTP/1.1 200 OK", "HTTP/2 302": the status line, and a header. */
static bool is_http_response(const struct ep_text *text)
{
	struct ep_span line = line_of(text->all);

	return ep_starts(line, "HTTP/") && ep_is_digit(ep_byte(line, 5)) && ep_holds(line, " ") &&
	       ep_holds(second_line_of(text->all), ": ");
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

/* The meaning of a key of an answer. Each of these two is a sign, and WORDS as the first key are enough. */
enum sign { NO_SIGN = 0, WORDS = 1, STATUS = 2, FLAG = 4 };

static enum sign sign_of(struct ep_span key, struct ep_span value)
{
	static const struct {
		const char *key;
		enum sign sign;
	} keys[] = {
		{ "message", WORDS },
		{ "error", WORDS },
		{ "errors", WORDS },
		{ "errorMessage", WORDS },
		{ "msg", WORDS },
		{ "fault", WORDS },
		{ "detail", WORDS },
		{ "title", WORDS },
		{ "status", STATUS },
		{ "code", STATUS },
		{ "error_code", STATUS },
		{ "statusCode", STATUS },
		{ "status_code", STATUS },
		{ "errorCode", STATUS },
		{ "success", FLAG },
		{ "ok", FLAG },
		{ "documentation_url", FLAG },
	};

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!ep_equals(key, keys[i].key))
			continue;
		if (keys[i].sign == STATUS && !is_status(value))
			return NO_SIGN;
		if (keys[i].sign == FLAG && !ep_starts(value, "false") && !ep_starts(value, "\"http"))
			return NO_SIGN;
		return keys[i].sign;
	}
	return NO_SIGN;
}

/* Other files also have titles and details. */
static bool begins_with_failure(struct ep_span key, struct ep_span value)
{
	return sign_of(key, value) == STATUS ||
	       (sign_of(key, value) == WORDS && !ep_equals(key, "title") && !ep_equals(key, "detail"));
}

enum { ANSWER_MAX = 2048 };

/* The answer of a download service that fails: one short object. */
static bool is_json_error(const struct ep_text *text)
{
	struct ep_span rest = skip_space(text->all), key;
	unsigned signs = 0;

	if (!text->whole || text->all.size > ANSWER_MAX || !take_key(&rest, &key))
		return false;
	if (begins_with_failure(key, rest))
		return true;
	signs = sign_of(key, rest);
	while (rest.size) {
		rest = ep_after(rest, ep_until(rest, "\""));
		if (!take_string(&rest, &key))
			rest = ep_after(rest, 1);
		else if (ep_byte(rest, 0) == ':')
			signs |= sign_of(key, skip_space(ep_after(rest, 1)));
	}
	return signs & (signs - 1);
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
		{ "*** Begin Patch", "*** " },
	};
	struct ep_span code = ep_skip_comments(text->all), second = second_line_of(code);

	/* git format-patch writes this date always. */
	if (ep_starts(text->all, "From ") && ep_holds(line_of(text->all), " Mon Sep 17 00:00:00 2001"))
		return true;
	for (size_t i = 0; i < COUNT(heads); i++) {
		if (ep_starts(code, heads[i].first) && ep_starts(second, heads[i].second))
			return true;
	}
	return false;
}

/* A comment, and a command or the ends of lines that these files have. */
static bool has_comment_of_batch(struct ep_span code)
{
	return (ep_starts_caseless(code, "rem ") || ep_starts(code, "::")) &&
	       (ep_holds(code, "\n@echo off") || ep_holds(code, "\n@ECHO OFF") || ep_holds(code, "\r\n"));
}

static bool is_batch(const struct ep_text *text)
{
	static const char *const starts[] = { "@echo off", "@echo on", "@setlocal", "@rem ", "@if ", "@set " };
	static const char *const words[] = { "rem ", "echo", "set", "::", "call ", "cd ", "start ", "if " };
	struct ep_span code = skip_space(text->all);
	bool is = has_comment_of_batch(code),
	     named = ep_has_ending(text->path, ".bat") || ep_has_ending(text->path, ".cmd");

	for (size_t i = 0; i < COUNT(starts); i++)
		is = is || ep_starts_caseless(code, starts[i]);
	for (size_t i = 0; named && i < COUNT(words); i++)
		is = is || ep_starts_caseless(code, words[i]);
	return is || (named && !ep_is_shell(text));
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

/* --- bytes as text -------------------------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdefABCDEF";

/* "7f45 4c46", "7f 45": two or four digits in each of the first two groups. */
static bool is_hex_bytes(struct ep_span line)
{
	size_t first = ep_while(line, hex_digits), second;

	if (first != 2 && first != 4)
		return false;
	line = ep_after(line, first);
	second = ep_while(ep_after(line, 1), hex_digits);
	return ep_byte(line, 0) == ' ' && (second == first || (second && second < first));
}

/* The first line of xxd, "00000000: 7f45 4c46", and of hexdump -C, "00000000  7f 45". */
static bool is_hex_dump(const struct ep_text *text)
{
	struct ep_span line = line_of(text->all), bytes = ep_after(line, 9);

	if (!ep_starts(line, "00000000"))
		return false;
	return (ep_byte(line, 8) == ':' || ep_byte(line, 8) == ' ') && ep_byte(bytes, 0) == ' ' &&
	       is_hex_bytes(ep_trim(bytes));
}

/* The first byte of each line stands for the number of its bytes, and four characters for three bytes. */
static bool is_uuencoded_line(struct ep_span line)
{
	size_t count = (ep_byte(line, 0) - ' ') & 0x3f;

	return line.size > 1 && line.size - 1 == (count + 2) / 3 * 4;
}

/* "begin 755 name", and a line of data or the end. */
static bool is_uuencoded(const struct ep_text *text)
{
	struct ep_span line = line_of(text->all), rest = ep_after(line, ep_until(line, " ") + 1);
	size_t digits = ep_while(rest, "01234567");

	return (ep_starts(line, "begin ") || ep_starts(line, "begin-base64 ")) && (digits == 3 || digits == 4) &&
	       ep_byte(rest, digits) == ' ' && rest.size > digits + 1 &&
	       (is_uuencoded_line(second_line_of(text->all)) || ep_holds(text->all, "\nend\n") ||
		ep_holds(text->all, "\n====\n"));
}

/* User data of cloud-init, or a mail. */
static bool is_mime(const struct ep_text *text)
{
	return (ep_starts_caseless(text->all, "content-type: multipart/") && ep_holds(text->all, "boundary=")) ||
	       (ep_starts_caseless(text->all, "mime-version: ") && ep_holds(text->all, "\nContent-Type: "));
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

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Does the first line stand for text? By chance, hardly any word does. */
static bool stands_for_text(struct ep_span line)
{
	uint32_t bits = 0;

	if (line.size % 4)
		return false;
	for (size_t i = 0; i < line.size && base64_value(line.at[i]) >= 0; i++) {
		unsigned char byte;

		bits = bits << 6 | (uint32_t)base64_value(line.at[i]);
		byte = bits >> (6 - 2 * (i % 4)) & 0xff;
		if (i % 4 && byte != '\n' && byte != '\t' && byte != '\r' && (byte < ' ' || byte > '~'))
			return false;
	}
	return true;
}

enum { BASE64_MIN = 32, FILE_MIN = 16, MIME_LINE = 76, PEM_LINE = 64 };

/* No other byte, and either the beginning of a file, text, or lines as long as encoders make them. */
static bool is_base64(const struct ep_text *text)
{
	struct ep_span rest = text->all, line, first = line_of(text->all);
	size_t lines = 0;

	if (ep_trim(rest).size < (begins_like_a_file(rest) && stands_for_text(first) ? FILE_MIN : BASE64_MIN))
		return false;
	while (ep_take_line(&rest, &line)) {
		if (!is_base64_line(line) || line.size > first.size || (line.size < first.size && rest.size))
			return false;
		lines++;
	}
	return begins_like_a_file(text->all) || stands_for_text(first) ||
	       (lines > 1 && (first.size == MIME_LINE || first.size == PEM_LINE));
}

/* "<digest>  <name>", as sha256sum(1) and the like write it, or "SHA256 (name) = <digest>". */
static bool is_checksum(struct ep_span line)
{
	static const size_t digits[] = { 32, 40, 56, 64, 96, 128 };
	size_t length = ep_while(line, "0123456789abcdefABCDEF");
	struct ep_span name = ep_after(line, length);

	if (ep_starts(line, "SHA256 (") || ep_starts(line, "SHA512 (") || ep_starts(line, "MD5 ("))
		return ep_holds(line, ") = ");
	for (size_t i = 0; i < COUNT(digits); i++) {
		if (length == digits[i])
			return (ep_starts(name, "  ") || ep_starts(name, " *")) && name.size > 2;
	}
	return false;
}

static bool is_checksums(const struct ep_text *text)
{
	struct ep_span rest = text->all, line;

	if (!is_checksum(line_of(text->all)))
		return false;
	while (ep_take_line(&rest, &line)) {
		/* The last line may be cut off. */
		if (!is_checksum(line) && (text->whole || rest.size))
			return false;
	}
	return true;
}

/* libtool writes it with the first line "# libfoo.la - a libtool library file". */
static bool is_libtool(const struct ep_text *text)
{
	struct ep_span line = line_of(text->all);

	return ep_starts(line, "# ") && ep_holds(line, ".la - a libtool library file");
}

enum errpipe_content ep_text_content(const struct ep_text *text)
{
	static const struct {
		bool (*is)(const struct ep_text *text);
		enum errpipe_content content;
	} kinds[] = {
		{ is_libtool, ERRPIPE_CONTENT_LIBTOOL_LIBRARY },
		{ is_annex_link, ERRPIPE_CONTENT_GIT_ANNEX_POINTER },
		{ is_pem_with_words, ERRPIPE_CONTENT_PEM },
		{ is_hex_dump, ERRPIPE_CONTENT_HEX_DUMP },
		{ is_uuencoded, ERRPIPE_CONTENT_UUENCODED },
		{ is_mime, ERRPIPE_CONTENT_MIME },
		{ is_merge_conflict, ERRPIPE_CONTENT_MERGE_CONFLICT },
		{ is_web_page, ERRPIPE_CONTENT_WEB_PAGE },
		{ is_xml_error, ERRPIPE_CONTENT_XML_ERROR },
		{ is_xml, ERRPIPE_CONTENT_XML },
		{ is_http_error, ERRPIPE_CONTENT_HTTP_ERROR },
		{ is_http_response, ERRPIPE_CONTENT_HTTP_RESPONSE },
		{ is_json_error, ERRPIPE_CONTENT_JSON_ERROR },
		{ is_json, ERRPIPE_CONTENT_JSON },
		{ is_diff, ERRPIPE_CONTENT_DIFF },
		{ is_batch, ERRPIPE_CONTENT_BATCH_FILE },
		{ is_checksums, ERRPIPE_CONTENT_CHECKSUMS },
	};
	enum errpipe_content content = by_beginning(text);

	for (size_t i = 0; !content && i < COUNT(kinds); i++) {
		if (kinds[i].is(text))
			content = kinds[i].content;
	}
	if (!content)
		content = ep_named_content(text);
	if (!content)
		content = ep_language(text);
	if (content)
		return content;
	if (is_base64(text))
		return ERRPIPE_CONTENT_BASE64;
	if (is_yaml(text))
		return ERRPIPE_CONTENT_YAML;
	return ep_is_shell(text) ? ERRPIPE_CONTENT_UNKNOWN : ERRPIPE_CONTENT_PLAIN_TEXT;
}

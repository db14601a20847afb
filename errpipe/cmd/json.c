/* SPDX-License-Identifier: MIT */
/* Writing JSON, by jansson. */
#include <errno.h>

#include "cmd.h"

bool json_is_there(void)
{
#ifdef HAVE_JANSSON
	return true;
#else
	own_failure(0, "built without JSON support: install jansson and build errpipe again");
	return false;
#endif
}

#ifdef HAVE_JANSSON
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 character at p (RFC 3629), or 0. */
static size_t utf8_length(const char *p)
{
	for (size_t length = 1; length <= 4; length++) {
		json_t *string;

		if (length > 1 && !p[length - 1])
			return 0;
		string = json_stringn(p, length); /* NULL if it is not UTF-8 */
		json_decref(string);
		if (string)
			return length;
	}
	return 0;
}

json_t *json_text(const char *bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *valid = malloc(3 * strlen(bytes) + 1), *end = valid;
	json_t *string;

	if (!valid)
		return NULL;
	while (*bytes) {
		size_t length = utf8_length(bytes);

		memcpy(end, length ? bytes : replacement, length ? length : 3);
		end += length ? length : 3;
		bytes += length ? length : 1;
	}
	string = json_stringn(valid, end - valid);
	free(valid);
	return string;
}

json_t *string_or_null(const char *string)
{
	return string ? json_string(string) : json_null();
}

json_t *text_or_null(const char *bytes)
{
	return bytes ? json_text(bytes) : json_null();
}

json_t *integer_or_null(bool known, json_int_t value)
{
	return known ? json_integer(value) : json_null();
}

void json_add(json_t **object, const char *key, json_t *value)
{
	if (*object && json_object_set_new(*object, key, value) == 0)
		return;
	if (!*object)
		json_decref(value);
	json_decref(*object);
	*object = NULL;
}

/* U+007F to U+009F: JSON allows these control characters (RFC 8259, section 7), but a terminal obeys them. */
static int put_harmless(FILE *to, const char *json)
{
	const unsigned char *p = (const unsigned char *)json;
	int ret = 0;

	for (; *p && ret >= 0; p++) {
		if (*p == 0x7f)
			ret = fputs("\\u007f", to);
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			ret = fprintf(to, "\\u%04x", *++p);
		else
			ret = fputc(*p, to);
	}
	return ret;
}

int json_print(FILE *to, json_t *object)
{
	char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int ret = 0;

	json_decref(object);
	if (!json)
		return -ENOMEM;
	errno = EIO;
	if (put_harmless(to, json) < 0 || fputc('\n', to) == EOF || fflush(to) == EOF)
		ret = -errno;
	free(json);
	return ret;
}

#endif

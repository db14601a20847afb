/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include "json_values.h"

static char *file_name; /* escaped */

static void name_file(const char *name)
{
	free(file_name);
	file_name = escaped(name);
	if (!file_name)
		exit(own_failure(ENOMEM, "cannot read a file"));
}

int refused(const struct object *object, const char *key, const char *why)
{
	own_failure(0, "%s: %s%s %s", file_name, object->prefix, key, why);
	return -1;
}

int wrong(const struct object *object, const char *key, const char *want)
{
	own_failure(0, "%s: %s%s is not %s", file_name, object->prefix, key, want);
	return -1;
}

int too_long(const struct object *object, const char *key)
{
	return refused(object, key, "has too many entries");
}

int required(int ret, const struct object *object, const char *key)
{
	return ret == 0 ? refused(object, key, "is missing") : ret;
}

int unknown(const struct object *object, const char *key, const char *value)
{
	char *words = quoted(value);

	own_failure(0, "%s: errpipe cannot set %s%s to %s", file_name, object->prefix, key, words ? words : "that");
	free(words);
	return -1;
}

int check_members(const struct object *object, const char *const *members)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object->json, key, value)
	{
		const char *const *known = members;
		char *words;

		while (*known && strcmp(*known, key) != 0)
			known++;
		if (*known || json_is_null(value))
			continue;
		words = escaped(key);
		own_failure(0, "%s: errpipe cannot set %s%s", file_name, object->prefix, words ? words : "");
		free(words);
		return -1;
	}
	return 0;
}

int no_memory(void)
{
	own_failure(ENOMEM, "cannot read %s", file_name);
	return -1;
}

/* Trap: jansson 2.14 reads from a string that it could not allocate. */
static void *allocate_or_exit(size_t size)
{
	void *memory = malloc(size);

	if (!memory) {
		no_memory();
		exit(EXIT_OWN);
	}
	return memory;
}

/* "No limit" is 2^64 - 1, or a larger integer: jq 1.6 rounds it up. */
static bool is_unlimited(const char *number, size_t length)
{
	static const char unlimited[] = "18446744073709551615";
	size_t digits = strlen(unlimited);

	if (length < digits || *number == '0' || strspn(number, "0123456789") != length)
		return false;
	return length > digits || memcmp(number, unlimited, digits) >= 0;
}

/* jansson's integers end at 2^63 - 1. Write "no limit" as a real, which has no other use here. */
static void mark_unlimited(char *text, size_t size)
{
	static const char mark[] = "18446744073709552e3";
	bool in_string = false;

	for (char *p = text; p < text + size; p++) {
		size_t length = in_string ? 0 : strspn(p, "+-.0123456789Ee");

		if (is_unlimited(p, length)) {
			memset(p, ' ', length);
			memcpy(p, mark, sizeof(mark) - 1);
		}
		if (length)
			p += length - 1;
		else if (*p == '"')
			in_string = !in_string;
		else if (in_string && *p == '\\')
			p++;
	}
}

json_t *json_parse(const char *file, char *text, size_t size, size_t flags)
{
	json_error_t error;
	json_t *object;
	char *words;

	name_file(file);
	json_set_alloc_funcs(allocate_or_exit, free);
	mark_unlimited(text, size);
	object = json_loadb(text, size, flags, &error);
	if (json_is_object(object))
		return object;
	if (object) {
		own_failure(0, "%s: the file is not an object", file_name);
		json_decref(object);
		return NULL;
	}
	words = escaped(error.text);
	own_failure(0, "%s: line %d: %s", file_name, error.line, words ? words : "invalid JSON");
	free(words);
	return NULL;
}

/* null counts as missing. */
static json_t *value_of(const struct object *object, const char *key)
{
	json_t *value = json_object_get(object->json, key);

	return json_is_null(value) ? NULL : value;
}

/* The names in the source are far shorter than the room for them. */
__attribute__((format(printf, 2, 3))) static void set_prefix(struct object *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(object->prefix, sizeof(object->prefix), format, args);
	va_end(args);
}

int get_object(const struct object *object, const char *key, struct object *value)
{
	value->json = value_of(object, key);
	set_prefix(value, "%s%s.", object->prefix, key);
	if (!value->json)
		return 0;
	return json_is_object(value->json) ? 1 : wrong(object, key, "an object");
}

int get_array(const struct object *object, const char *key, const char *of_what, json_t **value)
{
	*value = value_of(object, key);
	if (!*value)
		return 0;
	return json_is_array(*value) ? 1 : wrong(object, key, of_what);
}

int get_string(const struct object *object, const char *key, const char **string)
{
	json_t *value = value_of(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong(object, key, "a string");
	*string = json_string_value(value);
	return 1;
}

int get_flag(const struct object *object, const char *key, int *flag)
{
	json_t *value = value_of(object, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong(object, key, "true or false");
	*flag = json_is_true(value);
	return 1;
}

/* A real may have been rounded. The one of "no limit" is from mark_unlimited(). */
static bool to_number(const json_t *value, uint64_t *number)
{
	json_int_t integer = json_integer_value(value);

	*number = json_is_integer(value) ? (uint64_t)integer : UINT64_MAX;
	return json_is_integer(value) ? integer >= 0 : json_real_value(value) == 0x1p64;
}

int get_number(const struct object *object, const char *key, uint64_t *number)
{
	json_t *value = value_of(object, key);

	if (!value)
		return 0;
	return to_number(value, number) ? 1 : wrong(object, key, "an integer of 0 or more");
}

int get_integer(const struct object *object, const char *key, int min, int max, int *number)
{
	json_t *value = value_of(object, key);
	json_int_t integer = json_integer_value(value);
	char want[64];

	if (!value)
		return 0;
	if (json_is_integer(value) && integer >= min && integer <= max) {
		*number = integer;
		return 1;
	}
	snprintf(want, sizeof(want), "an integer from %d to %d", min, max);
	return wrong(object, key, want);
}

int get_id(const struct object *object, const char *key, uint32_t *id)
{
	uint64_t number;
	int ret = get_number(object, key, &number);

	if (ret <= 0)
		return ret;
	*id = number;
	return number <= ID_MAX ? 1 : wrong(object, key, "an id");
}

int named_number(const struct object *object, const char *key, const char *name, const struct named_number *table,
		 uint32_t *number)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	if (!table->name)
		return unknown(object, key, name);
	*number = table->number;
	return 1;
}

int get_named(const struct object *object, const char *key, const struct named_number *table, uint32_t *number)
{
	const char *name;
	int ret = get_string(object, key, &name);

	return ret > 0 ? named_number(object, key, name, table, number) : ret;
}

int get_strings(const struct object *object, const char *key, char ***strings)
{
	static const char want[] = "an array of strings";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, key, want, &array);

	if (ret <= 0)
		return ret;
	*strings = calloc(json_array_size(array) + 1, sizeof(**strings));
	if (!*strings)
		return no_memory();
	json_array_foreach(array, i, value)
	{
		if (!json_is_string(value))
			return wrong(object, key, want);
		(*strings)[i] = (char *)json_string_value(value);
	}
	return 1;
}

int get_ids(const struct object *object, const char *key, uint32_t **ids, size_t *count)
{
	static const char want[] = "an array of ids";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, key, want, &array);

	if (ret <= 0)
		return ret;
	if (json_array_size(array) > GROUPS_MAX)
		return too_long(object, key);
	*ids = calloc(json_array_size(array) + 1, sizeof(**ids));
	if (!*ids)
		return no_memory();
	json_array_foreach(array, i, value)
	{
		uint64_t number;

		if (!to_number(value, &number) || number > ID_MAX)
			return wrong(object, key, want);
		(*ids)[i] = number;
	}
	*count = i;
	return 1;
}

int get_objects(const struct object *object, const char *key, size_t max,
		int (*get)(void *data, const struct object *entry), void *data)
{
	static const char want[] = "an array of objects";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, key, want, &array);

	if (ret <= 0)
		return ret;
	if (json_array_size(array) > max)
		return too_long(object, key);
	json_array_foreach(array, i, value)
	{
		struct object entry = { .json = value };

		if (!json_is_object(value))
			return wrong(object, key, want);
		set_prefix(&entry, "%s%s[%zu].", object->prefix, key, i);
		if (get(data, &entry) < 0)
			return -1;
	}
	return 0;
}
#endif

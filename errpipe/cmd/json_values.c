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

int refused(const char *name, const char *why)
{
	own_failure(0, "%s: %s %s", file_name, name, why);
	return -1;
}

int wrong(const char *name, const char *want)
{
	own_failure(0, "%s: %s is not %s", file_name, name, want);
	return -1;
}

int too_long(const char *name)
{
	return refused(name, "has too many entries");
}

int missing(const char *name)
{
	return refused(name, "is missing");
}

int required(int ret, const char *name)
{
	return ret == 0 ? missing(name) : ret;
}

int unknown(const char *name, const char *value)
{
	char *words = quoted(value);

	own_failure(0, "%s: errpipe cannot set %s to %s", file_name, name, words ? words : "that");
	free(words);
	return -1;
}

int check_members(const json_t *object, const char *name, const char *const *members)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *known = members;
		char *words;

		while (*known && strcmp(*known, key) != 0)
			known++;
		if (*known || json_is_null(value))
			continue;
		words = escaped(key);
		own_failure(0, "%s: errpipe cannot set %s.%s", file_name, name, words ? words : "");
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

json_t *json_parse(const char *file, const char *text, size_t size, size_t flags)
{
	json_error_t error;
	json_t *object;
	char *words;

	name_file(file);
	json_set_alloc_funcs(allocate_or_exit, free);
	object = json_loadb(text, size, JSON_DECODE_INT_AS_REAL | flags, &error);
	if (json_is_object(object))
		return object;
	if (object) {
		wrong("the file", "an object");
		json_decref(object);
		return NULL;
	}
	words = escaped(error.text);
	own_failure(0, "%s: line %d: %s", file_name, error.line, words ? words : "invalid JSON");
	free(words);
	return NULL;
}

json_t *json_read(FILE *file, const char *name)
{
	json_t *object = NULL;
	size_t size;
	char *text;

	name_file(name);
	text = allocate_or_exit(FILE_SIZE_MAX + 1);
	size = fread(text, 1, FILE_SIZE_MAX + 1, file);
	if (ferror(file))
		name_failure(errno, "cannot read", name, "");
	else if (size > FILE_SIZE_MAX)
		name_failure(EFBIG, "cannot read", name, "");
	else
		object = json_parse(name, text, size, JSON_REJECT_DUPLICATES);
	free(text);
	return object;
}

/* null counts as missing. */
static json_t *value_of(const json_t *object, const char *name)
{
	const char *dot = strrchr(name, '.');
	json_t *value = json_object_get(object, dot ? dot + 1 : name);

	return json_is_null(value) ? NULL : value;
}

int get_object(const json_t *object, const char *name, json_t **value)
{
	*value = value_of(object, name);
	if (!*value)
		return 0;
	return json_is_object(*value) ? 1 : wrong(name, "an object");
}

int get_array(const json_t *object, const char *name, const char *of_what, json_t **value)
{
	*value = value_of(object, name);
	if (!*value)
		return 0;
	return json_is_array(*value) ? 1 : wrong(name, of_what);
}

int get_string(const json_t *object, const char *name, const char **string)
{
	json_t *value = value_of(object, name);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong(name, "a string");
	*string = json_string_value(value);
	return 1;
}

int get_flag(const json_t *object, const char *name, int *flag)
{
	json_t *value = value_of(object, name);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong(name, "true or false");
	*flag = json_is_true(value);
	return 1;
}

/* All numbers are read as reals, because "no limit", 2^64 - 1, is too large for jansson's integers. */
static bool to_number(const json_t *value, uint64_t *number)
{
	double real = json_real_value(value);

	if (!json_is_real(value) || !(real >= 0))
		return false;
	*number = real < 0x1p63 ? (uint64_t)real : UINT64_MAX;
	return real >= 0x1p63 || (double)*number == real;
}

int get_number(const json_t *object, const char *name, uint64_t *number)
{
	json_t *value = value_of(object, name);

	if (!value)
		return 0;
	return to_number(value, number) ? 1 : wrong(name, "a number of 0 or more");
}

int get_exact(const json_t *object, const char *name, uint64_t *number)
{
	int ret = get_number(object, name, number);

	return ret > 0 && *number >= UINT64_C(1) << 53 ? wrong(name, "below 2^53") : ret;
}

int get_integer(const json_t *object, const char *name, int min, int max, int *number)
{
	json_t *value = value_of(object, name);
	double real = json_real_value(value);
	char want[64];

	if (!value)
		return 0;
	if (json_is_real(value) && real >= min && real <= max && (int)real == real) {
		*number = real;
		return 1;
	}
	snprintf(want, sizeof(want), "a number from %d to %d", min, max);
	return wrong(name, want);
}

int get_id(const json_t *object, const char *name, uint32_t *id)
{
	uint64_t number;
	int ret = get_number(object, name, &number);

	if (ret <= 0)
		return ret;
	*id = number;
	return number <= ID_MAX ? 1 : wrong(name, "an id");
}

int get_strings(const json_t *object, const char *name, char ***strings)
{
	static const char want[] = "an array of strings";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, name, want, &array);

	if (ret <= 0)
		return ret;
	*strings = calloc(json_array_size(array) + 1, sizeof(**strings));
	if (!*strings)
		return no_memory();
	json_array_foreach(array, i, value)
	{
		if (!json_is_string(value))
			return wrong(name, want);
		(*strings)[i] = (char *)json_string_value(value);
	}
	return 1;
}

int get_ids(const json_t *object, const char *name, uint32_t **ids, size_t *count)
{
	static const char want[] = "an array of ids";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, name, want, &array);

	if (ret <= 0)
		return ret;
	if (json_array_size(array) > GROUPS_MAX)
		return too_long(name);
	*ids = calloc(json_array_size(array) + 1, sizeof(**ids));
	if (!*ids)
		return no_memory();
	json_array_foreach(array, i, value)
	{
		uint64_t number;

		if (!to_number(value, &number) || number > ID_MAX)
			return wrong(name, want);
		(*ids)[i] = number;
	}
	*count = i;
	return 1;
}

int get_objects(const json_t *object, const char *name, size_t max,
		int (*get)(void *data, const json_t *entry, const char *name), void *data)
{
	static const char want[] = "an array of objects";
	json_t *array, *value;
	size_t i;
	int ret = get_array(object, name, want, &array);

	if (ret <= 0)
		return ret;
	if (json_array_size(array) > max)
		return too_long(name);
	json_array_foreach(array, i, value)
	{
		char entry[NAME_SIZE];

		if (!json_is_object(value))
			return wrong(name, want);
		snprintf(entry, sizeof(entry), "%s[%zu]", name, i);
		if (get(data, value, entry) < 0)
			return -1;
	}
	return 0;
}
#endif

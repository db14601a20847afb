/* SPDX-License-Identifier: MIT */
/* Reading values of a JSON file that somebody else wrote. */
#ifndef ERRPIPE_CMD_JSON_VALUES_H
#define ERRPIPE_CMD_JSON_VALUES_H

#include <jansson.h>

#include "cmd.h"

/* (uid_t)-1 is not an id: chown(2) and others take it for "leave it". */
#define ID_MAX (UINT32_MAX - 1)

/* An object of the file. json is NULL if it is missing. prefix is for messages, such as "process.user." before "uid". */
struct object {
	const json_t *json;
	char prefix[64];
};

/*
 * Parse the text of a file, which is an object, and change it. A NUL follows the text. file is the name of the file in all
 * messages from now on. NULL: there was a message.
 */
json_t *json_parse(const char *file, char *text, size_t size, size_t flags);

/* Messages about a member: "FILE: NAME why", "FILE: NAME is not want", and so on. Each returns -1. */
int refused(const struct object *object, const char *key, const char *why);
int wrong(const struct object *object, const char *key, const char *want);
int too_long(const struct object *object, const char *key);
int unknown(const struct object *object, const char *key, const char *value);
int no_memory(void);

/* ret is what a function below returned: a value that is missing becomes an error. */
int required(int ret, const struct object *object, const char *key);

/* Returns 0, or -1 after a message about the first member that is not in the list, which ends in NULL. */
int check_members(const struct object *object, const char *const *members);

/*
 * Each of these returns 1 and sets the value, 0 if the member is missing, or -1 after a message. null counts as missing,
 * because Go programs write it.
 */
int get_object(const struct object *object, const char *key, struct object *value);
int get_array(const struct object *object, const char *key, const char *of_what, json_t **value);
int get_string(const struct object *object, const char *key, const char **string);
int get_flag(const struct object *object, const char *key, int *flag);
int get_number(const struct object *object, const char *key, uint64_t *number);
int get_integer(const struct object *object, const char *key, int min, int max, int *number);
int get_id(const struct object *object, const char *key, uint32_t *id);

/* The number of a name in a table, which ends in a row without a name. named_number() has the name already. */
struct named_number {
	const char *name;
	uint32_t number;
};
int get_named(const struct object *object, const char *key, const struct named_number *table, uint32_t *number);
int named_number(const struct object *object, const char *key, const char *name, const struct named_number *table,
		 uint32_t *number);

/* A list that ends in NULL, malloc'd; the strings belong to the object. */
int get_strings(const struct object *object, const char *key, char ***strings);
/* A list of ids, malloc'd. */
int get_ids(const struct object *object, const char *key, uint32_t **ids, size_t *count);

/* Call get for each object of the array, which may have at most max. Returns 0 or -1. */
int get_objects(const struct object *object, const char *key, size_t max,
		int (*get)(void *data, const struct object *entry), void *data);

#endif

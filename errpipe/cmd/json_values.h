/* SPDX-License-Identifier: MIT */
/* Reading values of a JSON file that somebody else wrote. */
#ifndef ERRPIPE_CMD_JSON_VALUES_H
#define ERRPIPE_CMD_JSON_VALUES_H

#include <jansson.h>

#include "cmd.h"

/* Room for the name of an entry of an array; twice that for the name of a member of such an entry. */
enum { NAME_SIZE = 64, FILE_SIZE_MAX = 4 << 20 };

/* (uid_t)-1 is not an id: chown(2) and others take it for "leave it". */
#define ID_MAX (UINT32_MAX - 1)

/* Parse the text of a file, which is an object. file is its name in all messages from now on. NULL: there was a message. */
json_t *json_parse(const char *file, const char *text, size_t size, size_t flags);

/* The same for the rest of a file, in which no member may occur twice. */
json_t *json_read(FILE *file, const char *name);

/* Messages: "FILE: name why", "FILE: name is not want", and so on. Each returns -1. */
int refused(const char *name, const char *why);
int wrong(const char *name, const char *want);
int too_long(const char *name);
int missing(const char *name);
/* ret is what a function below returned: a value that is missing becomes an error. */
int required(int ret, const char *name);
int unknown(const char *name, const char *value);
int no_memory(void);

/* Returns 0, or -1 after a message about the first member that is not in the list, which ends in NULL. */
int check_members(const json_t *object, const char *name, const char *const *members);

/*
 * Each of these returns 1 with the value, 0 if there is none, or, after a message, -1. name is the full name for messages, and
 * ends in the key. null counts as missing, because Go programs write it. The object may be NULL.
 */
int get_object(const json_t *object, const char *name, json_t **value);
int get_array(const json_t *object, const char *name, const char *of_what, json_t **value);
int get_string(const json_t *object, const char *name, const char **string);
int get_flag(const json_t *object, const char *name, int *flag);
int get_number(const json_t *object, const char *name, uint64_t *number);
/* Below 2^53. From there on, the file may have had another value. */
int get_exact(const json_t *object, const char *name, uint64_t *number);
int get_integer(const json_t *object, const char *name, int min, int max, int *number);
int get_id(const json_t *object, const char *name, uint32_t *id);

/* A list that ends in NULL, malloc'd; the strings belong to the object. */
int get_strings(const json_t *object, const char *name, char ***strings);
/* A list of ids, malloc'd. */
int get_ids(const json_t *object, const char *name, uint32_t **ids, size_t *count);

/* Call get for each object of the array, which may have at most max. Returns 0 or -1. */
int get_objects(const json_t *object, const char *name, size_t max,
		int (*get)(void *data, const json_t *entry, const char *name), void *data);

#endif

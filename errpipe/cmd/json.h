/* SPDX-License-Identifier: MIT */
/* What the files that write JSON share. */
#ifndef ERRPIPE_CMD_JSON_H
#define ERRPIPE_CMD_JSON_H

#include <jansson.h>

#include "cmd.h"

/* JSON has characters, and a path has bytes: those that are no characters become U+FFFD. */
json_t *json_text(const char *bytes);
json_t *text_or_null(const char *bytes);

json_t *string_or_null(const char *string);
json_t *integer_or_null(bool known, json_int_t value);

/* What is NULL for want of memory is seen in the end: then *object is NULL. */
void json_add(json_t **object, const char *key, json_t *value);

/* Print it in one line, and free it. NULL is no memory. Returns 0, or a negative errno. */
int json_print(FILE *to, json_t *object);

/* json_diagnosis.c: the object of a diagnosis, or NULL without memory. */
json_t *json_of(const struct diagnosis *diagnosis);

#endif

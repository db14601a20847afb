/* SPDX-License-Identifier: MIT */
/* Shared by the files that write JSON. */
#ifndef ERRPIPE_CMD_JSON_H
#define ERRPIPE_CMD_JSON_H

#include <jansson.h>

#include "cmd.h"

/* A path has bytes and JSON has characters: invalid UTF-8 becomes U+FFFD. */
json_t *json_text(const char *bytes);
json_t *text_or_null(const char *bytes);

json_t *string_or_null(const char *string);
json_t *integer_or_null(bool known, json_int_t value);

/* Out of memory sets *object to NULL; check once at the end. */
void json_add(json_t **object, const char *key, json_t *value);

/* Print the object on one line, and free it. NULL means out of memory. Returns 0, or a negative errno. */
int json_print(FILE *to, json_t *object);

/* json_diagnosis.c: the object of a diagnosis, or NULL if out of memory. */
json_t *json_of(const struct diagnosis *diagnosis);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Output for people: JSON with indentation, YAML. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>

/* Prints a JSON text indented, keys in the order given; what is not JSON is printed as it is. */
int print_json(FILE *out, const char *text, size_t len, struct err *err);
int print_yaml(FILE *out, struct json_object *json, struct err *err);
/* Writes everything out; a full disk or a closed pipe is an error, not a short output. */
int print_flush(FILE *out, struct err *err);

#endif

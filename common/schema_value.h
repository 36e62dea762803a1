/* SPDX-License-Identifier: GPL-3.0-or-later
 * Single values of a schema: check and coerce.  For common/schema.c alone. */
#ifndef COMMON_SCHEMA_VALUE_H
#define COMMON_SCHEMA_VALUE_H

#include "common/err.h"
#include "common/schema.h"

#include <json-c/json.h>
#include <stdbool.h>

/* True for the types handled here: one value, nothing inside. */
bool schema_is_scalar(enum schema_type type);

/* Takes a value that is neither null nor a fault.  On success *ret_value is a new reference; else
 * *err says why it does not fit (ERR_INVALID), or that memory is out (ERR_INTERNAL). */
int schema_scalar(const struct schema_field *field, struct json_object *value,
                  struct json_object **ret_value, struct err *err);

#endif

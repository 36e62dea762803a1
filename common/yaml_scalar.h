/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a plain YAML scalar means: the rules of YAML 1.1 as PyYAML applies them, since that is what
 * job files were written for.  `on` is true, 0x10 is 16, 1:30 is 90, 1e3 is a text, dates stay
 * text. */
#ifndef COMMON_YAML_SCALAR_H
#define COMMON_YAML_SCALAR_H

#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>

enum yml_type { YML_STRING, YML_NULL, YML_TRUE, YML_FALSE, YML_INT, YML_FLOAT };

struct yml_rules; /* the compiled rules; belongs to one thread */

struct yml_rules *yml_rules_new(struct err *err);
void yml_rules_free(struct yml_rules *rules);

/* The type a plain scalar has; it need not be NUL terminated. */
enum yml_type yml_rules_type(const struct yml_rules *rules, const char *text, size_t len);

/* The value of a scalar of that type.  A JSON null is a NULL *ret_json.  Numbers that JSON or 64
 * bits cannot hold are refused. */
int yml_scalar_value(enum yml_type type, const char *text, size_t len,
                     struct json_object **ret_json, struct err *err);

#endif

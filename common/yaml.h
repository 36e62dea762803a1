/* SPDX-License-Identifier: GPL-3.0-or-later
 * YAML in and out, as a json-c tree.  Reading follows what PyYAML's safe_load makes of a document
 * (see yaml_scalar.h), with anchors, aliases and merge keys, inside limits: a document that grows
 * without end by its aliases is refused, not expanded.  Only yaml.c knows libyaml. */
#ifndef COMMON_YAML_H
#define COMMON_YAML_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>

#define YML_TEXT_MAX ((size_t)16 << 20) /* bytes of a document */
/* Bytes of its values, aliases expanded, and 64 for each value. */
#define YML_WEIGHT_MAX  ((size_t)64 << 20)
#define YML_DEPTH_MAX   100
#define YML_ANCHORS_MAX 1000

/* Reads one document.  An empty one is null: *ret_json is NULL then.  The caller puts the tree,
 * whose parts are not shared with each other.  Errors say "line N, column N: …". */
int yml_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err);

/* Told of every key of a mapping as it stands in the text, with its line; depth is 1 at the top.
 * Keys that an alias or a merge brings are not told again. */
typedef void yml_key_fn(void *arg, size_t depth, const char *key, size_t line);
int yml_parse_keys(const char *text, size_t len, yml_key_fn *on_key, void *arg,
                   struct json_object **ret_json, struct err *err);

/* Adds the tree as a block style document that yml_parse() reads back as the same tree; texts of
 * several lines are written as such where YAML can hold them. */
int yml_add_tree(struct buf *b, struct json_object *json, struct err *err);

#endif

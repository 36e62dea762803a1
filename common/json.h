/* SPDX-License-Identifier: GPL-3.0-or-later
 * JSON in and out.  json-c keeps the tree; jsn_scan() decides first whether the text is JSON at
 * all, since json-c is lenient (RFC 8259 grammar, UTF-8, depth, no U+0000 in keys). */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>

#define JSN_DEPTH_MAX 100
#define JSN_PATH_MAX  512

/* Things that are JSON by grammar, or nearly, and that no field may hold: an integer beyond 64
 * bits, NaN, Infinity, a lone surrogate.  The first one is reported with the keys that lead to it.
 */
struct jsn_fault {
    char
        path[JSN_PATH_MAX]; /* keys and list positions, each ended by a NUL; an empty one ends it */
    const char *why;        /* NULL: none found */
};

/* 0 if text is one JSON document; *ret_fault is always filled then.  Else ERR_BAD_REQUEST. */
int jsn_scan(const char *text, size_t len, struct jsn_fault *ret_fault, struct err *err);

/* Scans (a fault counts as ERR_INVALID) and parses.  The caller puts the tree. */
int jsn_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err);

/* Adds text as a JSON string with its quotes.  Bytes that are not UTF-8 become U+FFFD. */
int jsn_add_string(struct buf *b, const char *text, size_t len);
/* The same without the quotes, for a string sent in pieces that end between characters. */
int jsn_add_escaped(struct buf *b, const char *text, size_t len);

/* Adds the tree as compact text, keys in their order, numbers as they were written. */
int jsn_add_tree(struct buf *b, struct json_object *json);
/* The same with sorted keys: equal documents give equal text. */
int jsn_add_canonical(struct buf *b, struct json_object *json);

/* Members by name; NULL (or fallback) when missing or of another type. */
const char *jsn_text(struct json_object *json, const char *key);
int64_t jsn_int(struct json_object *json, const char *key, int64_t fallback);
struct json_object *jsn_get(struct json_object *json, const char *key);

#endif

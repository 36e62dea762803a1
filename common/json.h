/* SPDX-License-Identifier: GPL-3.0-or-later
 * JSON in and out.  json-c keeps the tree; the reader is ours, since json-c's own is lenient: this
 * one takes RFC 8259 and nothing else (UTF-8 without a byte order mark, at most JSN_DEPTH_MAX
 * levels), keeps the order of keys and every number as it was written.  Of a key given twice the
 * last value counts. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#define JSN_DEPTH_MAX 100
/* How much of a tree one document may make, in units of about 100 bytes: an empty object of two
 * bytes takes 800 in json-c, so a bound on the text alone is none on memory. */
#define JSN_COST_MAX 1000000

/* Reads a document.  The caller puts the tree (NULL for the document null).  Text that is not JSON:
 * ERR_BAD_REQUEST.  Values that are JSON by grammar, or nearly, and that nothing can keep (an
 * integer beyond 64 bits, NaN, Infinity, a lone surrogate, U+0000 in a key): ERR_INVALID. */
int jsn_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err);

/* The same, but such a value stands in the tree as a fault, for a caller that tells where it is. */
int jsn_parse_faults(const char *text, size_t len, struct json_object **ret_json, struct err *err);
/* Why this value is a fault; NULL if it is none.  Looks at the value alone, not inside it. */
const char *jsn_fault(struct json_object *value);

/* Adds text as a JSON string with its quotes.  Bytes that are not UTF-8 become U+FFFD. */
int jsn_add_string(struct buf *b, const char *text, size_t len);
/* The same without the quotes, for a string sent in pieces that end between characters. */
int jsn_add_escaped(struct buf *b, const char *text, size_t len);

/* Adds the tree as compact text, keys in their order, numbers as they were written. */
int jsn_add_tree(struct buf *b, struct json_object *json);
/* The same with sorted keys and numbers in one spelling: equal documents give equal text. */
int jsn_add_canonical(struct buf *b, struct json_object *json);
/* Both for an object, without this one of its members. */
int jsn_add_tree_without(struct buf *b, struct json_object *object, const char *key);
int jsn_add_canonical_without(struct buf *b, struct json_object *object, const char *key);

/* Members by name; NULL (or fallback) when missing or of another type.  A string with a U+0000 in
 * it is cut there. */
const char *jsn_text(struct json_object *json, const char *key);
int64_t jsn_int(struct json_object *json, const char *key, int64_t fallback);
struct json_object *jsn_get(struct json_object *json, const char *key);

/* Adds a member; json_object_object_add that tells when memory is out, and puts value then. */
int jsn_set(struct json_object *json, const char *key, struct json_object *value, struct err *err);

#endif

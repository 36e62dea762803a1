/* SPDX-License-Identifier: GPL-3.0-or-later
 * Request bodies as data: tables of fields, one engine that checks and coerces a parsed document
 * and says what is wrong field by field, in the nesting of docs/protocol.md:
 *
 *     {"test_data": {"secrets": {"bad key": {"key": ["…"]}}}}
 *
 * Checks of whole objects run only when every field is fine.  Fields keep the order they came in;
 * those that were missing and have a fallback follow. */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
    SCHEMA_END,
    SCHEMA_STRING,
    SCHEMA_INT,      /* numeric text and whole part of a float are taken; booleans are not */
    SCHEMA_BOOL,     /* and the usual words */
    SCHEMA_DURATION, /* api: integer seconds or "1d5h30m"; stored as integer */
    SCHEMA_DATETIME, /* RFC 3339; kept as the text given */
    SCHEMA_URL,      /* absolute http, https, ftp, ftps with a real host */
    SCHEMA_EMAIL,
    SCHEMA_OBJECT,  /* .nested, or free form when NULL */
    SCHEMA_LIST,    /* of .items */
    SCHEMA_MAP,     /* free keys: .key_check for the key, .items for the value */
    SCHEMA_VARIANT, /* the first of .variants that takes the object */
};

struct schema_field;

/* A check beyond type and size: returns 0, or -1 with the reason (a sentence) in *err. */
typedef int (*schema_check_fn)(struct json_object *value, struct err *err);

struct schema {
    const struct schema_field *fields; /* ends with a row of type SCHEMA_END */
    bool open;                         /* unknown fields are kept instead of refused */
    schema_check_fn check;             /* over the whole object, once every field is fine */
};

struct schema_field {
    const char *name;
    enum schema_type type;
    bool required;
    bool nullable;
    bool any_text;        /* STRING: U+0000 is allowed (in free form it always is) */
    const char *fallback; /* JSON text put in when the field is missing */
    int64_t min, max;   /* INT: value; STRING: characters at least, bytes at most; LIST, MAP: items;
                         * 0, 0: none */
    const char *one_of; /* STRING: the words allowed, separated by blanks */
    schema_check_fn check;     /* of the value as coerced */
    schema_check_fn key_check; /* MAP: of the key, as a string */
    const struct schema *nested;
    const struct schema_field *items;
    const struct schema *const *variants; /* NULL terminated */
};

/* Parses and checks a body.  An empty body counts as {}.  On success *ret_json is a new object the
 * caller puts (json_object_put).  Text that is not JSON: ERR_BAD_REQUEST.  JSON that does not fit:
 * ERR_INVALID, and the field map (the value of detail.json) is appended to *detail. */
int schema_load(const struct schema *schema, const char *text, size_t len,
                struct json_object **ret_json, struct buf *detail, struct err *err);

#endif

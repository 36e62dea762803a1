/* SPDX-License-Identifier: GPL-3.0-or-later
 * The writer: compact JSON text, either as it was read or in one canonical spelling. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/utf8.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum spelling { AS_READ, CANONICAL };

static int add_value(struct buf *b, struct json_object *value, enum spelling spelling);

/* What a character that may not stand for itself looks like; NULL: it may. */
static const char *escape_of(unsigned char c, char room[static 8])
{
    static const char digits[] = "0123456789abcdef";

    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (c >= 0x20)
        return NULL;
    memcpy(room, "\\u00", 4);
    room[4] = digits[c >> 4];
    room[5] = digits[c & 15];
    room[6] = '\0';
    return room;
}

/* True for ASCII that stands for itself: nearly all there is. */
static bool is_plain(char c)
{
    return c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

int jsn_add_escaped(struct buf *b, const char *text, size_t len)
{
    const char *from = text, *end = text + len;
    char room[8];

    for (const char *at = text; at < end;) {
        const char *instead;
        size_t n;

        if (is_plain(*at)) {
            at++;
            continue;
        }
        n = utf8_char_len(at, (size_t)(end - at));
        instead = n == 0 ? UTF8_REPLACEMENT : escape_of((unsigned char)*at, room);
        if (instead && (buf_add(b, from, (size_t)(at - from)) < 0 || buf_adds(b, instead) < 0))
            return -1;
        at += n ? n : 1;
        if (instead)
            from = at;
    }
    return buf_add(b, from, (size_t)(end - from));
}

int jsn_add_string(struct buf *b, const char *text, size_t len)
{
    if (buf_addc(b, '"') < 0 || jsn_add_escaped(b, text, len) < 0)
        return -1;
    return buf_addc(b, '"');
}

static int add_list(struct buf *b, struct json_object *list, enum spelling spelling)
{
    size_t count = json_object_array_length(list);

    if (buf_addc(b, '[') < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if ((i > 0 && buf_addc(b, ',') < 0) ||
            add_value(b, json_object_array_get_idx(list, i), spelling) < 0)
            return -1;
    return buf_addc(b, ']');
}

struct member {
    const char *key;
    struct json_object *value;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static int add_member(struct buf *b, const char *key, struct json_object *value,
                      enum spelling spelling)
{
    if ((b->data[b->len - 1] != '{' && buf_addc(b, ',') < 0) ||
        jsn_add_string(b, key, strlen(key)) < 0 || buf_addc(b, ':') < 0)
        return -1;
    return add_value(b, value, spelling);
}

static int add_as_read(struct buf *b, struct json_object *object, const char *without)
{
    json_object_object_foreach(object, key, value)
    {
        if ((!without || strcmp(key, without) != 0) && add_member(b, key, value, AS_READ) < 0)
            return -1;
    }
    return 0;
}

static int add_sorted(struct buf *b, struct json_object *object, const char *without)
{
    size_t count = 0, room = (size_t)json_object_object_length(object);
    AUTO_FREE struct member *members = calloc(room ? room : 1, sizeof(*members));

    if (!members) {
        b->failed = true;
        return -1;
    }
    json_object_object_foreach(object, key, value)
    {
        if (!without || strcmp(key, without) != 0)
            members[count++] = (struct member){key, value};
    }
    qsort(members, count, sizeof(*members), by_key);
    for (size_t i = 0; i < count; i++)
        if (add_member(b, members[i].key, members[i].value, CANONICAL) < 0)
            return -1;
    return 0;
}

/* without: a key that is left out; NULL: none. */
static int add_object(struct buf *b, struct json_object *object, const char *without,
                      enum spelling spelling)
{
    int rc;

    if (buf_addc(b, '{') < 0)
        return -1;
    rc = spelling == CANONICAL ? add_sorted(b, object, without) : add_as_read(b, object, without);
    return rc < 0 ? -1 : buf_addc(b, '}');
}

/* 1e2, 100.0 and 100 are one number; 17 digits tell every double from every other. */
static int add_canonical_double(struct buf *b, double value)
{
    if (isinf(value) || isnan(value))
        return buf_adds(b, value > 0 ? "1e999" : "-1e999");
    if (value >= -9007199254740992.0 && value <= 9007199254740992.0 && trunc(value) >= value &&
        trunc(value) <= value)
        return buf_addf(b, "%lld", (long long)value);
    return buf_addf(b, "%.17g", value);
}

static int add_value(struct buf *b, struct json_object *value, enum spelling spelling)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return buf_adds(b, "null");
    case json_type_boolean:
        return buf_adds(b, json_object_get_boolean(value) ? "true" : "false");
    case json_type_int:
        return buf_addf(b, "%lld", (long long)json_object_get_int64(value));
    case json_type_double:
        if (spelling == CANONICAL)
            return add_canonical_double(b, json_object_get_double(value));
        return buf_adds(b, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    case json_type_string:
        return jsn_add_string(b, json_object_get_string(value),
                              (size_t)json_object_get_string_len(value));
    case json_type_array:
        return add_list(b, value, spelling);
    case json_type_object:
        return add_object(b, value, NULL, spelling);
    default:
        b->failed = true;
        return -1;
    }
}

int jsn_add_tree(struct buf *b, struct json_object *json)
{
    return add_value(b, json, AS_READ);
}

int jsn_add_canonical(struct buf *b, struct json_object *json)
{
    return add_value(b, json, CANONICAL);
}

int jsn_add_tree_without(struct buf *b, struct json_object *object, const char *key)
{
    return add_object(b, object, key, AS_READ);
}

int jsn_add_canonical_without(struct buf *b, struct json_object *object, const char *key)
{
    return add_object(b, object, key, CANONICAL);
}

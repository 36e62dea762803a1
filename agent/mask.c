/* SPDX-License-Identifier: GPL-3.0-or-later
 * Finding values: a table of first bytes skips nearly everything, then the values are compared,
 * longest first. */
#include "agent/mask.h"

#include "common/json.h"
#include "common/sha256.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_SIZE 11 /* "**123456**" */

struct value {
    char *text;
    size_t len;
    char shown[SHOWN_SIZE];
};

struct mask {
    struct value *values; /* longest first */
    size_t count;
    bool first[256]; /* some value begins with this byte */
};

struct mask *mask_new(struct err *err)
{
    struct mask *mask = calloc(1, sizeof(*mask));

    if (!mask)
        (void)err_set(err, ERR_INTERNAL, "out of memory");
    return mask;
}

void mask_free(struct mask *mask)
{
    if (!mask)
        return;
    for (size_t i = 0; i < mask->count; i++) {
        explicit_bzero(mask->values[i].text, mask->values[i].len);
        free(mask->values[i].text);
    }
    free(mask->values);
    free(mask);
}

int mask_add(struct mask *mask, const char *value, size_t len, struct err *err)
{
    struct value *values;
    struct value added = {0};
    char hex[SHA256_HEX_SIZE];
    size_t at = 0;

    if (len == 0)
        return 0;
    if (mask->count == MASK_VALUES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d secrets", MASK_VALUES_MAX);
    sha256_hex(value, len, hex);
    (void)snprintf(added.shown, sizeof(added.shown), "**%.6s**", hex);
    added.len = len < MASK_VALUE_MAX ? len : MASK_VALUE_MAX;
    values = realloc(mask->values, (mask->count + 1) * sizeof(*values));
    if (!values)
        return err_set(err, ERR_INTERNAL, "out of memory");
    mask->values = values;
    added.text = malloc(added.len);
    if (!added.text)
        return err_set(err, ERR_INTERNAL, "out of memory");
    memcpy(added.text, value, added.len);
    while (at < mask->count && values[at].len >= added.len)
        at++;
    memmove(&values[at + 1], &values[at], (mask->count - at) * sizeof(*values));
    values[at] = added;
    mask->count++;
    mask->first[(unsigned char)value[0]] = true;
    return 0;
}

enum match { NO_MATCH, MATCH, MAYBE };

/* What begins at text: a value (the longest, *ret_value), maybe one (too little text), nothing. */
static enum match match_at(const struct mask *mask, const char *text, size_t len,
                           const struct value **ret_value)
{
    if (!mask->first[(unsigned char)*text])
        return NO_MATCH;
    for (size_t i = 0; i < mask->count; i++) {
        const struct value *v = &mask->values[i];

        if (v->len > len && memcmp(text, v->text, len) == 0)
            return MAYBE;
        if (v->len <= len && memcmp(text, v->text, v->len) == 0) {
            *ret_value = v;
            return MATCH;
        }
    }
    return NO_MATCH;
}

/* At the end of the text a value that only might have begun did not: shorter ones count again. */
static enum match match_at_end(const struct mask *mask, const char *text, size_t len,
                               const struct value **ret_value)
{
    for (size_t i = 0; i < mask->count; i++)
        if (mask->values[i].len <= len &&
            memcmp(text, mask->values[i].text, mask->values[i].len) == 0) {
            *ret_value = &mask->values[i];
            return MATCH;
        }
    return NO_MATCH;
}

/* Masks held as far as it can be decided and drops that part. */
static void scan(const struct mask *mask, struct buf *held, bool ended, struct buf *out)
{
    const char *text = buf_text(held);
    size_t plain = 0; /* where the text begins that was not handed on yet */
    size_t at = 0;

    while (at < held->len) {
        const struct value *value = NULL;
        enum match match = match_at(mask, text + at, held->len - at, &value);

        if (match == MAYBE && ended)
            match = match_at_end(mask, text + at, held->len - at, &value);
        if (match == MAYBE)
            break;
        if (match == NO_MATCH) {
            at++;
            continue;
        }
        (void)buf_add(out, text + plain, at - plain);
        (void)buf_adds(out, value->shown);
        at += value->len;
        plain = at;
    }
    (void)buf_add(out, text + plain, at - plain);
    buf_drop(held, at);
}

void mask_piece(const struct mask *mask, struct buf *held, const char *data, size_t len,
                struct buf *out)
{
    assert(len <= MASK_VALUE_MAX);
    if (mask->count == 0) {
        (void)buf_add(out, data, len);
        return;
    }
    (void)buf_add(held, data, len); /* less than one value is held, so there is room */
    assert(!buf_failed(held));
    scan(mask, held, false, out);
}

void mask_end(const struct mask *mask, struct buf *held, struct buf *out)
{
    scan(mask, held, true, out);
}

void mask_text(const struct mask *mask, const char *data, size_t len, struct buf *out)
{
    struct buf held = BUF_INIT(MASK_HELD_MAX);

    while (len > 0) {
        size_t n = len < MASK_VALUE_MAX ? len : MASK_VALUE_MAX;

        mask_piece(mask, &held, data, n, out);
        data += n;
        len -= n;
    }
    mask_end(mask, &held, out);
    buf_done(&held);
}

/* --- documents ------------------------------------------------------------------------- */

static void add_masked_string(const struct mask *mask, const char *text, size_t len,
                              struct buf *out)
{
    struct buf masked = BUF_INIT(out->max);

    mask_text(mask, text, len, &masked);
    if (buf_failed(&masked))
        out->failed = true;
    (void)jsn_add_string(out, buf_text(&masked), masked.len);
    buf_done(&masked);
}

/* A number, true, false or null. */
static void add_masked_word(const struct mask *mask, struct json_object *json, struct buf *out)
{
    struct buf plain = BUF_INIT(out->max);
    struct buf masked = BUF_INIT(out->max);

    (void)jsn_add_tree(&plain, json);
    mask_text(mask, buf_text(&plain), plain.len, &masked);
    if (strcmp(buf_text(&plain), buf_text(&masked)) == 0)
        (void)buf_add(out, plain.data, plain.len);
    else
        (void)jsn_add_string(out, buf_text(&masked), masked.len);
    buf_done(&plain);
    buf_done(&masked);
}

static void add_masked_object(const struct mask *mask, struct json_object *json, struct buf *out)
{
    char separator = '{';

    json_object_object_foreach(json, key, value)
    {
        (void)buf_addc(out, separator);
        add_masked_string(mask, key, strlen(key), out);
        (void)buf_addc(out, ':');
        mask_json(mask, value, out);
        separator = ',';
    }
    (void)buf_adds(out, separator == '{' ? "{}" : "}");
}

static void add_masked_list(const struct mask *mask, struct json_object *json, struct buf *out)
{
    (void)buf_addc(out, '[');
    for (size_t i = 0; i < json_object_array_length(json); i++) {
        if (i > 0)
            (void)buf_addc(out, ',');
        mask_json(mask, json_object_array_get_idx(json, i), out);
    }
    (void)buf_addc(out, ']');
}

void mask_json(const struct mask *mask, struct json_object *json, struct buf *out)
{
    if (json_object_is_type(json, json_type_object))
        add_masked_object(mask, json, out);
    else if (json_object_is_type(json, json_type_array))
        add_masked_list(mask, json, out);
    else if (json_object_is_type(json, json_type_string))
        add_masked_string(mask, json_object_get_string(json),
                          (size_t)json_object_get_string_len(json), out);
    else
        add_masked_word(mask, json, out);
}

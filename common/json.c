/* SPDX-License-Identifier: GPL-3.0-or-later
 * The reader: a recursive descent over the grammar of RFC 8259, bounded by JSN_DEPTH_MAX. */
#include "common/json.h"

#include "common/cleanup.h"
#include "common/json_reader.h"
#include "common/parse.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_COST 8
#define LIST_COST   2
#define LIST_ITEMS  4 /* room in a new list; it grows */

static const char *const faults[FAULT_COUNT] = {
    [FAULT_NONE] = NULL,
    [FAULT_INTEGER] = "integer does not fit into 64 bits",
    [FAULT_NAN] = "not a finite number",
    [FAULT_SURROGATE] = "half of a surrogate pair is not a character",
    [FAULT_ZERO_KEY] = "U+0000 in a key",
};

static int read_value(struct json_reader *r, int depth, struct json_object **ret_value);

/* Of one more value; objects and lists cost more, however empty. */
static int spend(struct json_reader *r, int cost)
{
    r->cost += cost;
    if (r->cost > JSN_COST_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "JSON text of too many values");
    return 0;
}

static void skip_blanks(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

/* A fault is an empty string with the kind as user data; real strings have none. */
static int make_fault(struct json_reader *r, enum json_fault fault, struct json_object **ret_value)
{
    struct json_object *value = json_object_new_string("");

    if (!value)
        return reader_no_memory(r);
    json_object_set_userdata(value, (void *)(uintptr_t)fault, NULL);
    if (r->first_fault == FAULT_NONE)
        r->first_fault = fault;
    *ret_value = value;
    return 0;
}

const char *jsn_fault(struct json_object *value)
{
    uintptr_t fault;

    if (!json_object_is_type(value, json_type_string))
        return NULL;
    fault = (uintptr_t)json_object_get_userdata(value);
    return fault < FAULT_COUNT ? faults[fault] : NULL;
}

static int read_string_value(struct json_reader *r, struct json_object **ret_value)
{
    struct json_object *value;
    struct json_span span;

    if (reader_string(r, &span) < 0)
        return -1;
    if (span.faulty)
        return make_fault(r, FAULT_SURROGATE, ret_value);
    value = json_object_new_string_len(span.text, (int)span.len);
    if (!value)
        return reader_no_memory(r);
    *ret_value = value;
    return 0;
}

static int skip_digits(struct json_reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from ? 0 : reader_refuse(r, "digit missing in a number");
}

/* Numbers with a fraction or an exponent, and -0, keep their text beside the value. */
static int make_double(struct json_reader *r, const char *text, size_t len,
                       struct json_object **ret_value)
{
    AUTO_FREE char *copy = strndup(text, len);
    struct json_object *value = copy ? json_object_new_double_s(strtod(copy, NULL), copy) : NULL;

    if (!value)
        return reader_no_memory(r);
    *ret_value = value;
    return 0;
}

/* Moves over a number behind its sign. */
static int skip_number(struct json_reader *r, bool *ret_whole)
{
    bool whole = true;

    if (!reader_take(r, '0') && skip_digits(r) < 0)
        return -1;
    if (reader_take(r, '.')) {
        whole = false;
        if (skip_digits(r) < 0)
            return -1;
    }
    if (reader_take(r, 'e') || reader_take(r, 'E')) {
        whole = false;
        if (!reader_take(r, '+'))
            (void)reader_take(r, '-');
        if (skip_digits(r) < 0)
            return -1;
    }
    *ret_whole = whole;
    return 0;
}

static int read_number(struct json_reader *r, struct json_object **ret_value)
{
    const char *text = r->at;
    int64_t integer;
    size_t len;
    bool whole;

    if (reader_take(r, '-') && reader_take_word(r, "Infinity"))
        return make_fault(r, FAULT_NAN, ret_value);
    if (skip_number(r, &whole) < 0)
        return -1;
    len = (size_t)(r->at - text);
    if (!whole || (len == 2 && memcmp(text, "-0", 2) == 0))
        return make_double(r, text, len, ret_value);
    if (!parse_digits(text, len, &integer))
        return make_fault(r, FAULT_INTEGER, ret_value);
    *ret_value = json_object_new_int64(integer);
    return *ret_value ? 0 : reader_no_memory(r);
}

static int read_literal(struct json_reader *r, struct json_object **ret_value)
{
    if (reader_take_word(r, "null")) {
        *ret_value = NULL;
        return 0;
    }
    if (reader_take_word(r, "NaN") || reader_take_word(r, "Infinity"))
        return make_fault(r, FAULT_NAN, ret_value);
    if (reader_take_word(r, "true"))
        *ret_value = json_object_new_boolean(true);
    else if (reader_take_word(r, "false"))
        *ret_value = json_object_new_boolean(false);
    else
        return reader_refuse(r, r->at < r->end ? "unexpected character" : "unexpected end");
    return *ret_value ? 0 : reader_no_memory(r);
}

static int read_list(struct json_reader *r, int depth, struct json_object *list)
{
    skip_blanks(r);
    if (reader_take(r, ']'))
        return 0;
    for (;;) {
        struct json_object *value;

        if (read_value(r, depth, &value) < 0)
            return -1;
        if (json_object_array_add(list, value) < 0) {
            json_object_put(value);
            return reader_no_memory(r);
        }
        if (reader_take(r, ']'))
            return 0;
        if (!reader_take(r, ','))
            return reader_refuse(r, "comma or ] missing");
    }
}

/* json-c ends keys at a NUL, so two different ones could become one: U+FFFD stands for it. */
static char *copy_key(const struct json_span *span)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    struct buf key = BUF_INIT(3 * span->len);

    for (size_t i = 0; i < span->len; i++) {
        if (span->text[i])
            (void)buf_addc(&key, span->text[i]);
        else
            (void)buf_adds(&key, replacement);
    }
    return buf_take(&key);
}

/* The caller frees *ret_key.  What is wrong with the key is *ret_fault. */
static int read_key(struct json_reader *r, char **ret_key, enum json_fault *ret_fault)
{

    struct json_span span;
    bool zero;

    skip_blanks(r);
    if (!reader_take(r, '"'))
        return reader_refuse(r, "key missing");
    if (reader_string(r, &span) < 0)
        return -1;
    zero = memchr(span.text, '\0', span.len);
    *ret_key = zero ? copy_key(&span) : strndup(span.text, span.len);
    *ret_fault = span.faulty ? FAULT_SURROGATE : zero ? FAULT_ZERO_KEY : FAULT_NONE;
    if (!*ret_key)
        return reader_no_memory(r);
    skip_blanks(r);
    return reader_take(r, ':') ? 0 : reader_refuse(r, "colon missing");
}

static int read_member(struct json_reader *r, int depth, struct json_object *object)
{
    AUTO_FREE char *key = NULL;
    struct json_object *value;
    enum json_fault fault = FAULT_NONE;

    if (read_key(r, &key, &fault) < 0 || read_value(r, depth, &value) < 0)
        return -1;
    if (fault != FAULT_NONE) { /* a key cannot carry the fault, so its value does */
        json_object_put(value);
        if (make_fault(r, fault, &value) < 0)
            return -1;
    }
    return jsn_set(object, key, value, r->err);
}

static int read_object(struct json_reader *r, int depth, struct json_object *object)
{
    skip_blanks(r);
    if (reader_take(r, '}'))
        return 0;
    for (;;) {
        if (read_member(r, depth, object) < 0)
            return -1;
        if (reader_take(r, '}'))
            return 0;
        if (!reader_take(r, ','))
            return reader_refuse(r, "comma or } missing");
    }
}

static int read_container(struct json_reader *r, int depth, struct json_object **ret_value)
{
    bool is_list = *r->at++ == '[';
    struct json_object *value;
    int rc;

    if (depth >= JSN_DEPTH_MAX)
        return reader_refuse(r, "nested too deeply");
    if (spend(r, is_list ? LIST_COST : OBJECT_COST) < 0)
        return -1;
    value = is_list ? json_object_new_array_ext(LIST_ITEMS) : json_object_new_object();
    if (!value)
        return reader_no_memory(r);
    rc = is_list ? read_list(r, depth + 1, value) : read_object(r, depth + 1, value);
    if (rc < 0)
        json_object_put(value);
    else
        *ret_value = value;
    return rc;
}

/* Blanks around it are taken too. */
static int read_value(struct json_reader *r, int depth, struct json_object **ret_value)
{
    int rc;

    if (spend(r, 1) < 0)
        return -1;
    skip_blanks(r);
    if (r->at < r->end && (*r->at == '{' || *r->at == '['))
        rc = read_container(r, depth, ret_value);
    else if (reader_take(r, '"'))
        rc = read_string_value(r, ret_value);
    else if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
        rc = read_number(r, ret_value);
    else
        rc = read_literal(r, ret_value);
    skip_blanks(r);
    return rc;
}

static int read_document(struct json_reader *r, struct json_object **ret_json)
{
    struct json_object *json;

    if (r->end - r->start > INT_MAX) /* json-c counts the bytes of a string in an int */
        return err_set(r->err, ERR_TOO_LARGE, "JSON text of more than %d bytes", INT_MAX);
    if (read_value(r, 0, &json) < 0)
        return -1;
    if (r->at < r->end) {
        json_object_put(json);
        return reader_refuse(r, "something behind the end");
    }
    *ret_json = json;
    return 0;
}

static int parse(const char *text, size_t len, struct json_object **ret_json,
                 enum json_fault *ret_first_fault, struct err *err)
{
    struct json_reader reader = {.start = text, .at = text, .end = text + len, .err = err};
    int rc;

    buf_init(&reader.decoded, len);
    rc = read_document(&reader, ret_json);
    buf_done(&reader.decoded);
    *ret_first_fault = reader.first_fault;
    return rc;
}

int jsn_parse_faults(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    enum json_fault first;

    return parse(text, len, ret_json, &first, err);
}

int jsn_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    struct json_object *json;
    enum json_fault first;

    if (parse(text, len, &json, &first, err) < 0)
        return -1;
    if (first != FAULT_NONE) {
        json_object_put(json);
        return err_set(err, ERR_INVALID, "unusable value in JSON: %s", faults[first]);
    }
    *ret_json = json;
    return 0;
}

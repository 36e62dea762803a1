/* SPDX-License-Identifier: GPL-3.0-or-later
 * The reader: a recursive descent over the grammar of RFC 8259, bounded by JSN_DEPTH_MAX. */
#include "common/json.h"

#include "common/cleanup.h"
#include "common/parse.h"
#include "common/utf8.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_COST 8
#define LIST_COST   2
#define LIST_ITEMS  4 /* room in a new list; it grows */

enum fault { FAULT_NONE, FAULT_INTEGER, FAULT_NAN, FAULT_SURROGATE, FAULT_ZERO_KEY, FAULT_COUNT };

static const char *const faults[FAULT_COUNT] = {
    [FAULT_NONE] = NULL,
    [FAULT_INTEGER] = "integer does not fit into 64 bits",
    [FAULT_NAN] = "not a finite number",
    [FAULT_SURROGATE] = "half of a surrogate pair is not a character",
    [FAULT_ZERO_KEY] = "U+0000 in a key",
};

struct reader {
    const char *start, *at, *end;
    struct buf decoded; /* the last string that had escapes, and every key */
    enum fault first_fault;
    int cost; /* of what was made, in units of JSN_COST_MAX */
    struct err *err;
};

/* A string as it stands in the text, or decoded. */
struct span {
    const char *text;
    size_t len;
    bool faulty;
};

static int read_value(struct reader *r, int depth, struct json_object **ret_value);

static int refuse(struct reader *r, const char *why)
{
    return err_set(r->err, ERR_BAD_REQUEST, "not valid JSON: %s at byte %td", why,
                   r->at - r->start);
}

/* Of one more value; objects and lists cost more, however empty. */
static int spend(struct reader *r, int cost)
{
    r->cost += cost;
    if (r->cost > JSN_COST_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "JSON text of too many values");
    return 0;
}

static int no_memory(struct reader *r)
{
    return err_set(r->err, ERR_INTERNAL, "out of memory");
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

/* A fault is an empty string with the kind as user data; real strings have none. */
static int make_fault(struct reader *r, enum fault fault, struct json_object **ret_value)
{
    struct json_object *value = json_object_new_string("");

    if (!value)
        return no_memory(r);
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

static int read_hex(struct reader *r, uint32_t *ret_code)
{
    uint32_t code = 0;

    if (r->end - r->at < 4)
        return refuse(r, "\\u without four hexadecimal digits");
    for (int i = 0; i < 4; i++) {
        char c = r->at[i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return refuse(r, "\\u without four hexadecimal digits");
        code = code << 4 | digit;
    }
    r->at += 4;
    *ret_code = code;
    return 0;
}

/* Behind "\u": one character, from two escapes if the first is half of a surrogate pair. */
static int read_unicode(struct reader *r, struct span *span)
{
    uint32_t code, low;
    char bytes[4];

    if (read_hex(r, &code) < 0)
        return -1;
    if (code >= 0xD800 && code <= 0xDBFF && take_word(r, "\\u")) {
        const char *second = r->at - 2;

        if (read_hex(r, &low) < 0)
            return -1;
        if (low >= 0xDC00 && low <= 0xDFFF)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            r->at = second; /* two characters; the first is a fault */
    }
    if (code >= 0xD800 && code <= 0xDFFF)
        span->faulty = true;
    return buf_add(&r->decoded, bytes, utf8_encode(code, bytes)) < 0 ? no_memory(r) : 0;
}

static int read_escape(struct reader *r, struct span *span)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (take(r, 'u'))
        return read_unicode(r, span);
    name = r->at < r->end && *r->at ? strchr(names, *r->at) : NULL;
    if (!name)
        return refuse(r, "unknown escape");
    r->at++;
    return buf_addc(&r->decoded, values[name - names]) < 0 ? no_memory(r) : 0;
}

/* Moves over characters that stand for themselves. */
static int skip_plain(struct reader *r)
{
    while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
        size_t n;

        if (*r->at >= 0x20 && (unsigned char)*r->at < 0x80) { /* nearly all there is */
            r->at++;
            continue;
        }
        n = utf8_char_len(r->at, (size_t)(r->end - r->at));
        if (n == 0)
            return refuse(r, "text that is not UTF-8");
        if ((unsigned char)*r->at < 0x20)
            return refuse(r, "control character in a string");
        r->at += n;
    }
    return r->at < r->end ? 0 : refuse(r, "string without an end");
}

/* Behind the opening quote.  The result is valid until the next string is read. */
static int read_string(struct reader *r, struct span *ret_span)
{
    struct span span = {.text = r->at};

    buf_clear(&r->decoded);
    if (skip_plain(r) < 0)
        return -1;
    if (take(r, '"')) {
        span.len = (size_t)(r->at - 1 - span.text);
        *ret_span = span;
        return 0;
    }
    for (const char *from = span.text;; from = r->at) {
        if (skip_plain(r) < 0)
            return -1;
        if (buf_add(&r->decoded, from, (size_t)(r->at - from)) < 0)
            return no_memory(r);
        if (take(r, '"'))
            break;
        r->at++; /* the backslash */
        if (read_escape(r, &span) < 0)
            return -1;
    }
    span.text = buf_text(&r->decoded);
    span.len = r->decoded.len;
    *ret_span = span;
    return 0;
}

static int read_string_value(struct reader *r, struct json_object **ret_value)
{
    struct json_object *value;
    struct span span;

    if (read_string(r, &span) < 0)
        return -1;
    if (span.faulty)
        return make_fault(r, FAULT_SURROGATE, ret_value);
    value = json_object_new_string_len(span.text, (int)span.len);
    if (!value)
        return no_memory(r);
    *ret_value = value;
    return 0;
}

static int skip_digits(struct reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from ? 0 : refuse(r, "digit missing in a number");
}

/* Numbers with a fraction or an exponent, and -0, keep their text beside the value. */
static int make_double(struct reader *r, const char *text, size_t len,
                       struct json_object **ret_value)
{
    AUTO_FREE char *copy = strndup(text, len);
    struct json_object *value = copy ? json_object_new_double_s(strtod(copy, NULL), copy) : NULL;

    if (!value)
        return no_memory(r);
    *ret_value = value;
    return 0;
}

/* Moves over a number behind its sign. */
static int skip_number(struct reader *r, bool *ret_whole)
{
    bool whole = true;

    if (!take(r, '0') && skip_digits(r) < 0)
        return -1;
    if (take(r, '.')) {
        whole = false;
        if (skip_digits(r) < 0)
            return -1;
    }
    if (take(r, 'e') || take(r, 'E')) {
        whole = false;
        if (!take(r, '+'))
            (void)take(r, '-');
        if (skip_digits(r) < 0)
            return -1;
    }
    *ret_whole = whole;
    return 0;
}

static int read_number(struct reader *r, struct json_object **ret_value)
{
    const char *text = r->at;
    int64_t integer;
    size_t len;
    bool whole;

    if (take(r, '-') && take_word(r, "Infinity"))
        return make_fault(r, FAULT_NAN, ret_value);
    if (skip_number(r, &whole) < 0)
        return -1;
    len = (size_t)(r->at - text);
    if (!whole || (len == 2 && memcmp(text, "-0", 2) == 0))
        return make_double(r, text, len, ret_value);
    if (!parse_digits(text, len, &integer))
        return make_fault(r, FAULT_INTEGER, ret_value);
    *ret_value = json_object_new_int64(integer);
    return *ret_value ? 0 : no_memory(r);
}

static int read_literal(struct reader *r, struct json_object **ret_value)
{
    if (take_word(r, "null")) {
        *ret_value = NULL;
        return 0;
    }
    if (take_word(r, "NaN") || take_word(r, "Infinity"))
        return make_fault(r, FAULT_NAN, ret_value);
    if (take_word(r, "true"))
        *ret_value = json_object_new_boolean(true);
    else if (take_word(r, "false"))
        *ret_value = json_object_new_boolean(false);
    else
        return refuse(r, r->at < r->end ? "unexpected character" : "unexpected end");
    return *ret_value ? 0 : no_memory(r);
}

static int read_list(struct reader *r, int depth, struct json_object *list)
{
    skip_blanks(r);
    if (take(r, ']'))
        return 0;
    for (;;) {
        struct json_object *value;

        if (read_value(r, depth, &value) < 0)
            return -1;
        if (json_object_array_add(list, value) < 0) {
            json_object_put(value);
            return no_memory(r);
        }
        if (take(r, ']'))
            return 0;
        if (!take(r, ','))
            return refuse(r, "comma or ] missing");
    }
}

/* json-c ends keys at a NUL, so two different ones could become one: U+FFFD stands for it. */
static char *copy_key(const struct span *span)
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
static int read_key(struct reader *r, char **ret_key, enum fault *ret_fault)
{

    struct span span;
    bool zero;

    skip_blanks(r);
    if (!take(r, '"'))
        return refuse(r, "key missing");
    if (read_string(r, &span) < 0)
        return -1;
    zero = memchr(span.text, '\0', span.len);
    *ret_key = zero ? copy_key(&span) : strndup(span.text, span.len);
    *ret_fault = span.faulty ? FAULT_SURROGATE : zero ? FAULT_ZERO_KEY : FAULT_NONE;
    if (!*ret_key)
        return no_memory(r);
    skip_blanks(r);
    return take(r, ':') ? 0 : refuse(r, "colon missing");
}

static int read_member(struct reader *r, int depth, struct json_object *object)
{
    AUTO_FREE char *key = NULL;
    struct json_object *value;
    enum fault fault = FAULT_NONE;

    if (read_key(r, &key, &fault) < 0 || read_value(r, depth, &value) < 0)
        return -1;
    if (fault != FAULT_NONE) { /* a key cannot carry the fault, so its value does */
        json_object_put(value);
        if (make_fault(r, fault, &value) < 0)
            return -1;
    }
    return jsn_set(object, key, value, r->err);
}

static int read_object(struct reader *r, int depth, struct json_object *object)
{
    skip_blanks(r);
    if (take(r, '}'))
        return 0;
    for (;;) {
        if (read_member(r, depth, object) < 0)
            return -1;
        if (take(r, '}'))
            return 0;
        if (!take(r, ','))
            return refuse(r, "comma or } missing");
    }
}

static int read_container(struct reader *r, int depth, struct json_object **ret_value)
{
    bool is_list = *r->at++ == '[';
    struct json_object *value;
    int rc;

    if (depth >= JSN_DEPTH_MAX)
        return refuse(r, "nested too deeply");
    if (spend(r, is_list ? LIST_COST : OBJECT_COST) < 0)
        return -1;
    value = is_list ? json_object_new_array_ext(LIST_ITEMS) : json_object_new_object();
    if (!value)
        return no_memory(r);
    rc = is_list ? read_list(r, depth + 1, value) : read_object(r, depth + 1, value);
    if (rc < 0)
        json_object_put(value);
    else
        *ret_value = value;
    return rc;
}

/* Blanks around it are taken too. */
static int read_value(struct reader *r, int depth, struct json_object **ret_value)
{
    int rc;

    if (spend(r, 1) < 0)
        return -1;
    skip_blanks(r);
    if (r->at < r->end && (*r->at == '{' || *r->at == '['))
        rc = read_container(r, depth, ret_value);
    else if (take(r, '"'))
        rc = read_string_value(r, ret_value);
    else if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
        rc = read_number(r, ret_value);
    else
        rc = read_literal(r, ret_value);
    skip_blanks(r);
    return rc;
}

static int read_document(struct reader *r, struct json_object **ret_json)
{
    struct json_object *json;

    if (r->end - r->start > INT_MAX) /* json-c counts the bytes of a string in an int */
        return err_set(r->err, ERR_TOO_LARGE, "JSON text of more than %d bytes", INT_MAX);
    if (read_value(r, 0, &json) < 0)
        return -1;
    if (r->at < r->end) {
        json_object_put(json);
        return refuse(r, "something behind the end");
    }
    *ret_json = json;
    return 0;
}

static int parse(const char *text, size_t len, struct json_object **ret_json,
                 enum fault *ret_first_fault, struct err *err)
{
    struct reader reader = {.start = text, .at = text, .end = text + len, .err = err};
    int rc;

    buf_init(&reader.decoded, len);
    rc = read_document(&reader, ret_json);
    buf_done(&reader.decoded);
    *ret_first_fault = reader.first_fault;
    return rc;
}

int jsn_parse_faults(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    enum fault first;

    return parse(text, len, ret_json, &first, err);
}

int jsn_parse(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    struct json_object *json;
    enum fault first;

    if (parse(text, len, &json, &first, err) < 0)
        return -1;
    if (first != FAULT_NONE) {
        json_object_put(json);
        return err_set(err, ERR_INVALID, "unusable value in JSON: %s", faults[first]);
    }
    *ret_json = json;
    return 0;
}

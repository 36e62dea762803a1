/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes YAML in block style.  A text stands plain where it reads back as that text, as a literal
 * block where it has several lines, and as a JSON string, which is YAML too, everywhere else. */
#include "common/yaml.h"

#include "common/json.h"
#include "common/yaml_scalar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define STEP 2

struct writer {
    struct buf *out;
    const struct yml_rules *rules;
    struct err *err;
};

static int write_value(struct writer *w, struct json_object *json, size_t indent, bool in_list);

/* Nothing that YAML gives a meaning to, whatever stands around it. */
static bool plain(const struct writer *w, const char *text, size_t len)
{
    static const char harmless[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+ ";

    return len > 0 && strspn(text, harmless) == len && text[0] != '-' && text[0] != ' ' &&
           text[len - 1] != ' ' && yml_rules_type(w->rules, text, len) == YML_STRING;
}

/* Bytes of a character that readers refuse or take for the end of a line, 0 for any other: delete
 * and the controls of Latin 1, U+2028 and U+2029, U+FEFF, U+FFFE and U+FFFF. */
static size_t awkward(const char *text, size_t len)
{
    static const char *const three[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",
                                        "\xef\xbf\xbe", "\xef\xbf\xbf"};

    if (text[0] == 0x7f)
        return 1;
    if (len >= 2 && text[0] == '\xc2' && (unsigned char)text[1] < 0xa0)
        return 2;
    for (size_t i = 0; len >= 3 && i < sizeof(three) / sizeof(three[0]); i++)
        if (memcmp(text, three[i], 3) == 0)
            return 3;
    return 0;
}

/* Several lines of printable characters: a literal block holds them as they are. */
static bool literal(const char *text, size_t len)
{
    if (len == 0 || text[0] == ' ' || text[0] == '\n' || !memchr(text, '\n', len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') ||
            awkward(text + i, len - i))
            return false;
    return true;
}

static int put(struct writer *w, const char *data, size_t len)
{
    if (buf_add(w->out, data, len) < 0)
        return err_set(w->err, ERR_TOO_LARGE, "the document is too large");
    return 0;
}

static int put_indent(struct writer *w, size_t indent)
{
    for (size_t i = 0; i < indent; i++)
        if (put(w, " ", 1) < 0)
            return -1;
    return 0;
}

/* "|", what is to become of the last line ends ("-" none, "" one, "+" all), and the lines. */
static int write_literal(struct writer *w, const char *text, size_t len, size_t indent)
{
    const char *chomp = text[len - 1] != '\n' ? "-" : len > 1 && text[len - 2] == '\n' ? "+" : "";
    const char *end = text + len;

    if (put(w, "|", 1) < 0 || put(w, chomp, strlen(chomp)) < 0 || put(w, "\n", 1) < 0)
        return -1;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);

        if ((line > 0 && put_indent(w, indent) < 0) || put(w, text, line) < 0 ||
            put(w, "\n", 1) < 0)
            return -1;
        text += line + 1;
    }
    return 0;
}

static int put_escape(struct writer *w, const char *text, size_t len)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned code = c[0];
    char escape[8];

    if (len == 2)
        code = (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
    else if (len == 3)
        code = (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
    (void)snprintf(escape, sizeof(escape), "\\u%04x", code);
    return put(w, escape, strlen(escape));
}

static int write_quoted(struct writer *w, const char *text, size_t len)
{
    struct buf quoted = BUF_INIT(w->out->max);
    int rc = jsn_add_string(&quoted, text, len);

    for (size_t i = 0, run; rc == 0 && i < quoted.len; i += run) {
        run = awkward(quoted.data + i, quoted.len - i);
        if (run > 0) {
            rc = put_escape(w, quoted.data + i, run);
        } else {
            while (i + run < quoted.len && !awkward(quoted.data + i + run, quoted.len - i - run))
                run++;
            rc = put(w, quoted.data + i, run);
        }
    }
    buf_done(&quoted);
    return rc < 0 ? err_set(w->err, ERR_TOO_LARGE, "the document is too large") : 0;
}

static int write_text(struct writer *w, const char *text, size_t len, size_t indent)
{
    if (literal(text, len))
        return write_literal(w, text, len, indent > 0 ? indent : STEP);
    if ((plain(w, text, len) ? put(w, text, len) : write_quoted(w, text, len)) < 0)
        return -1;
    return put(w, "\n", 1);
}

static int write_object(struct writer *w, struct json_object *json, size_t indent, bool in_list)
{
    bool first = true;

    json_object_object_foreach(json, key, value)
    {
        size_t len = strlen(key);

        /* the first member of a list's item stands behind its dash */
        if ((!first || !in_list) && put_indent(w, indent) < 0)
            return -1;
        first = false;
        if ((plain(w, key, len) ? put(w, key, len) : write_quoted(w, key, len)) < 0 ||
            put(w, ":", 1) < 0 || write_value(w, value, indent + STEP, false) < 0)
            return -1;
    }
    return 0;
}

static int write_array(struct writer *w, struct json_object *json, size_t indent, bool in_list)
{
    for (size_t i = 0; i < json_object_array_length(json); i++) {
        if ((i > 0 || !in_list) && put_indent(w, indent) < 0)
            return -1;
        if (put(w, "-", 1) < 0 ||
            write_value(w, json_object_array_get_idx(json, i), indent + STEP, true) < 0)
            return -1;
    }
    return 0;
}

static bool empty_container(struct json_object *json)
{
    return (json_object_is_type(json, json_type_object) && json_object_object_length(json) == 0) ||
           (json_object_is_type(json, json_type_array) && json_object_array_length(json) == 0);
}

/* YAML 1.1 takes 1e3 for a text: a number needs its point and its exponent a sign. */
static int write_double(struct writer *w, struct json_object *json)
{
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
    char number[48];
    size_t whole;

    if (yml_rules_type(w->rules, text, strlen(text)) == YML_FLOAT)
        return put(w, text, strlen(text));
    (void)snprintf(number, sizeof(number), "%.17g", json_object_get_double(json));
    whole = strcspn(number, "e");
    if (put(w, number, whole) < 0 || (!memchr(number, '.', whole) && put(w, ".0", 2) < 0))
        return -1;
    return put(w, number + whole, strlen(number + whole));
}

/* What stands behind "key:" or "-": on the same line, or on lines of its own. */
static int write_value(struct writer *w, struct json_object *json, size_t indent, bool in_list)
{
    bool object = json_object_is_type(json, json_type_object);
    const char *text;

    if ((object || json_object_is_type(json, json_type_array)) && !empty_container(json)) {
        if (put(w, in_list ? " " : "\n", 1) < 0)
            return -1;
        return object ? write_object(w, json, indent, in_list)
                      : write_array(w, json, indent, in_list);
    }
    if (put(w, " ", 1) < 0)
        return -1;
    if (json_object_is_type(json, json_type_string))
        return write_text(w, json_object_get_string(json), (size_t)json_object_get_string_len(json),
                          indent);
    text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
    if ((json_object_is_type(json, json_type_double) ? write_double(w, json)
                                                     : put(w, text, strlen(text))) < 0)
        return -1;
    return put(w, "\n", 1);
}

int yml_add_tree(struct buf *b, struct json_object *json, struct err *err)
{
    struct yml_rules *rules = yml_rules_new(err);
    struct writer w = {b, rules, err};
    int rc;

    if (!rules)
        return -1;
    if (json_object_is_type(json, json_type_object) && !empty_container(json))
        rc = write_object(&w, json, 0, false);
    else if (json_object_is_type(json, json_type_array) && !empty_container(json))
        rc = write_array(&w, json, 0, false);
    else
        rc = put(&w, "---", 3) < 0 ? -1 : write_value(&w, json, 0, false);
    yml_rules_free(rules);
    return rc;
}

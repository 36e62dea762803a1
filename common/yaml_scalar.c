/* SPDX-License-Identifier: GPL-3.0-or-later
 * Plain scalars: a table of patterns gives the type, small functions give the value. */
#include "common/yaml_scalar.h"

#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No number, word or date is longer; what is longer is text and need not be matched. */
#define PLAIN_MAX 100

static const struct {
    enum yml_type type;
    const char *pattern;
} patterns[] = {
    {YML_NULL, "^(~|null|Null|NULL|)$"},
    {YML_TRUE, "^(yes|Yes|YES|true|True|TRUE|on|On|ON)$"},
    {YML_FALSE, "^(no|No|NO|false|False|FALSE|off|Off|OFF)$"},
    {YML_INT, "^[-+]?(0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$"},
    {YML_INT, "^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$"},
    {YML_FLOAT, "^[-+]?[0-9][0-9_]*\\.[0-9_]*([eE][-+][0-9]+)?$"},
    {YML_FLOAT, "^\\.[0-9][0-9_]*([eE][-+][0-9]+)?$"},
    {YML_FLOAT, "^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\\.[0-9_]*$"},
    {YML_FLOAT, "^[-+]?\\.(inf|Inf|INF)$"},
    {YML_FLOAT, "^\\.(nan|NaN|NAN)$"},
};
#define PATTERN_COUNT (sizeof(patterns) / sizeof(patterns[0]))

struct yml_rules {
    regex_t compiled[PATTERN_COUNT];
    size_t count;
};

struct yml_rules *yml_rules_new(struct err *err)
{
    struct yml_rules *rules = calloc(1, sizeof(*rules));

    if (!rules) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    for (; rules->count < PATTERN_COUNT; rules->count++) {
        if (regcomp(&rules->compiled[rules->count], patterns[rules->count].pattern,
                    REG_EXTENDED | REG_NOSUB) != 0) {
            (void)err_set(err, ERR_INTERNAL, "could not compile pattern %zu", rules->count);
            yml_rules_free(rules);
            return NULL;
        }
    }
    return rules;
}

void yml_rules_free(struct yml_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->count; i++)
        regfree(&rules->compiled[i]);
    free(rules);
}

enum yml_type yml_rules_type(const struct yml_rules *rules, const char *text, size_t len)
{
    char plain[PLAIN_MAX + 1];

    if (len > PLAIN_MAX || (len > 0 && memchr(text, '\0', len)))
        return YML_STRING;
    if (len > 0)
        memcpy(plain, text, len);
    plain[len] = '\0';
    for (size_t i = 0; i < rules->count; i++)
        if (regexec(&rules->compiled[i], plain, 0, NULL, 0) == 0)
            return patterns[i].type;
    return YML_STRING;
}

/* A number without its underscores, in lower case, its sign apart. */
struct digits {
    char text[PLAIN_MAX + 1];
    bool negative;
};

static void digits_take(struct digits *digits, const char *text, size_t len)
{
    size_t out = 0;

    digits->negative = len > 0 && text[0] == '-';
    for (size_t i = len > 0 && (text[0] == '-' || text[0] == '+'); i < len && out < PLAIN_MAX; i++)
        if (text[i] != '_')
            digits->text[out++] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    digits->text[out] = '\0';
}

/* 1:30 is one times sixty plus thirty. */
static int sexagesimal(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    char *end;

    for (;; text = end + 1) {
        uint64_t part;

        errno = 0;
        part = strtoull(text, &end, 10);
        if (end == text || errno)
            return -1;
        if (__builtin_mul_overflow(value, 60, &value) ||
            __builtin_add_overflow(value, part, &value))
            return -1;
        if (*end != ':') {
            *ret_value = value;
            return *end ? -1 : 0;
        }
    }
}

static int magnitude(const char *text, uint64_t *ret_value)
{
    const char *start = text;
    int base = 10;
    char *end;

    if (strchr(text, ':'))
        return sexagesimal(text, ret_value);
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        start = text + 2;
    } else if (text[0] == '0' && text[1] == 'b') {
        base = 2;
        start = text + 2;
    } else if (text[0] == '0') {
        base = 8;
    }
    errno = 0;
    *ret_value = strtoull(start, &end, base);
    return end == start || *end || errno ? -1 : 0;
}

static int int_value(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    struct digits digits;
    uint64_t value;

    digits_take(&digits, text, len);
    if (magnitude(digits.text, &value) < 0 || value > (uint64_t)INT64_MAX + digits.negative)
        return err_set(err, ERR_INVALID, "an integer that does not fit in 64 bits");
    *ret_json = json_object_new_int64((int64_t)(digits.negative ? 0 - value : value));
    return *ret_json ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

/* The shortest text that reads back as the same value, with a point or an exponent in it. */
static void shortest(double value, char *text, size_t size)
{
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(text, size, "%.*g", precision, value);
        if (memcmp(&(double){strtod(text, NULL)}, &value, sizeof(value)) == 0)
            break;
    }
    if (!strpbrk(text, ".e"))
        (void)snprintf(text + strlen(text), size - strlen(text), ".0");
}

static int float_value(const char *text, size_t len, struct json_object **ret_json, struct err *err)
{
    char shown[40];
    struct digits digits;
    double value = 0;
    char *part = digits.text;

    digits_take(&digits, text, len);
    if (strstr(digits.text, "inf") || strstr(digits.text, "nan"))
        return err_set(err, ERR_INVALID, "a number that JSON cannot hold");
    for (char *colon; (colon = strchr(part, ':')); part = colon + 1)
        value = (value + strtod(part, NULL)) * 60;
    value += strtod(part, NULL);
    if (!isfinite(value))
        return err_set(err, ERR_INVALID, "a number that is too large");
    if (digits.negative)
        value = -value;
    shortest(value, shown, sizeof(shown));
    *ret_json = json_object_new_double_s(value, shown);
    return *ret_json ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

int yml_scalar_value(enum yml_type type, const char *text, size_t len,
                     struct json_object **ret_json, struct err *err)
{
    struct json_object *json = NULL;

    switch (type) {
    case YML_NULL:
        *ret_json = NULL;
        return 0;
    case YML_INT:
        return int_value(text, len, ret_json, err);
    case YML_FLOAT:
        return float_value(text, len, ret_json, err);
    case YML_TRUE:
    case YML_FALSE:
        json = json_object_new_boolean(type == YML_TRUE);
        break;
    case YML_STRING:
    default:
        json = json_object_new_string_len(text, (int)len);
        break;
    }
    if (!json)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *ret_json = json;
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * One converter for each scalar type; each takes what today's clients send. */
#include "common/schema_value.h"

#include "common/address.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "common/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NUMBER_TEXT_MAX 64 /* longer text is no number that fits */

typedef int (*scalar_fn)(const struct schema_field *field, struct json_object *value,
                         struct json_object **ret_value, struct err *err);

static int give(struct json_object *value, struct json_object **ret_value, struct err *err)
{
    if (!value)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *ret_value = value;
    return 0;
}

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_INVALID, "%s", why);
}

/* True if word is one of the words in list, which are separated by blanks. */
static bool is_listed(const char *list, const char *word)
{
    size_t len = strlen(word);

    if (len == 0 || strchr(word, ' '))
        return false;
    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static int check_text(const struct schema_field *field, struct json_object *value, struct err *err)
{
    const char *text;
    size_t len;

    if (!json_object_is_type(value, json_type_string))
        return refuse(err, "not a string");
    text = json_object_get_string(value);
    len = (size_t)json_object_get_string_len(value);
    if (!field->any_text && memchr(text, '\0', len))
        return refuse(err, "must not contain U+0000");
    if (field->min > 0 && utf8_count(text, len) < (size_t)field->min)
        return err_set(err, ERR_INVALID, "shorter than %lld characters", (long long)field->min);
    if (field->max > 0 && len > (size_t)field->max)
        return err_set(err, ERR_INVALID, "longer than %lld bytes", (long long)field->max);
    if (field->one_of && !is_listed(field->one_of, text))
        return err_set(err, ERR_INVALID, "must be one of: %s", field->one_of);
    return 0;
}

static int take_string(const struct schema_field *field, struct json_object *value,
                       struct json_object **ret_value, struct err *err)
{
    if (check_text(field, value, err) < 0)
        return -1;
    *ret_value = json_object_get(value);
    return 0;
}

/* Copies the text without blanks around it and without single underscores between digits. */
static bool tidy_number(struct json_object *value, char ret_text[static NUMBER_TEXT_MAX])
{
    const char *text = json_object_get_string(value);
    const char *end = text + json_object_get_string_len(value);
    size_t len = 0;

    while (text < end && isspace((unsigned char)*text))
        text++;
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    for (; text < end; text++) {
        if (*text == '_' && len > 0 && isdigit((unsigned char)ret_text[len - 1]) &&
            text + 1 < end && isdigit((unsigned char)text[1]))
            continue;
        if (*text == '\0' || len + 1 >= NUMBER_TEXT_MAX)
            return false;
        ret_text[len++] = *text;
    }
    ret_text[len] = '\0';
    return true;
}

static bool int_of_text(struct json_object *value, int64_t *ret_number)
{
    char text[NUMBER_TEXT_MAX];

    return tidy_number(value, text) &&
           parse_int64(text, INT64_MIN, INT64_MAX, ret_number, NULL) == 0;
}

static bool int_of_double(double value, int64_t *ret_number)
{
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0))
        return false;
    *ret_number = (int64_t)value; /* towards 0 */
    return true;
}

static bool int_of(struct json_object *value, int64_t *ret_number)
{
    switch (json_object_get_type(value)) {
    case json_type_int:
        *ret_number = json_object_get_int64(value);
        return true;
    case json_type_double:
        return int_of_double(json_object_get_double(value), ret_number);
    case json_type_string:
        return int_of_text(value, ret_number);
    case json_type_null:
    case json_type_boolean:
    case json_type_object:
    case json_type_array:
    default:
        return false;
    }
}

static int take_int(const struct schema_field *field, struct json_object *value,
                    struct json_object **ret_value, struct err *err)
{
    int64_t number;

    if (!int_of(value, &number))
        return refuse(err, "not an integer");
    if ((field->min != 0 || field->max != 0) && (number < field->min || number > field->max))
        return err_set(err, ERR_INVALID, "must be between %lld and %lld", (long long)field->min,
                       (long long)field->max);
    return give(json_object_new_int64(number), ret_value, err);
}

static bool bool_of_number(double number, bool *ret_flag)
{
    *ret_flag = number > 0;
    return !(number < 0) && (!*ret_flag || !(number < 1 || number > 1));
}

static int take_bool(const struct schema_field *field, struct json_object *value,
                     struct json_object **ret_value, struct err *err)
{
    bool flag = false, good = false;

    (void)field;
    if (json_object_is_type(value, json_type_boolean))
        return give(json_object_get(value), ret_value, err);
    if (json_object_is_type(value, json_type_string))
        good = parse_bool(json_object_get_string(value), &flag, NULL) == 0 &&
               strlen(json_object_get_string(value)) == (size_t)json_object_get_string_len(value);
    else if (json_object_is_type(value, json_type_int) ||
             json_object_is_type(value, json_type_double))
        good = bool_of_number(json_object_get_double(value), &flag);
    if (!good)
        return refuse(err, "not a boolean");
    return give(json_object_new_boolean(flag), ret_value, err);
}

/* Text: a bare number as Python reads it ("007", "+5", "1_000"), or units. */
static int duration_of_text(struct json_object *value, int64_t *ret_seconds, struct err *err)
{
    char text[NUMBER_TEXT_MAX];

    if (!tidy_number(value, text))
        return refuse(err, "not a duration");
    if (parse_int64(text, INT64_MIN, INT64_MAX, ret_seconds, NULL) == 0)
        return 0;
    return parse_duration(text, ret_seconds, NULL) < 0
               ? refuse(err, "not a duration: want seconds, or numbers with units such as 1d5h30m")
               : 0;
}

static int take_duration(const struct schema_field *field, struct json_object *value,
                         struct json_object **ret_value, struct err *err)
{
    int64_t seconds;

    (void)field;
    switch (json_object_get_type(value)) {
    case json_type_boolean: /* today's clients may send true for 1 */
    case json_type_int:
        seconds = json_object_get_int64(value);
        break;
    case json_type_string:
        if (duration_of_text(value, &seconds, err) < 0)
            return -1;
        break;
    case json_type_null:
    case json_type_double:
    case json_type_object:
    case json_type_array:
    default:
        return refuse(err, "a duration is an integer or a string");
    }
    if (seconds < 0)
        return refuse(err, "a duration cannot be negative");
    return give(json_object_new_int64(seconds), ret_value, err);
}

static int take_datetime(const struct schema_field *field, struct json_object *value,
                         struct json_object **ret_value, struct err *err)
{
    int64_t us;

    if (check_text(field, value, err) < 0)
        return -1;
    if (parse_time(json_object_get_string(value), &us, NULL) < 0)
        return refuse(err, "not a date and time of RFC 3339");
    return give(json_object_get(value), ret_value, err);
}

static int take_url(const struct schema_field *field, struct json_object *value,
                    struct json_object **ret_value, struct err *err)
{
    if (check_text(field, value, err) < 0)
        return -1;
    if (!address_is_url(json_object_get_string(value)))
        return refuse(err, "not a URL of http, https, ftp or ftps with a host");
    return give(json_object_get(value), ret_value, err);
}

static int take_email(const struct schema_field *field, struct json_object *value,
                      struct json_object **ret_value, struct err *err)
{
    if (check_text(field, value, err) < 0)
        return -1;
    if (!address_is_email(json_object_get_string(value)))
        return refuse(err, "not an e-mail address");
    return give(json_object_get(value), ret_value, err);
}

static const scalar_fn scalars[] = {
    [SCHEMA_STRING] = take_string,     [SCHEMA_INT] = take_int,           [SCHEMA_BOOL] = take_bool,
    [SCHEMA_DURATION] = take_duration, [SCHEMA_DATETIME] = take_datetime, [SCHEMA_URL] = take_url,
    [SCHEMA_EMAIL] = take_email,
};

bool schema_is_scalar(enum schema_type type)
{
    return (size_t)type < sizeof(scalars) / sizeof(scalars[0]) && scalars[type];
}

int schema_scalar(const struct schema_field *field, struct json_object *value,
                  struct json_object **ret_value, struct err *err)
{
    return scalars[field->type](field, value, ret_value, err);
}

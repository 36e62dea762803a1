/* SPDX-License-Identifier: GPL-3.0-or-later
 * Percent decoding and the query string.  Decoding shortens, so it is done in place in one copy of
 * the text. */
#include "server/http/target.h"

#include "common/parse.h"

#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX in place, and + as a blank if plus is set; what is no escape stays as it is.  Returns
 * the new length; a NUL is put behind it. */
static size_t decode(char *text, bool plus)
{
    char *out = text;

    for (const char *in = text; *in; in++) {
        int high = *in == '%' ? hex_value(in[1]) : -1;
        int low = high >= 0 ? hex_value(in[2]) : -1;

        if (low >= 0) {
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else {
            *out++ = plus && *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* Decodes one half of a parameter and checks it. */
static int decode_value(char *text, struct err *err)
{
    size_t len = decode(text, true);

    if (memchr(text, '\0', len))
        return err_set(err, ERR_BAD_REQUEST, "query holds a zero character");
    if (!parse_utf8_valid(text, len))
        return err_set(err, ERR_BAD_REQUEST, "query is not UTF-8");
    return 0;
}

static int add_parameter(struct target *target, char *text, struct err *err)
{
    struct pair *pair = &target->query[target->query_count];
    char *equals = strchr(text, '=');

    if (equals)
        *equals++ = '\0';
    pair->name = text;
    pair->value = equals ? equals : "";
    if (decode_value(text, err) < 0 || (equals && decode_value(equals, err) < 0))
        return -1;
    target->query_count++;
    return 0;
}

static size_t count_parameters(const char *query)
{
    size_t count = 1;

    for (; *query; query++)
        if (*query == '&')
            count++;
    return count;
}

static int parse_query(struct target *target, char *query, struct err *err)
{
    size_t count = count_parameters(query);
    char *rest = query;
    char *one;

    if (count > REQUEST_QUERY_MAX)
        return err_set(err, ERR_BAD_REQUEST, "more than %d parameters in the query",
                       REQUEST_QUERY_MAX);
    target->query = calloc(count, sizeof(*target->query));
    if (!target->query)
        return err_set(err, ERR_INTERNAL, "out of memory");
    while ((one = strsep(&rest, "&")))
        if (*one && add_parameter(target, one, err) < 0)
            return -1;
    return 0;
}

int target_parse(const char *raw, struct target *ret_target, struct err *err)
{
    size_t size = strlen(raw) + 1;
    struct target target = {.memory = malloc(2 * size)};
    char *query;
    int rc = 0;

    if (!target.memory)
        return err_set(err, ERR_INTERNAL, "out of memory");
    target.path = target.memory;
    memcpy(target.path, raw, size);
    query = strchr(target.path, '?');
    if (query) {
        *query++ = '\0';
        rc = parse_query(&target, query, err);
    }
    target.path_len = decode(target.path, false);
    target.parts = target.memory + size;
    memcpy(target.parts, target.path, target.path_len + 1);
    target.path_valid = target.path[0] == '/' && !memchr(target.path, '\0', target.path_len) &&
                        parse_utf8_valid(target.path, target.path_len);
    *ret_target = target;
    return rc;
}

void target_done(struct target *target)
{
    free(target->query);
    free(target->memory);
    *target = (struct target){0};
}

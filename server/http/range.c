/* SPDX-License-Identifier: GPL-3.0-or-later
 * Range and If-Range (RFC 9110, 14): one range of bytes.  A header that makes no sense is no
 * header, as the standard wants it. */
#include "server/http/request.h"

#include <string.h>
#include <strings.h>

/* Digits at *text, as many as there are; more than 64 bits hold counts as the largest number.
 * Returns -1 if there is none. */
static int64_t take_number(const char **text)
{
    const char *p = *text;
    int64_t value = 0;

    for (; *p >= '0' && *p <= '9'; p++)
        value = value > (INT64_MAX - 9) / 10 ? INT64_MAX : value * 10 + (*p - '0');
    if (p == *text)
        return -1;
    *text = p;
    return value;
}

/* "bytes=5-9", "bytes=5-", "bytes=-5" -> first, last; -1: not given.  False for anything else. */
static bool parse_range(const char *text, int64_t *ret_first, int64_t *ret_last)
{
    static const char unit[] = "bytes=";

    if (strncasecmp(text, unit, sizeof(unit) - 1) != 0)
        return false;
    text += sizeof(unit) - 1;
    text += strspn(text, " \t");
    *ret_first = take_number(&text);
    if (*text++ != '-')
        return false;
    *ret_last = take_number(&text);
    text += strspn(text, " \t");
    if (*text || (*ret_first < 0 && *ret_last < 0))
        return false;
    return *ret_first < 0 || *ret_last < 0 || *ret_first <= *ret_last;
}

/* If-Range: only this very version, and only by a strong tag. */
static bool is_of_version(const struct request *req, const char *version)
{
    const char *tag = request_header(req, "if-range");
    size_t len = strlen(version);

    return !tag || (strlen(tag) == len + 2 && tag[0] == '"' && tag[len + 1] == '"' &&
                    strncmp(tag + 1, version, len) == 0);
}

enum range_kind request_range(const struct request *req, const char *version, int64_t size,
                              struct byte_range *ret_range)
{
    const char *text = request_header(req, "range");
    int64_t first, last;

    if (!text || strcmp(req->method, "GET") != 0 || !is_of_version(req, version) ||
        !parse_range(text, &first, &last))
        return RANGE_WHOLE;
    if (first < 0) { /* the last so many bytes */
        first = last < size ? size - last : 0;
        if (last == 0)
            return RANGE_NONE;
        last = size - 1;
    }
    if (first >= size)
        return RANGE_NONE;
    *ret_range = (struct byte_range){first, last < 0 || last >= size ? size - 1 : last};
    return RANGE_PART;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Text to numbers, durations, UUIDs and UTF-8 checks.  Times are in parse_time.c. */
#include "common/parse.h"

#include "common/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

bool parse_digits(const char *text, size_t len, int64_t *ret_value)
{
    bool negative = len > 0 && text[0] == '-';
    int64_t value = 0;

    /* counted downwards, since the smallest number has no positive twin */
    for (size_t i = negative; i < len; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[i] - '0', &value))
            return false;
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *ret_value = value;
    return true;
}

int parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret_value, struct err *err)
{
    const char *unsigned_part = text + (*text == '-' || *text == '+');
    const char *digits = *text == '+' ? unsigned_part : text;
    int64_t value;

    if (!*unsigned_part || unsigned_part[strspn(unsigned_part, "0123456789")])
        return err_set(err, ERR_INVALID, "\"%.100s\" is not a number", text);
    if (!parse_digits(digits, strlen(digits), &value))
        return err_set(err, ERR_INVALID, "number \"%.100s\" is out of range", text);
    if (value < min || value > max)
        return err_set(err, ERR_INVALID, "number %lld is not between %lld and %lld",
                       (long long)value, (long long)min, (long long)max);
    *ret_value = value;
    return 0;
}

int parse_bool(const char *text, bool *ret_value, struct err *err)
{
    static const char *const words[2][6] = {{"false", "no", "off", "f", "n", "0"},
                                            {"true", "yes", "on", "t", "y", "1"}};

    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 6; i++)
            if (strcasecmp(text, words[value][i]) == 0) {
                *ret_value = value == 1;
                return 0;
            }
    return err_set(err, ERR_INVALID, "\"%.100s\" is neither true nor false", text);
}

static int64_t unit_seconds(const char *unit, size_t len)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {
        {"s", 1},        {"sec", 1},      {"secs", 1},    {"second", 1},
        {"seconds", 1},  {"m", 60},       {"min", 60},    {"mins", 60},
        {"minute", 60},  {"minutes", 60}, {"h", 3600},    {"hour", 3600},
        {"hours", 3600}, {"d", 86400},    {"day", 86400}, {"days", 86400},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, unit, len) == 0)
            return units[i].seconds;
    return 0;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n\v\f");
}

/* Reads "12 hours" at *pp, adds it to *total and moves on; false if there is none, or too large. */
static bool add_group(const char **pp, int64_t *total)
{
    const char *p = *pp;
    const char *unit;
    int64_t number = 0;
    int64_t seconds;

    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *p - '0', &number))
            return false;
    unit = p = skip_blanks(p);
    while (isalpha((unsigned char)*p))
        p++;
    seconds = unit_seconds(unit, (size_t)(p - unit));
    if (seconds == 0 || __builtin_mul_overflow(number, seconds, &number) ||
        __builtin_add_overflow(*total, number, total))
        return false;
    *pp = skip_blanks(p);
    return true;
}

int parse_duration(const char *text, int64_t *ret_seconds, struct err *err)
{
    const char *p = skip_blanks(text);
    int64_t total = 0;

    if (parse_int64(text, 0, INT64_MAX, ret_seconds, NULL) == 0)
        return 0;
    if (!*p)
        return err_set(err, ERR_INVALID, "the duration is empty");
    while (*p)
        if (!add_group(&p, &total))
            return err_set(err, ERR_INVALID,
                           "\"%.100s\" is not a duration (seconds, or like 1d5h30m)", text);
    *ret_seconds = total;
    return 0;
}

int parse_uuid(const char *text, size_t len, char ret_uuid[static UUID_TEXT_SIZE], struct err *err)
{
    char digits[32];
    size_t n = 0;

    if (len >= 9 && strncasecmp(text, "urn:uuid:", 9) == 0) {
        text += 9;
        len -= 9;
    }
    if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
        text++;
        len -= 2;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-')
            continue;
        if (n == sizeof(digits) || !isxdigit((unsigned char)text[i]))
            return err_set(err, ERR_BAD_REQUEST, "invalid job id");
        digits[n++] = (char)tolower((unsigned char)text[i]);
    }
    if (n != sizeof(digits))
        return err_set(err, ERR_BAD_REQUEST, "invalid job id");
    (void)snprintf(ret_uuid, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8,
                   digits + 12, digits + 16, digits + 20);
    return 0;
}

bool parse_utf8_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf8_char_len(text + i, len - i);

        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

int uuid_make(int64_t realtime_us, char ret_uuid[static UUID_TEXT_SIZE], struct err *err)
{
    unsigned char b[16];
    uint64_t ms = (uint64_t)(realtime_us / 1000);

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        return err_set(err, ERR_INTERNAL, "could not get random bytes");
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    (void)snprintf(ret_uuid, UUID_TEXT_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return 0;
}

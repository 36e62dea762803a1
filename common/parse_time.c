/* SPDX-License-Identifier: GPL-3.0-or-later
 * RFC 3339 / ISO 8601 times: "2026-01-31T12:34:56.789012+00:00", also with a blank for the T,
 * without seconds, without a zone (then UTC), with Z or an offset.  Leap seconds count as :59. */
#include "common/parse.h"

#include <string.h>
#include <time.h>

/* Reads exactly n digits at *pp. */
static bool digits(const char **pp, int n, int min, int max, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < n; i++, (*pp)++) {
        if (**pp < '0' || **pp > '9')
            return false;
        value = value * 10 + (**pp - '0');
    }
    if (value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

static bool literal(const char **pp, const char *any_of)
{
    if (!**pp || !strchr(any_of, **pp))
        return false;
    (*pp)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool parse_date(const char **pp, struct tm *tm)
{
    int year;
    int month;
    int day;

    if (!digits(pp, 4, 1, 9999, &year) || !literal(pp, "-") || !digits(pp, 2, 1, 12, &month) ||
        !literal(pp, "-") || !digits(pp, 2, 1, days_in_month(year, month), &day))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return true;
}

/* Fractions beyond microseconds are cut. */
static bool parse_clock(const char **pp, struct tm *tm, int64_t *ret_us)
{
    int64_t unit = 100000;

    *ret_us = 0;
    if (!digits(pp, 2, 0, 23, &tm->tm_hour) || !literal(pp, ":") ||
        !digits(pp, 2, 0, 59, &tm->tm_min))
        return false;
    if (**pp != ':')
        return true;
    (*pp)++;
    if (!digits(pp, 2, 0, 60, &tm->tm_sec))
        return false;
    if (tm->tm_sec == 60)
        tm->tm_sec = 59;
    if (!literal(pp, ".,"))
        return true;
    if (**pp < '0' || **pp > '9')
        return false;
    for (; **pp >= '0' && **pp <= '9'; (*pp)++, unit /= 10)
        *ret_us += (**pp - '0') * unit;
    return true;
}

static bool parse_zone(const char **pp, int *ret_offset_s)
{
    int sign;
    int hours;
    int minutes = 0;

    *ret_offset_s = 0;
    if (!**pp || literal(pp, "Zz"))
        return true;
    sign = **pp == '-' ? -1 : 1;
    if (!literal(pp, "+-") || !digits(pp, 2, 0, 23, &hours))
        return false;
    (void)literal(pp, ":");
    if (**pp && !digits(pp, 2, 0, 59, &minutes))
        return false;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

int parse_time(const char *text, int64_t *ret_us, struct err *err)
{
    const char *p = text;
    struct tm tm = {.tm_mday = 1};
    int64_t us = 0;
    int offset_s = 0;

    if (!parse_date(&p, &tm) || !literal(&p, "Tt ") || !parse_clock(&p, &tm, &us) ||
        !parse_zone(&p, &offset_s) || *p)
        return err_set(err, ERR_INVALID, "\"%.60s\" is not a date and time (RFC 3339)", text);
    *ret_us = ((int64_t)timegm(&tm) - offset_s) * 1000000 + us;
    return 0;
}

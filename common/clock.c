/* SPDX-License-Identifier: GPL-3.0-or-later
 * The system's clocks, and RFC 3339 output. */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t system_monotonic_ms(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_realtime_us(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const struct clock clock_system = {system_monotonic_ms, system_realtime_us};

void clock_format_us(int64_t realtime_us, char text[static CLOCK_TEXT_SIZE])
{
    int64_t us = realtime_us % 1000000;
    time_t seconds = (time_t)(realtime_us / 1000000);
    struct tm tm;
    size_t len;

    if (us < 0) {
        us += 1000000;
        seconds--;
    }
    if (!gmtime_r(&seconds, &tm))
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    len = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + len, CLOCK_TEXT_SIZE - len, ".%06u+00:00", (unsigned)us);
}

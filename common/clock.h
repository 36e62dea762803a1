/* SPDX-License-Identifier: GPL-3.0-or-later
 * The one door to time.  Programs pass a struct clock down; tests pass their own. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 40

struct clock {
    int64_t (*monotonic_ms)(const struct clock *clock); /* never goes back; origin unspecified */
    int64_t (*realtime_us)(const struct clock *clock);  /* microseconds since 1970 UTC */
};

extern const struct clock clock_system;

static inline int64_t clock_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock);
}
static inline int64_t clock_us(const struct clock *clock)
{
    return clock->realtime_us(clock);
}

/* Writes "2026-01-31T12:34:56.789012+00:00" (RFC 3339, UTC). */
void clock_format_us(int64_t realtime_us, char text[static CLOCK_TEXT_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Up by doubling, down by a quarter of the time that went by. */
#include "server/http/pace.h"

#define WINDOW_MS 1000

static void raise_pause(struct pace *p, int64_t now_ms)
{
    if (now_ms < p->raise_ms)
        return;
    p->pause_ms = p->pause_ms ? p->pause_ms * 2 : PACE_LEAST_MS;
    if (p->pause_ms > PACE_MOST_MS)
        p->pause_ms = PACE_MOST_MS;
    p->raise_ms = now_ms + p->pause_ms;
}

static void lower_pause(struct pace *p, int64_t passed_ms)
{
    p->pause_ms -= passed_ms / 4;
    if (p->pause_ms < PACE_LEAST_MS) {
        p->pause_ms = 0;
        p->raise_ms = 0;
    }
}

void pace_note(struct pace *p, int64_t now_ms, int64_t took_us)
{
    int64_t passed_ms = now_ms - p->since_ms;
    int64_t mean_us;

    p->sum_us += took_us;
    p->count++;
    if (passed_ms < WINDOW_MS)
        return;
    mean_us = p->sum_us / p->count;
    if (mean_us >= PACE_LOADED_US)
        raise_pause(p, now_ms);
    else if (mean_us < PACE_LOADED_US / 2 && p->pause_ms > 0)
        lower_pause(p, passed_ms);
    p->since_ms = now_ms;
    p->sum_us = 0;
    p->count = 0;
}

/* The fractions of multiples of the golden section never come close to each other. */
int pace_tell(struct pace *p)
{
    uint32_t part = p->told++ * 2654435769U;
    int64_t more_ms = (int64_t)((uint64_t)(p->pause_ms / 2) * part >> 32);

    return (int)((p->pause_ms + more_ms) / 1000);
}

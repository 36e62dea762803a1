/* SPDX-License-Identifier: GPL-3.0-or-later
 * A bucket that holds what may go out in one second. */
#include "agent/rate.h"

#include <assert.h>

#define LONG_MS (INT64_C(30) * 24 * 3600 * 1000) /* the product below has room for it */

void rate_init(struct rate *r, int64_t rate, int64_t now_ms)
{
    assert(rate >= 0 && rate <= RATE_MAX);
    *r = (struct rate){rate, rate, now_ms};
}

static void refill(struct rate *r, int64_t now_ms)
{
    int64_t passed_ms = now_ms - r->last_ms;
    int64_t more = r->rate * (passed_ms < LONG_MS ? passed_ms : LONG_MS) / 1000;

    if (more <= 0) /* less than a byte: it counts the next time */
        return;
    r->last_ms = now_ms;
    r->budget = r->budget + more < r->rate ? r->budget + more : r->rate;
}

int64_t rate_wait_ms(struct rate *r, int64_t now_ms)
{
    if (r->rate == 0)
        return 0;
    refill(r, now_ms);
    return r->budget > 0 ? 0 : -r->budget * 1000 / r->rate + 1;
}

void rate_spend(struct rate *r, size_t bytes)
{
    if (r->rate > 0)
        r->budget -= (int64_t)bytes;
}

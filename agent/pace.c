/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two headers and a little randomness. */
#include "agent/pace.h"

#include "common/parse.h"

#include <sys/random.h>

static int64_t seconds_of(const struct fetch_reply *reply, const char *header, int64_t max)
{
    char text[32];
    int64_t seconds;

    if (fetch_header(reply, header, text, sizeof(text)) < 0 ||
        parse_int64(text, 1, INT64_MAX, &seconds, NULL) < 0)
        return 0;
    return seconds < max ? seconds : max;
}

void pace_of(const struct fetch_reply *reply, struct pace *ret_pace)
{
    *ret_pace = (struct pace){
        .accept_wait_s = seconds_of(reply, "Accept-Wait", PACE_WAIT_MAX_S),
        .retry_after_s = seconds_of(reply, "Retry-After", PACE_RETRY_MAX_S),
    };
}

int64_t pace_spread_ms(int64_t ms, uint32_t random)
{
    return ms + (int64_t)random % (ms / 4 + 1);
}

/* Without randomness agents come back together: that is no reason to end one. */
uint32_t pace_random(void)
{
    uint32_t random = 0;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    return random;
}

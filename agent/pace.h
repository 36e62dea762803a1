/* SPDX-License-Identifier: GPL-3.0-or-later
 * When to ask the server again, if the server says so.  Agents that were told the same at the same
 * moment must not come back at the same moment: what is waited is spread. */
#ifndef AGENT_PACE_H
#define AGENT_PACE_H

#include "fetch/fetch.h"

#include <stdint.h>

/* What a reply says beside its body; 0: nothing. */
struct pace {
    int64_t accept_wait_s; /* Accept-Wait: requests may wait at the server for so long */
    int64_t retry_after_s; /* Retry-After, in seconds (dates are not looked at) */
};

#define PACE_WAIT_MAX_S  300
#define PACE_RETRY_MAX_S 300 /* whatever a server says, or a proxy before it */

void pace_of(const struct fetch_reply *reply, struct pace *ret_pace);

/* From ms to a quarter more, by a random number. */
int64_t pace_spread_ms(int64_t ms, uint32_t random);
uint32_t pace_random(void);

#endif

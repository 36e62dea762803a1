/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rate that holds over time: what was not used may be made up for within a second, no more. */
#ifndef AGENT_RATE_H
#define AGENT_RATE_H

#include <stddef.h>
#include <stdint.h>

#define RATE_MAX (INT64_C(1) << 30)

struct rate {
    int64_t rate;   /* bytes a second; 0: no limit */
    int64_t budget; /* bytes that may go out now; below 0 after a large one */
    int64_t last_ms;
};

void rate_init(struct rate *r, int64_t rate, int64_t now_ms);
/* How long to wait before the next piece may go out; 0: none. */
int64_t rate_wait_ms(struct rate *r, int64_t now_ms);
/* A piece goes out, of any size: a large one makes the next ones wait longer. */
void rate_spend(struct rate *r, size_t bytes);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * How long agents that poll for work are asked to stay away, if at all.  What they meet says
 * whether the server is loaded: the mean time to an answer, by the second.  While it is long they
 * are asked for longer and longer pauses, each tried for as long as it takes to have an effect;
 * when it is short again, for ever shorter ones.  One for each loop thread. */
#ifndef SERVER_HTTP_PACE_H
#define SERVER_HTTP_PACE_H

#include <stdint.h>

#define PACE_LOADED_US 250000 /* an answer usually takes a few milliseconds */
#define PACE_LEAST_MS  15000  /* agents pause for 10 s unasked */
#define PACE_MOST_MS   60000

struct pace {
    int64_t since_ms; /* of what is counted here */
    int64_t sum_us;
    int64_t count;
    int64_t pause_ms; /* 0: as they like */
    int64_t raise_ms; /* not before */
    uint32_t told;
};

/* A poll was answered after so long. */
void pace_note(struct pace *p, int64_t now_ms, int64_t took_us);

/* What to tell the next one, in seconds; 0: nothing.  Up to half as much again as the one before:
 * who is told at the same moment does not come back at the same moment. */
int pace_tell(struct pace *p);

#endif

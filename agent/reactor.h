/* SPDX-License-Identifier: GPL-3.0-or-later
 * The one poll loop: descriptors and timers with the functions to call.  It knows nothing of jobs.
 *
 * Watches and timers belong to their users, who embed them and take them out before they go away.
 * Every function that is called may add and take out others, and itself. */
#ifndef AGENT_REACTOR_H
#define AGENT_REACTOR_H

#include "common/clock.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

#define REACTOR_WATCHES_MAX 24

struct watch {
    int fd;
    void (*ready)(void *arg); /* readable, or the other end is gone */
    void *arg;
};

struct timer {
    void (*fire)(void *arg); /* once; it may set the timer again */
    void *arg;
    int64_t at_ms;
    struct timer *next;
    bool armed;
};

struct reactor {
    const struct clock *clock;
    struct watch *watches[REACTOR_WATCHES_MAX];
    struct timer *timers; /* sorted, earliest first */
    bool stopped;
};

#define REACTOR_INIT(the_clock)                                                                    \
    {                                                                                              \
        .clock = (the_clock)                                                                       \
    }

/* Adding one too many is a mistake of ours: it is asserted. */
void reactor_watch(struct reactor *reactor, struct watch *watch);
/* Fine if it is not being watched. */
void reactor_unwatch(struct reactor *reactor, struct watch *watch);

/* Arms the timer anew; fire and arg must be set. */
void reactor_after(struct reactor *reactor, struct timer *timer, int64_t ms);
void reactor_disarm(struct reactor *reactor, struct timer *timer);

/* Runs until reactor_stop(). */
int reactor_run(struct reactor *reactor, struct err *err);
/* One round: waits at most max_ms (-1: for ever). */
int reactor_round(struct reactor *reactor, int max_ms, struct err *err);
void reactor_stop(struct reactor *reactor);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the service manager hears of the agent: that it is ready, what it is doing, that its loop
 * turns, that it is about to end.  Without a service manager nothing happens. */
#ifndef AGENT_SUPERVISOR_H
#define AGENT_SUPERVISOR_H

#include "agent/reactor.h"

struct supervisor {
    struct reactor *reactor;
    struct timer watchdog;
    int64_t watchdog_ms; /* 0: there is none */
    bool stopping;
};

/* Ready; from now on the watchdog hears from the loop. */
void supervisor_begin(struct supervisor *supervisor, struct reactor *reactor);
void supervisor_end(struct supervisor *supervisor);

/* A line about what the agent is doing. */
void supervisor_say(const struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The agent ends, within so many seconds; only the first call counts. */
void supervisor_stopping(struct supervisor *supervisor, int64_t within_s);

#endif

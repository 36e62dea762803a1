/* SPDX-License-Identifier: GPL-3.0-or-later
 * The times of a lease: a sign of life is due at each third of it, sooner again after one that
 * failed, and the job is given up when the server was not heard of for stop_after.  All by the
 * monotonic clock; what a renewal is, is the user's matter. */
#ifndef AGENT_LEASE_H
#define AGENT_LEASE_H

#include "agent/reactor.h"
#include "agent/record.h"

#include <stdint.h>

struct lease_user {
    void (*renew)(void *arg);       /* it is time */
    void (*silent)(void *arg);      /* the server was not heard of for too long; called once */
    int64_t (*heard_ms)(void *arg); /* when the server was last heard of */
    void *arg;
};

struct lease {
    struct reactor *reactor;
    struct lease_user user;
    int64_t every_ms, again_ms;
    int64_t patience_ms; /* 0: without end */
    struct timer renew, silence;
};

/* first_ms: until the first renewal; less than 0: a third of the lease, since it is new. */
void lease_begin(struct lease *lease, struct reactor *reactor, const struct record_lease *granted,
                 const struct lease_user *user, int64_t first_ms);
/* The renewal under way came to nothing. */
void lease_failed(struct lease *lease);
/* Fine at any time after lease_begin(), and on a zeroed one. */
void lease_end(struct lease *lease);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * The seam between those who change something and those who wait for it (server/http/park,
 * server/db/listener): what may change has a key. */
#ifndef SERVER_WAKE_H
#define SERVER_WAKE_H

#include <stdint.h>

enum wake_kind {
    WAKE_JOB,    /* its state, phases or attempts; name: its id */
    WAKE_QUEUE,  /* a job can be claimed there; name: the queue's */
    WAKE_AGENT,  /* what it told of itself; name: the agent's */
    WAKE_LIMITS, /* who may use a queue; name: the queue's */
};

/* Names make numbers, which are the same in every server and every release: they travel between
 * servers.  Two names of one number only mean a look too many. */
uint64_t wake_key(enum wake_kind kind, const char *name);
/* Sums of these stand for sets of names, inside one server.  Sums of keys do not: the keys of names
 * that differ in their last letters differ by so little that sums of different sets come out equal.
 */
uint64_t wake_share(enum wake_kind kind, const char *name);

struct waker {
    /* Wakes who waits for the key here, and soon on the other servers.  Called after the change was
     * committed, from any thread; does not wait. */
    void (*tell)(struct waker *waker, uint64_t key);
    /* Something has changed, and nobody knows what. */
    void (*tell_all)(struct waker *waker);
};

/* The same; waker NULL: nobody can wait. */
void wake_tell(struct waker *waker, enum wake_kind kind, const char *name);
void wake_tell_key(struct waker *waker, uint64_t key);
void wake_tell_all(struct waker *waker);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that wait for something to change.  They cost a socket and some memory: no thread, no
 * database connection.
 *
 * Whoever has a request looks first, finds nothing, and parks it under the keys of what it waits
 * for.  A change between the look and the parking is not missed: the look begins with a mark, and a
 * key that was woken since refuses the request.  From park_add() until it is woken the request is
 * the registry's; it is woken once, by a key, by its deadline or by the end of the registry, and is
 * its own again then.  All functions may be called from every thread. */
#ifndef SERVER_HTTP_PARK_H
#define SERVER_HTTP_PARK_H

#include "common/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct metrics;
struct park;
struct park_node;

/* What a request waits for. */
struct park_key {
    uint64_t key; /* wake_key() */
    /* Of the requests of one group, only the one that has waited longest is woken: what there is
     * to have, one of them takes.  It hands on with park_pass(). */
    bool in_turn;
};

/* Embedded in what waits; all zero at first. */
struct parked {
    /* Called without a lock when it is woken; it belongs to whoever is called. */
    void (*woken)(struct parked *one);
    const atomic_bool *gone; /* nobody waits for it any more; NULL: cannot happen */
    int64_t deadline_ms;
    int64_t look_ms; /* to be woken then in any case: a lost wake-up costs no more than that */
    uint64_t group;  /* 0: none */
    /* The first of a group is woken then to look for all of it, and the one behind it so long after
     * that; 0: nobody is. */
    int64_t group_look_ms, group_every_ms;
    bool over; /* its time is up, or nothing waits any more: it must not be parked again */
    /* Whom it hands on to, see park_pass(): set when it is woken; 0 if neither by a key nor for its
     * group: nobody. */
    uint64_t chain;
    /* the registry's */
    uint64_t since;
    bool waiting;
    bool chosen;
    size_t node_count;
    struct park_node *nodes;
    TAILQ_ENTRY(parked) link;
    TAILQ_ENTRY(parked) in_group;
    TAILQ_ENTRY(parked) next_woken;
};

struct park *park_new(struct metrics *metrics, struct err *err);
/* Nothing may be parked any more. */
void park_free(struct park *park);

/* To be taken before a look. */
uint64_t park_mark(struct park *park);

enum park_answer {
    PARK_WAITS,   /* the request is the registry's, and may have been woken already */
    PARK_CHANGED, /* something changed since the mark: look again */
    PARK_OVER,    /* time is up, or nothing waits any more (.over is set) */
    PARK_GONE,    /* nobody waits for it */
};

/* park may be NULL: PARK_OVER, as when memory is out. */
enum park_answer park_add(struct park *park, struct parked *one, const struct park_key *keys,
                          size_t count, uint64_t mark);
/* Takes a request out, because nobody waits for it any more.  false: it was not parked any more. */
bool park_leave(struct park *park, struct parked *one);

/* Wakes those who wait for the key. */
void park_wake(struct park *park, uint64_t key);
/* Wakes everybody, in turn or not. */
void park_wake_all(struct park *park);
/* A request of the group that was woken may have left something: wakes the next one that has waited
 * since before the wake-up that began the chain, so that a chain ends. */
void park_pass(struct park *park, uint64_t group, uint64_t chain);
/* Wakes those whose time is up, or who have not looked for long, and of each group that nobody has
 * looked for the first one. */
void park_sweep(struct park *park, int64_t now_ms);
/* Wakes everybody for good. */
void park_close(struct park *park);

#endif

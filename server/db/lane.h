/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/db only: a bounded queue of work between those who hand it in and the threads that
 * take it out, one piece at a time or, where work is cheaper together, many.
 *
 * Work belongs to the lane while it waits and to one worker while it runs; nobody here looks at it
 * afterwards. */
#ifndef SERVER_DB_LANE_H
#define SERVER_DB_LANE_H

#include "server/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;

struct lane {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t ready;
    struct work *first;
    struct work **last;
    size_t waiting;
    int busy;
    bool closed;           /* end when the list is empty */
    int64_t begun_ms;      /* when the last ones that were gathered were taken */
    atomic_size_t counted; /* of those that wait, whoever could have been refused */
    /* constant */
    atomic_size_t *places; /* .counted, of this lane or of the one its work goes on to */
    const struct lane_kind *kind;
    size_t queue_max;
    struct metrics *metrics;
};

enum lane_entry {
    ENTRY_NEW,    /* refused if there is no place */
    ENTRY_PASSED, /* from the lane before: takes a place, but is not refused */
    ENTRY_ALWAYS, /* takes no place away: when all who wait are woken at once, new work is let in */
};

/* next: where its work goes on to; both have queue_max places together.  NULL: nowhere. */
void lane_init(struct lane *lane, enum work_lane which, size_t queue_max, struct lane *next,
               struct metrics *metrics);
/* Its threads have ended. */
void lane_done(struct lane *lane);
void lane_set_size(const struct lane *lane, int threads);
bool lane_gathers(enum work_lane which);

/* -1: full or closed.  What is not new needs an open lane. */
int lane_put(struct lane *lane, struct work *work, enum lane_entry entry);
/* Waits for work and marks the caller as busy with it until lane_leave(); NULL: closed, and nothing
 * is left.  Where work is gathered, what is returned goes on with .next. */
struct work *lane_take(struct lane *lane);
void lane_leave(struct lane *lane);
void lane_close(struct lane *lane);

#endif

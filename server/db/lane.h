/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/db only: bounded queues of work between those who hand it in and the threads that
 * take it out, one piece at a time or, where work is cheaper together, many.
 *
 * Lanes share a crew of threads where the work of one leads to that of the next: a thread that is
 * done looks into all of them before it sleeps, so what is alone goes from lane to lane without
 * another thread having to wake up for it.  A crew has as many threads as its lanes may use at
 * once, so no lane waits for another one.
 *
 * Work belongs to the lane while it waits and to one worker while it runs; nobody here looks at it
 * afterwards. */
#ifndef SERVER_DB_LANE_H
#define SERVER_DB_LANE_H

#include "server/work.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;

struct crew {
    pthread_mutex_t lock; /* guards what follows, and its lanes */
    pthread_cond_t ready;
    bool closed; /* end when the lists are empty */
    /* constant: so many of an array, work goes on from one to the next */
    struct lane *lanes;
    size_t lane_count;
};

/* With the crew's lock. */
struct lane {
    struct work *first;
    struct work **last;
    size_t waiting;
    int busy;         /* threads that are at its work */
    int64_t begun_ms; /* when the last ones that were gathered were taken */
    size_t counted;   /* of those that wait, whoever could have been refused */
    /* constant */
    struct crew *crew;
    int threads_max; /* at once */
    size_t *places;  /* .counted, of this lane or of the one its work is passed on to */
    const struct lane_kind *kind;
    size_t queue_max;
    struct metrics *metrics;
};

enum lane_entry {
    ENTRY_NEW,    /* refused if there is no place */
    ENTRY_PASSED, /* from the lane before, by a thread that looks for work next: takes a place, but
                   * is not refused */
    ENTRY_ALWAYS, /* takes no place away: when all who wait are woken at once, new work is let in */
};

struct lane_options {
    enum work_lane which;
    int threads_max; /* one, unasked, where work is gathered or in order */
    size_t queue_max;
    struct lane *next; /* of the same crew, where its work is passed on to: both have queue_max
                        * places together; NULL: nowhere */
    struct metrics *metrics;
};

/* Its lanes are to be initialized by lane_init(). */
void crew_init(struct crew *crew, struct lane *lanes, size_t lane_count);
void lane_init(struct lane *lane, struct crew *crew, const struct lane_options *options);
/* Its threads have ended. */
void crew_done(struct crew *crew);
/* How many it needs. */
int crew_threads(const struct crew *crew);

/* -1: full or closed.  ENTRY_ALWAYS needs an open lane. */
int lane_put(struct lane *lane, struct work *work, enum lane_entry entry);
/* Waits for work of a lane and marks the caller as busy with it until lane_leave(); NULL: closed,
 * and nothing is left.  Where work is gathered, what is returned goes on with .next. */
struct work *crew_take(struct crew *crew, struct lane **ret_lane);
void lane_leave(struct lane *lane);
void crew_close(struct crew *crew);

#endif

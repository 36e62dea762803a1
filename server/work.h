/* SPDX-License-Identifier: GPL-3.0-or-later
 * The seam between those who have work (server/http) and those who do it (server/db/executor): a
 * piece of work is embedded in what it is about and belongs to the worker from submission until its
 * run function hands it back. */
#ifndef SERVER_WORK_H
#define SERVER_WORK_H

#include <stdbool.h>
#include <stdint.h>

struct app;

/* In a lane that gathers, a thread takes all that waits at a moment, WORK_TOGETHER_MAX at most, and
 * no other thread takes any until that is done. */
enum work_lane {
    WORK_FAST,
    WORK_SLOW,
    WORK_BULK,    /* pieces of files and of long answers */
    WORK_RENEW,   /* gathers: renewals of leases */
    WORK_LOG,     /* gathers: fragments of logs */
    WORK_RESULT,  /* gathers: results */
    WORK_PREPARE, /* what is to be gathered, before that: one at a time, so it keeps its order */
    WORK_SUBMIT,  /* gathers: new jobs, prepared */
    WORK_CLAIM,   /* gathers: agents that ask for work */
    WORK_LANES,
};
#define WORK_TOGETHER_MAX 256

struct work {
    struct work *next;
    bool counted; /* the lane's: takes one of the places that it has for what is new */
    /* Runs on a worker thread with that worker's app.  In a lane that gathers: of the first one,
     * for all that .next leads to, which end with NULL. */
    void (*run)(struct work *work, struct app *app);
};

/* Where work is handed in; safe for use by several threads. */
struct work_queue {
    /* Returns -1 if the lane is full or closed; the work is still the caller's then. */
    int (*submit)(struct work_queue *queue, enum work_lane lane, struct work *work);
    /* For the continuation of what was accepted before: never refused. */
    void (*submit_always)(struct work_queue *queue, enum work_lane lane, struct work *work);
    /* From WORK_PREPARE to WORK_SUBMIT, as the last thing that run does there: never refused, since
     * both lanes have one set of places. */
    void (*pass_on)(struct work_queue *queue, struct work *work);
};

#endif

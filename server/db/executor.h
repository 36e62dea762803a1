/* SPDX-License-Identifier: GPL-3.0-or-later
 * Worker threads for lanes (server/work.h), each thread with its own database connection, each lane
 * with a bounded queue.  Slow work (passwords, searches) has its own few threads, so that it never
 * stands in the way of polling agents; where many requests are cheaper as one statement and one
 * commit, one thread at a time takes all that wait.  Submissions and the claims they lead to share
 * threads. */
#ifndef SERVER_DB_EXECUTOR_H
#define SERVER_DB_EXECUTOR_H

#include "common/err.h"
#include "server/app.h"
#include "server/work.h"

#include <stddef.h>

struct db_options;
struct executor;

struct executor_options {
    struct app app;              /* copied for each worker, with .db set to its own connection */
    const struct db_options *db; /* NULL: workers without a database */
    int threads[WORK_LANES];     /* at least 1 each; WORK_PREPARE and lanes that gather have
                                  * one each, unasked */
    size_t queue_max;            /* new work waiting in one lane */
};

/* Starts the threads.  What the options point to must outlive the executor. */
struct executor *executor_new(const struct executor_options *options, struct err *err);
/* The queue lives as long as the executor. */
struct work_queue *executor_queue(struct executor *e);
/* Runs what is waiting, then ends the threads.  Nothing may be submitted any more. */
void executor_free(struct executor *e);

#endif

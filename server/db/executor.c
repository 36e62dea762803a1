/* SPDX-License-Identifier: GPL-3.0-or-later
 * The threads of the lanes (lane.h), and a database connection for each. */
#include "server/db/executor.h"

#include "server/db/db.h"
#include "server/db/lane.h"
#include "server/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct worker {
    pthread_t thread;
    struct lane *lane;
    struct app app;
    unsigned reconnects; /* counted so far */
};

struct executor {
    struct work_queue queue; /* first: the queue's functions find the executor by it */
    struct lane lanes[WORK_LANES];
    size_t worker_count; /* started */
    struct worker *workers;
};

/* The first connection of a worker is none that was lost. */
static void count_reconnects(struct worker *worker)
{
    unsigned opened = worker->app.db ? db_times_opened(worker->app.db) : 0;
    unsigned reconnects = opened > 1 ? opened - 1 : 0;

    if (reconnects != worker->reconnects)
        metrics_add(worker->lane->metrics, METRIC_DB_RECONNECTS,
                    (int64_t)reconnects - worker->reconnects);
    worker->reconnects = reconnects;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct work *work;

    while ((work = lane_take(worker->lane))) {
        work->run(work, &worker->app);
        count_reconnects(worker);
        lane_leave(worker->lane);
    }
    return NULL;
}

static struct lane *lane_of(struct work_queue *queue, enum work_lane which)
{
    assert(which < WORK_LANES);
    return &((struct executor *)queue)->lanes[which];
}

static int submit(struct work_queue *queue, enum work_lane which, struct work *work)
{
    return lane_put(lane_of(queue, which), work, ENTRY_NEW);
}

static void submit_always(struct work_queue *queue, enum work_lane which, struct work *work)
{
    (void)lane_put(lane_of(queue, which), work, ENTRY_ALWAYS);
}

static void pass_on(struct work_queue *queue, enum work_lane which, struct work *work)
{
    (void)lane_put(lane_of(queue, which), work, ENTRY_PASSED);
}

static int start_worker(struct executor *e, enum work_lane which,
                        const struct executor_options *options, struct err *err)
{
    struct worker *worker = &e->workers[e->worker_count];
    bool asks = which != WORK_PREPARE;
    int rc;

    worker->lane = &e->lanes[which];
    worker->app = options->app;
    worker->app.db = NULL;
    if (options->db && asks && !(worker->app.db = db_new(options->db, err)))
        return -1;
    rc = pthread_create(&worker->thread, NULL, worker_main, worker);
    if (rc != 0) {
        db_free(worker->app.db);
        return err_set_errno(err, rc, "could not start a worker thread");
    }
    e->worker_count++;
    return 0;
}

/* What is gathered by several threads would be in several hands again, and what is prepared by
 * several in another order. */
static int threads_of(const struct executor_options *options, enum work_lane which)
{
    return lane_gathers(which) || which == WORK_PREPARE ? 1 : options->threads[which];
}

static int start_lane(struct executor *e, enum work_lane which,
                      const struct executor_options *options, struct err *err)
{
    int threads = threads_of(options, which);

    assert(threads > 0);
    for (int i = 0; i < threads; i++)
        if (start_worker(e, which, options, err) < 0)
            return -1;
    lane_set_size(&e->lanes[which], threads);
    return 0;
}

struct executor *executor_new(const struct executor_options *options, struct err *err)
{
    struct executor *e = calloc(1, sizeof(*e));
    size_t threads = 0;

    for (int i = 0; i < WORK_LANES; i++)
        threads += (size_t)threads_of(options, (enum work_lane)i);
    if (e)
        e->workers = calloc(threads, sizeof(*e->workers));
    if (!e || !e->workers) {
        free(e);
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    e->queue = (struct work_queue){submit, submit_always, pass_on};
    for (int i = 0; i < WORK_LANES; i++)
        lane_init(&e->lanes[i], (enum work_lane)i, options->queue_max,
                  i == WORK_PREPARE ? &e->lanes[WORK_SUBMIT] : NULL, options->app.metrics);
    for (int i = 0; i < WORK_LANES; i++)
        if (start_lane(e, (enum work_lane)i, options, err) < 0) {
            executor_free(e);
            return NULL;
        }
    return e;
}

struct work_queue *executor_queue(struct executor *e)
{
    return &e->queue;
}

void executor_free(struct executor *e)
{
    if (!e)
        return;
    for (int i = 0; i < WORK_LANES; i++)
        lane_close(&e->lanes[i]);
    for (size_t i = 0; i < e->worker_count; i++) {
        (void)pthread_join(e->workers[i].thread, NULL);
        db_free(e->workers[i].app.db);
    }
    for (int i = 0; i < WORK_LANES; i++)
        lane_done(&e->lanes[i]);
    free(e->workers);
    free(e);
}

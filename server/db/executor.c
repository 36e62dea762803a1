/* SPDX-License-Identifier: GPL-3.0-or-later
 * The lanes: one mutex, one condition and one list each.  Work belongs to the lane while it waits
 * and to one worker while it runs; the executor does not look at it afterwards. */
#include "server/db/executor.h"

#include "server/db/db.h"
#include "server/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct lane {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t ready;
    struct work *first;
    struct work **last;
    size_t waiting;
    int busy;
    bool closed; /* end when the list is empty */
    /* constant */
    size_t queue_max;
    enum metric in_use, depth;
    struct metrics *metrics;
};

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

static struct work *take(struct lane *lane)
{
    struct work *work = lane->first;

    if (!work)
        return NULL;
    lane->first = work->next;
    if (!lane->first)
        lane->last = &lane->first;
    lane->waiting--;
    work->next = NULL;
    return work;
}

/* With the lane's lock held. */
static void publish(const struct lane *lane)
{
    metrics_set(lane->metrics, lane->in_use, lane->busy);
    metrics_set(lane->metrics, lane->depth, (int64_t)lane->waiting);
}

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
    struct lane *lane = worker->lane;

    (void)pthread_mutex_lock(&lane->lock);
    for (;;) {
        struct work *work = take(lane);

        if (!work && lane->closed)
            break;
        if (!work) {
            (void)pthread_cond_wait(&lane->ready, &lane->lock);
            continue;
        }
        lane->busy++;
        publish(lane);
        (void)pthread_mutex_unlock(&lane->lock);
        work->run(work, &worker->app);
        count_reconnects(worker);
        (void)pthread_mutex_lock(&lane->lock);
        lane->busy--;
        publish(lane);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return NULL;
}

static void append(struct lane *lane, struct work *work)
{
    work->next = NULL;
    *lane->last = work;
    lane->last = &work->next;
    lane->waiting++;
    publish(lane);
    (void)pthread_cond_signal(&lane->ready);
}

static struct lane *lane_of(struct work_queue *queue, enum work_lane which)
{
    assert(which < WORK_LANES);
    return &((struct executor *)queue)->lanes[which];
}

static int submit(struct work_queue *queue, enum work_lane which, struct work *work)
{
    struct lane *lane = lane_of(queue, which);
    int rc = -1;

    (void)pthread_mutex_lock(&lane->lock);
    if (!lane->closed && lane->waiting < lane->queue_max) {
        append(lane, work);
        rc = 0;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return rc;
}

static void submit_always(struct work_queue *queue, enum work_lane which, struct work *work)
{
    struct lane *lane = lane_of(queue, which);

    (void)pthread_mutex_lock(&lane->lock);
    assert(!lane->closed);
    append(lane, work);
    (void)pthread_mutex_unlock(&lane->lock);
}

static int start_worker(struct executor *e, struct lane *lane,
                        const struct executor_options *options, struct err *err)
{
    struct worker *worker = &e->workers[e->worker_count];
    int rc;

    worker->lane = lane;
    worker->app = options->app;
    worker->app.db = NULL;
    if (options->db && !(worker->app.db = db_new(options->db, err)))
        return -1;
    rc = pthread_create(&worker->thread, NULL, worker_main, worker);
    if (rc != 0) {
        db_free(worker->app.db);
        return err_set_errno(err, rc, "could not start a worker thread");
    }
    e->worker_count++;
    return 0;
}

static int start_lane(struct executor *e, enum work_lane which,
                      const struct executor_options *options, struct err *err)
{
    struct lane *lane = &e->lanes[which];

    for (int i = 0; i < options->threads[which]; i++)
        if (start_worker(e, lane, options, err) < 0)
            return -1;
    return 0;
}

static void init_lane(struct lane *lane, enum work_lane which,
                      const struct executor_options *options)
{
    *lane = (struct lane){.queue_max = options->queue_max, .metrics = options->app.metrics};
    lane->last = &lane->first;
    lane->in_use = which == WORK_FAST ? METRIC_POOL_IN_USE : METRIC_POOL_IN_USE_SLOW;
    lane->depth = which == WORK_FAST ? METRIC_POOL_WAITING : METRIC_POOL_WAITING_SLOW;
    (void)pthread_mutex_init(&lane->lock, NULL);
    (void)pthread_cond_init(&lane->ready, NULL);
    metrics_set(lane->metrics, which == WORK_FAST ? METRIC_POOL_SIZE : METRIC_POOL_SIZE_SLOW,
                options->threads[which]);
}

struct executor *executor_new(const struct executor_options *options, struct err *err)
{
    struct executor *e = calloc(1, sizeof(*e));

    assert(options->threads[WORK_FAST] > 0 && options->threads[WORK_SLOW] > 0);
    if (e)
        e->workers =
            calloc((size_t)options->threads[WORK_FAST] + (size_t)options->threads[WORK_SLOW],
                   sizeof(*e->workers));
    if (!e || !e->workers) {
        free(e);
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    e->queue = (struct work_queue){submit, submit_always};
    for (int i = 0; i < WORK_LANES; i++)
        init_lane(&e->lanes[i], (enum work_lane)i, options);
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
    for (int i = 0; i < WORK_LANES; i++) {
        (void)pthread_mutex_lock(&e->lanes[i].lock);
        e->lanes[i].closed = true;
        (void)pthread_cond_broadcast(&e->lanes[i].ready);
        (void)pthread_mutex_unlock(&e->lanes[i].lock);
    }
    for (size_t i = 0; i < e->worker_count; i++) {
        (void)pthread_join(e->workers[i].thread, NULL);
        db_free(e->workers[i].app.db);
    }
    for (int i = 0; i < WORK_LANES; i++) {
        (void)pthread_mutex_destroy(&e->lanes[i].lock);
        (void)pthread_cond_destroy(&e->lanes[i].ready);
    }
    free(e->workers);
    free(e);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * The threads of the crews (lane.h), and a database connection for each. */
#include "server/db/executor.h"

#include "server/db/db.h"
#include "server/db/lane.h"
#include "server/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Whoever makes submissions goes on to the agents that wait for them. */
static const struct {
    enum work_lane first, last;
} crews[] = {
    {WORK_FAST, WORK_FAST},     {WORK_SLOW, WORK_SLOW}, {WORK_BULK, WORK_BULK},
    {WORK_RENEW, WORK_RENEW},   {WORK_LOG, WORK_LOG},   {WORK_RESULT, WORK_RESULT},
    {WORK_PREPARE, WORK_CLAIM},
};
#define CREWS (sizeof(crews) / sizeof(crews[0]))

struct worker {
    pthread_t thread;
    struct crew *crew;
    struct app app;
    unsigned reconnects; /* counted so far */
};

struct executor {
    struct work_queue queue; /* first: the queue's functions find the executor by it */
    struct lane lanes[WORK_LANES];
    struct crew crews[CREWS];
    size_t worker_count; /* started */
    struct worker *workers;
};

/* The first connection of a worker is none that was lost. */
static void count_reconnects(struct worker *worker)
{
    unsigned opened = worker->app.db ? db_times_opened(worker->app.db) : 0;
    unsigned reconnects = opened > 1 ? opened - 1 : 0;

    if (reconnects != worker->reconnects)
        metrics_add(worker->app.metrics, METRIC_DB_RECONNECTS,
                    (int64_t)reconnects - worker->reconnects);
    worker->reconnects = reconnects;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct work *work;
    struct lane *lane;

    while ((work = crew_take(worker->crew, &lane))) {
        work->run(work, &worker->app);
        count_reconnects(worker);
        lane_leave(lane);
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

static void pass_on(struct work_queue *queue, struct work *work)
{
    (void)lane_put(lane_of(queue, WORK_SUBMIT), work, ENTRY_PASSED);
}

static int start_worker(struct executor *e, struct crew *crew,
                        const struct executor_options *options, struct err *err)
{
    struct worker *worker = &e->workers[e->worker_count];
    int rc;

    worker->crew = crew;
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

static int start_crew(struct executor *e, struct crew *crew, const struct executor_options *options,
                      struct err *err)
{
    int threads = crew_threads(crew);

    assert(threads > 0);
    for (int i = 0; i < threads; i++)
        if (start_worker(e, crew, options, err) < 0)
            return -1;
    return 0;
}

/* Returns how many threads they need. */
static size_t init_crews(struct executor *e, const struct executor_options *options)
{
    size_t threads = 0;

    for (size_t i = 0; i < CREWS; i++) {
        size_t first = crews[i].first;

        crew_init(&e->crews[i], &e->lanes[first], crews[i].last - first + 1);
        for (size_t j = first; j <= crews[i].last; j++)
            lane_init(&e->lanes[j], &e->crews[i],
                      &(struct lane_options){
                          .which = (enum work_lane)j,
                          .threads_max = options->threads[j],
                          .queue_max = options->queue_max,
                          .next = j == WORK_PREPARE ? &e->lanes[WORK_SUBMIT] : NULL,
                          .metrics = options->app.metrics,
                      });
        threads += (size_t)crew_threads(&e->crews[i]);
    }
    return threads;
}

struct executor *executor_new(const struct executor_options *options, struct err *err)
{
    struct executor *e = calloc(1, sizeof(*e));

    if (e && !(e->workers = calloc(init_crews(e, options), sizeof(*e->workers)))) {
        executor_free(e);
        e = NULL;
    }
    if (!e) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    e->queue = (struct work_queue){submit, submit_always, pass_on};
    for (size_t i = 0; i < CREWS; i++)
        if (start_crew(e, &e->crews[i], options, err) < 0) {
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
    for (size_t i = 0; i < CREWS; i++)
        crew_close(&e->crews[i]);
    for (size_t i = 0; i < e->worker_count; i++) {
        (void)pthread_join(e->workers[i].thread, NULL);
        db_free(e->workers[i].app.db);
    }
    for (size_t i = 0; i < CREWS; i++)
        crew_done(&e->crews[i]);
    free(e->workers);
    free(e);
}

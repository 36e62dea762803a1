/* SPDX-License-Identifier: GPL-3.0-or-later
 * The thread: does what is due, then sleeps until something is due again or it is told to stop.
 * What fails is tried again after its period: an outage of the database needs no other care. */
#include "server/tasks/tasks.h"

#include "common/clock.h"
#include "common/log.h"
#include "server/config.h"
#include "server/db/db.h"
#include "server/metrics.h"
#include "server/store/task.h"
#include "server/wake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A task with more to do gives way to the others after so many batches. */
#define BATCHES_MAX 20

enum {
#define TASK(name, text, option) TASK_##name,
#include "server/tasks/tasks.def"
#undef TASK
    TASK_COUNT
};

static const struct task {
    const char *name;
    size_t period_offset; /* of an option in milliseconds */
    enum metric runs, failures, time;
} table[TASK_COUNT] = {
#define TASK(name, text, option)                                                                   \
    [TASK_##name] = {text, offsetof(struct config, option), METRIC_TASK_RUNS_##name,               \
                     METRIC_TASK_FAILURES_##name, METRIC_TASK_TIME_##name},
#include "server/tasks/tasks.def"
#undef TASK
};

/* What the database says it did. */
static const struct counter {
    const char *what;
    enum metric metric;
    const char *alarm; /* somebody should look */
} counters[] = {
    {"undelivered", METRIC_LEASES_UNDELIVERED, NULL},
    {"retry", METRIC_LEASES_RETRY, NULL},
    {"agent_lost", METRIC_LEASES_LOST, NULL},
    {"cancelled", METRIC_LEASES_CANCELLED, NULL},
    {"failed", METRIC_LEASES_FAILED,
     "leases whose end could not be written, see the database's log"},
    {"braked", METRIC_LEASES_BRAKED,
     "many agents fell silent at once: their jobs are kept, look at the network"},
    {"shifted", METRIC_LEASES_SHIFTED, NULL},
    {"cancel_orphans", METRIC_ORPHANS, NULL},
    {"rotate_hot", METRIC_ROTATIONS, NULL},
    {"purge_refresh_tokens", METRIC_PURGED_TOKENS, NULL},
    {"purge_secrets", METRIC_PURGED_SECRETS, NULL},
    {"purge_strays", METRIC_PURGED_STRAYS, NULL},
    {"purge_submission_keys", METRIC_PURGED_KEYS, NULL},
    {"purge_wait_samples", METRIC_PURGED_SAMPLES, NULL},
    {"sweep_files", METRIC_PURGED_FILES, NULL},
};

struct tasks {
    struct app app; /* with this thread's own connection */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t stopped;
    bool stop;
    /* of the thread alone */
    int64_t due_ms[TASK_COUNT];
    bool failing[TASK_COUNT];
    atomic_bool ended;
};

static void count(void *cls, const char *what, int64_t n)
{
    struct tasks *tasks = cls;
    const char *alarm = NULL;

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        if (strcmp(counters[i].what, what) == 0) {
            metrics_add(tasks->app.metrics, counters[i].metric, n);
            alarm = counters[i].alarm;
        }
    if (alarm)
        log_error("alarm", "what=%s count=%lld text=%s", what, (long long)n, LOG_VALUE(alarm));
    else
        log_info("task", "did=%s count=%lld", what, (long long)n);
}

static void told(void *cls, const char *kind, const char *name)
{
    const struct tasks *tasks = cls;

    if (strcmp(kind, "warning") == 0)
        log_warning("task", "text=%s", LOG_VALUE(name));
    else
        wake_tell(tasks->app.waker, strcmp(kind, "job") == 0 ? WAKE_JOB : WAKE_QUEUE, name);
}

/* Once when it begins to fail and once when it works again: an outage is many failures. */
static void tell(struct tasks *tasks, int which, bool failed, const struct err *err)
{
    if (failed && !tasks->failing[which])
        log_warning("task", "task=%s error=%s", table[which].name, LOG_VALUE(err->text));
    else if (!failed && tasks->failing[which])
        log_info("task", "task=%s text=\"works again\"", table[which].name);
    tasks->failing[which] = failed;
}

static bool is_stopped(struct tasks *tasks)
{
    bool stop;

    (void)pthread_mutex_lock(&tasks->lock);
    stop = tasks->stop;
    (void)pthread_mutex_unlock(&tasks->lock);
    return stop;
}

/* One batch; true if there is more to do at once. */
static bool run_batch(struct tasks *tasks, int which, int64_t every_ms)
{
    const struct task_run run = {table[which].name, every_ms, count, told, tasks};
    struct metrics *metrics = tasks->app.metrics;
    int64_t began_us = clock_ms(tasks->app.clock) * 1000;
    struct err err = ERR_INIT;
    bool ran = false, more = false;
    int rc = task_store_run(tasks->app.db, &run, &ran, &more, &err);

    metrics_add(metrics, table[which].time, clock_ms(tasks->app.clock) * 1000 - began_us);
    metrics_add(metrics, table[which].runs, ran);
    metrics_add(metrics, table[which].failures, rc < 0);
    tell(tasks, which, rc < 0, &err);
    return rc == 0 && more;
}

static void run_task(struct tasks *tasks, int which)
{
    const char *options = (const char *)tasks->app.config;
    int64_t period_ms = *(const int64_t *)(options + table[which].period_offset);
    int64_t every_ms = period_ms;

    for (int i = 0; i < BATCHES_MAX && !is_stopped(tasks); i++) {
        if (!run_batch(tasks, which, every_ms))
            break;
        every_ms = 0;
    }
    tasks->due_ms[which] = clock_ms(tasks->app.clock) + period_ms;
}

static int64_t next_due(const struct tasks *tasks)
{
    int64_t next = INT64_MAX;

    for (int i = 0; i < TASK_COUNT; i++)
        if (tasks->due_ms[i] < next)
            next = tasks->due_ms[i];
    return next;
}

/* Sleeps until the moment comes, or until it is told to stop: false. */
static bool wait_until(struct tasks *tasks, int64_t due_ms)
{
    bool go_on;

    (void)pthread_mutex_lock(&tasks->lock);
    while (!tasks->stop) {
        int64_t left_ms = due_ms - clock_ms(tasks->app.clock);
        struct timespec until;

        if (left_ms <= 0)
            break;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += left_ms / 1000;
        until.tv_nsec += left_ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        (void)pthread_cond_timedwait(&tasks->stopped, &tasks->lock, &until);
    }
    go_on = !tasks->stop;
    (void)pthread_mutex_unlock(&tasks->lock);
    return go_on;
}

static void *tasks_main(void *arg)
{
    struct tasks *tasks = arg;

    while (wait_until(tasks, next_due(tasks)))
        for (int i = 0; i < TASK_COUNT; i++)
            if (tasks->due_ms[i] <= clock_ms(tasks->app.clock) && !is_stopped(tasks))
                run_task(tasks, i);
    atomic_store(&tasks->ended, true);
    return NULL;
}

static void init_lock(struct tasks *tasks)
{
    pthread_condattr_t attr;

    (void)pthread_mutex_init(&tasks->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&tasks->stopped, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static void done(struct tasks *tasks)
{
    (void)pthread_cond_destroy(&tasks->stopped);
    (void)pthread_mutex_destroy(&tasks->lock);
    db_free(tasks->app.db);
    free(tasks);
}

struct tasks *tasks_start(const struct app *app, const struct db_options *db, struct err *err)
{
    struct tasks *tasks = calloc(1, sizeof(*tasks));
    int rc;

    if (!tasks) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    tasks->app = *app;
    tasks->app.db = db_new(db, err);
    init_lock(tasks);
    if (!tasks->app.db) {
        done(tasks);
        return NULL;
    }
    rc = pthread_create(&tasks->thread, NULL, tasks_main, tasks);
    if (rc != 0) {
        (void)err_set_errno(err, rc, "could not start the thread of periodic work");
        done(tasks);
        return NULL;
    }
    return tasks;
}

void tasks_stop(struct tasks *tasks)
{
    (void)pthread_mutex_lock(&tasks->lock);
    tasks->stop = true;
    (void)pthread_cond_signal(&tasks->stopped);
    (void)pthread_mutex_unlock(&tasks->lock);
}

bool tasks_ended(const struct tasks *tasks)
{
    return atomic_load(&tasks->ended);
}

void tasks_free(struct tasks *tasks)
{
    if (!tasks)
        return;
    tasks_stop(tasks);
    (void)pthread_join(tasks->thread, NULL);
    done(tasks);
}

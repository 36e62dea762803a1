/* SPDX-License-Identifier: GPL-3.0-or-later
 * One mutex, one condition and one list for each lane. */
#include "server/db/lane.h"

#include "common/clock.h"
#include "server/metrics.h"

#include <assert.h>
#include <time.h>

/* Renewals wait for each other at most this long: one statement and one commit for ten of them
 * costs PostgreSQL a sixth of ten alone, and a lease is renewed long before its end, one of 30 s
 * with 20 s left.  After a time without any, the first one does not wait. */
#define RENEW_PAUSE_MS 50

struct lane_kind {
    int together_max; /* 1: does not gather */
    int pause_ms;     /* from one taking to the next, at least */
    enum metric size, in_use, depth;
    enum metric batches, batched; /* if it gathers */
};

static const struct lane_kind kinds[WORK_LANES] = {
    [WORK_FAST] = {.together_max = 1,
                   .size = METRIC_POOL_SIZE,
                   .in_use = METRIC_POOL_IN_USE,
                   .depth = METRIC_POOL_WAITING},
    [WORK_SLOW] = {.together_max = 1,
                   .size = METRIC_POOL_SIZE_SLOW,
                   .in_use = METRIC_POOL_IN_USE_SLOW,
                   .depth = METRIC_POOL_WAITING_SLOW},
    [WORK_BULK] = {.together_max = 1,
                   .size = METRIC_POOL_SIZE_BULK,
                   .in_use = METRIC_POOL_IN_USE_BULK,
                   .depth = METRIC_POOL_WAITING_BULK},
    [WORK_RENEW] = {.together_max = WORK_TOGETHER_MAX,
                    .pause_ms = RENEW_PAUSE_MS,
                    .size = METRIC_POOL_SIZE_RENEW,
                    .in_use = METRIC_POOL_IN_USE_RENEW,
                    .depth = METRIC_POOL_WAITING_RENEW,
                    .batches = METRIC_BATCHES_RENEW,
                    .batched = METRIC_BATCHED_RENEW},
    /* Without a pause: what comes while one batch is made is the next one, and an agent that comes
     * alone does not wait. */
    [WORK_CLAIM] = {.together_max = WORK_TOGETHER_MAX,
                    .size = METRIC_POOL_SIZE_CLAIM,
                    .in_use = METRIC_POOL_IN_USE_CLAIM,
                    .depth = METRIC_POOL_WAITING_CLAIM,
                    .batches = METRIC_BATCHES_CLAIM,
                    .batched = METRIC_BATCHED_CLAIM},
    [WORK_LOG] = {.together_max = WORK_TOGETHER_MAX,
                  .size = METRIC_POOL_SIZE_LOG,
                  .in_use = METRIC_POOL_IN_USE_LOG,
                  .depth = METRIC_POOL_WAITING_LOG,
                  .batches = METRIC_BATCHES_LOG,
                  .batched = METRIC_BATCHED_LOG},
    [WORK_RESULT] = {.together_max = WORK_TOGETHER_MAX,
                     .size = METRIC_POOL_SIZE_RESULT,
                     .in_use = METRIC_POOL_IN_USE_RESULT,
                     .depth = METRIC_POOL_WAITING_RESULT,
                     .batches = METRIC_BATCHES_RESULT,
                     .batched = METRIC_BATCHED_RESULT},
    [WORK_PREPARE] = {.together_max = 1,
                      .size = METRIC_POOL_SIZE_PREPARE,
                      .in_use = METRIC_POOL_IN_USE_PREPARE,
                      .depth = METRIC_POOL_WAITING_PREPARE},
    [WORK_SUBMIT] = {.together_max = WORK_TOGETHER_MAX,
                     .size = METRIC_POOL_SIZE_SUBMIT,
                     .in_use = METRIC_POOL_IN_USE_SUBMIT,
                     .depth = METRIC_POOL_WAITING_SUBMIT,
                     .batches = METRIC_BATCHES_SUBMIT,
                     .batched = METRIC_BATCHED_SUBMIT},
};

static bool gathers(const struct lane *lane)
{
    return lane->kind->together_max > 1;
}

bool lane_gathers(enum work_lane which)
{
    return kinds[which].together_max > 1;
}

void lane_set_size(const struct lane *lane, int threads)
{
    metrics_set(lane->metrics, lane->kind->size, threads);
}

void lane_init(struct lane *lane, enum work_lane which, size_t queue_max, struct lane *next,
               struct metrics *metrics)
{
    pthread_condattr_t attr;

    *lane = (struct lane){.kind = &kinds[which], .queue_max = queue_max, .metrics = metrics};
    lane->places = next ? &next->counted : &lane->counted;
    lane->last = &lane->first;
    lane->begun_ms = clock_ms(&clock_system) - lane->kind->pause_ms;
    (void)pthread_mutex_init(&lane->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lane->ready, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void lane_done(struct lane *lane)
{
    (void)pthread_mutex_destroy(&lane->lock);
    (void)pthread_cond_destroy(&lane->ready);
}

/* With the lane's lock held, as all that follow and are static. */
static void publish(const struct lane *lane)
{
    metrics_set(lane->metrics, lane->kind->in_use, lane->busy);
    metrics_set(lane->metrics, lane->kind->depth, (int64_t)lane->waiting);
}

/* Whoever gathers is told of the first one and when it is enough, and not of each in between. */
static void announce(struct lane *lane)
{
    if (!gathers(lane) || lane->waiting == 1 || lane->waiting == (size_t)lane->kind->together_max)
        (void)pthread_cond_signal(&lane->ready);
}

static bool lets_in(const struct lane *lane, enum lane_entry entry)
{
    assert(entry == ENTRY_NEW || !lane->closed);
    return entry != ENTRY_NEW || (!lane->closed && atomic_load(lane->places) < lane->queue_max);
}

int lane_put(struct lane *lane, struct work *work, enum lane_entry entry)
{
    int rc = -1;

    (void)pthread_mutex_lock(&lane->lock);
    if (lets_in(lane, entry)) {
        work->next = NULL;
        work->counted = entry != ENTRY_ALWAYS;
        atomic_fetch_add(lane->places, work->counted);
        *lane->last = work;
        lane->last = &work->next;
        lane->waiting++;
        publish(lane);
        announce(lane);
        rc = 0;
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return rc;
}

/* Until the pause since the last time is over, or there is enough, or the end. */
static void gather(struct lane *lane)
{
    int64_t until_ms = lane->begun_ms + lane->kind->pause_ms;
    const struct timespec until = {.tv_sec = until_ms / 1000,
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};

    while (!lane->closed && lane->waiting < (size_t)lane->kind->together_max &&
           pthread_cond_timedwait(&lane->ready, &lane->lock, &until) == 0)
        continue;
    lane->begun_ms = clock_ms(&clock_system);
}

/* The first ones of the list, as many as are run together. */
static struct work *cut(struct lane *lane)
{
    struct work *first = lane->first;
    struct work *last = first;
    size_t counted = first->counted;
    int count = 1;

    for (; count < lane->kind->together_max && last->next; count++) {
        last = last->next;
        counted += last->counted;
    }
    atomic_fetch_sub(lane->places, counted);
    lane->first = last->next;
    if (!lane->first)
        lane->last = &lane->first;
    last->next = NULL;
    lane->waiting -= (size_t)count;
    if (gathers(lane)) {
        metrics_add(lane->metrics, lane->kind->batches, 1);
        metrics_add(lane->metrics, lane->kind->batched, count);
    }
    return first;
}

struct work *lane_take(struct lane *lane)
{
    struct work *work = NULL;

    (void)pthread_mutex_lock(&lane->lock);
    while (!lane->first && !lane->closed)
        (void)pthread_cond_wait(&lane->ready, &lane->lock);
    if (lane->first) {
        if (lane->kind->pause_ms)
            gather(lane);
        work = cut(lane);
        lane->busy++;
        publish(lane);
    }
    (void)pthread_mutex_unlock(&lane->lock);
    return work;
}

void lane_leave(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->busy--;
    publish(lane);
    (void)pthread_mutex_unlock(&lane->lock);
}

void lane_close(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->closed = true;
    (void)pthread_cond_broadcast(&lane->ready);
    (void)pthread_mutex_unlock(&lane->lock);
}

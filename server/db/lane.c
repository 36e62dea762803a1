/* SPDX-License-Identifier: GPL-3.0-or-later
 * One mutex and one condition for each crew, one list for each lane. */
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
    bool in_order;    /* one thread at a time, though it does not gather */
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
    [WORK_PREPARE] = {.in_order = true,
                      .together_max = 1,
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

/* What is gathered by several threads would be in several hands again, and what is prepared by
 * several in another order. */
static bool one_at_a_time(const struct lane_kind *kind)
{
    return kind->together_max > 1 || kind->in_order;
}

void crew_init(struct crew *crew, struct lane *lanes, size_t lane_count)
{
    pthread_condattr_t attr;

    *crew = (struct crew){.lanes = lanes, .lane_count = lane_count};
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&crew->ready, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void crew_done(struct crew *crew)
{
    (void)pthread_mutex_destroy(&crew->lock);
    (void)pthread_cond_destroy(&crew->ready);
}

int crew_threads(const struct crew *crew)
{
    int threads = 0;

    for (size_t i = 0; i < crew->lane_count; i++)
        threads += crew->lanes[i].threads_max;
    return threads;
}

void lane_init(struct lane *lane, struct crew *crew, const struct lane_options *options)
{
    const struct lane_kind *kind = &kinds[options->which];

    assert(!kind->pause_ms || crew->lane_count == 1); /* it pauses with its thread */
    *lane = (struct lane){.crew = crew,
                          .kind = kind,
                          .threads_max = one_at_a_time(kind) ? 1 : options->threads_max,
                          .queue_max = options->queue_max,
                          .metrics = options->metrics};
    lane->places = options->next ? &options->next->counted : &lane->counted;
    lane->last = &lane->first;
    lane->begun_ms = clock_ms(&clock_system) - kind->pause_ms;
    metrics_set(lane->metrics, kind->size, lane->threads_max);
}

/* With the crew's lock held, as all that follow and are static. */
static void publish(const struct lane *lane)
{
    metrics_set(lane->metrics, lane->kind->in_use, lane->busy);
    metrics_set(lane->metrics, lane->kind->depth, (int64_t)lane->waiting);
}

static bool has_hands(const struct lane *lane)
{
    return lane->busy < lane->threads_max;
}

/* Where all are busy, one of them looks again when it is done; whoever passes work on is the next
 * to look.  A lane for one thread calls for it with the first one, and when it is enough. */
static void announce(struct lane *lane, enum lane_entry entry)
{
    if (entry == ENTRY_PASSED || !has_hands(lane))
        return;
    if (lane->threads_max > 1 || lane->waiting == 1 ||
        lane->waiting == (size_t)lane->kind->together_max)
        (void)pthread_cond_signal(&lane->crew->ready);
}

static bool lets_in(const struct lane *lane, enum lane_entry entry)
{
    assert(entry != ENTRY_ALWAYS || !lane->crew->closed);
    return entry != ENTRY_NEW || (!lane->crew->closed && *lane->places < lane->queue_max);
}

int lane_put(struct lane *lane, struct work *work, enum lane_entry entry)
{
    int rc = -1;

    (void)pthread_mutex_lock(&lane->crew->lock);
    if (lets_in(lane, entry)) {
        work->next = NULL;
        work->counted = entry != ENTRY_ALWAYS;
        *lane->places += work->counted;
        *lane->last = work;
        lane->last = &work->next;
        lane->waiting++;
        publish(lane);
        announce(lane, entry);
        rc = 0;
    }
    (void)pthread_mutex_unlock(&lane->crew->lock);
    return rc;
}

/* Until the pause since the last time is over, or there is enough, or the end. */
static void gather(struct lane *lane)
{
    int64_t until_ms = lane->begun_ms + lane->kind->pause_ms;
    const struct timespec until = {.tv_sec = until_ms / 1000,
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};

    while (!lane->crew->closed && lane->waiting < (size_t)lane->kind->together_max &&
           pthread_cond_timedwait(&lane->crew->ready, &lane->crew->lock, &until) == 0)
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
    *lane->places -= counted;
    lane->first = last->next;
    if (!lane->first)
        lane->last = &lane->first;
    last->next = NULL;
    lane->waiting -= (size_t)count;
    if (lane->kind->together_max > 1) {
        metrics_add(lane->metrics, lane->kind->batches, 1);
        metrics_add(lane->metrics, lane->kind->batched, count);
    }
    return first;
}

/* The one furthest on that has work and may have one more thread: what has been begun is ended. */
static struct lane *find_lane(const struct crew *crew)
{
    for (size_t i = crew->lane_count; i > 0; i--)
        if (crew->lanes[i - 1].first && has_hands(&crew->lanes[i - 1]))
            return &crew->lanes[i - 1];
    return NULL;
}

static struct work *take(struct crew *crew, struct lane *lane)
{
    struct work *work;

    if (lane->kind->pause_ms)
        gather(lane);
    work = cut(lane);
    lane->busy++;
    publish(lane);
    if (find_lane(crew))
        (void)pthread_cond_signal(&crew->ready);
    return work;
}

struct work *crew_take(struct crew *crew, struct lane **ret_lane)
{
    struct work *work = NULL;
    struct lane *lane;

    (void)pthread_mutex_lock(&crew->lock);
    while (!(lane = find_lane(crew)) && !crew->closed)
        (void)pthread_cond_wait(&crew->ready, &crew->lock);
    if (lane)
        work = take(crew, lane);
    (void)pthread_mutex_unlock(&crew->lock);
    *ret_lane = lane;
    return work;
}

void lane_leave(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->crew->lock);
    lane->busy--;
    publish(lane);
    (void)pthread_mutex_unlock(&lane->crew->lock);
}

void crew_close(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->closed = true;
    (void)pthread_cond_broadcast(&crew->ready);
    (void)pthread_mutex_unlock(&crew->lock);
}

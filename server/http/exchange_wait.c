/* SPDX-License-Identifier: GPL-3.0-or-later
 * Requests that wait: between two looks on a worker the exchange belongs to the registry (park.h),
 * and its connection stays suspended. */
#include "server/http/exchange.h"

#include "server/http/answer.h"
#include "server/http/outflow.h"
#include "server/http/quota.h"
#include "server/metrics.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A wake-up that was lost costs no more than this.  What many wait for alike, one of them looks
 * for, and the others look seldom, for what concerns themselves. */
#define LOOK_EVERY_MS  10000
#define LOOK_SELDOM_MS 60000
#define LOOK_SOON_MS   500
/* A database that is started anew is back within this time; who waits need not notice. */
#define AWAY_MAX_MS 5000

/* What the client wanted to wait is no latency of ours. */
static void end_wait(struct exchange *ex)
{
    if (ex->parked_us)
        ex->waited_us += clock_us(ex->loop->clock) - ex->parked_us;
    ex->parked_us = 0;
}

void exchange_look_again(struct exchange *ex)
{
    struct work_queue *queue = ex->loop->options.queue;

    end_wait(ex);
    ex->queued_ms = clock_ms(ex->loop->clock);
    queue->submit_always(queue, exchange_lane(ex), &ex->work);
}

static void woken(struct parked *one)
{
    exchange_look_again(
        (struct exchange *)(void *)((char *)one - offsetof(struct exchange, parked)));
}

void exchange_begin_look(struct exchange *ex)
{
    int64_t until_ms = ex->wait_until_ms;

    end_wait(ex);
    ex->req.gone = &ex->gone;
    ex->req.wait_over = ex->parked.over || ex->match.head || !ex->loop->options.park ||
                        (until_ms && clock_ms(ex->loop->clock) >= until_ms);
}

static enum park_answer park(struct exchange *ex, const struct park_key *keys, size_t count,
                             uint64_t mark)
{
    enum park_answer answer;

    ex->parked.woken = woken;
    ex->parked.gone = &ex->gone;
    answer = park_add(ex->loop->options.park, &ex->parked, keys, count, mark);
    if (answer == PARK_CHANGED)
        exchange_look_again(ex);
    return answer;
}

void exchange_pass(const struct exchange *ex)
{
    park_pass(ex->loop->options.park, ex->parked.group, ex->parked.chain);
}

/* Hundreds of agents may share a client, so each is one by itself. */
static uint64_t name_waiter(const struct exchange *ex)
{
    const struct caller *caller = &ex->req.caller;

    if (!caller->client_id)
        return quota_who("", ex->req.peer);
    return quota_who(caller->client_id, caller->role == ROLE_AGENT ? ex->req.agent_name : NULL);
}

int exchange_take_place(struct exchange *ex, struct err *err)
{
    uint64_t who = name_waiter(ex);

    if (ex->waits_as)
        return 0;
    if (quota_take(ex->loop->options.quota, who, err) < 0)
        return -1;
    ex->waits_as = who;
    return 0;
}

bool exchange_rides_out(struct exchange *ex, const struct err *err)
{
    int64_t now_ms = clock_ms(ex->loop->clock);

    if (err->code != ERR_UNAVAILABLE) {
        ex->away_ms = 0;
        return false;
    }
    if (!ex->away_ms)
        ex->away_ms = ex->queued_ms;
    if (!ex->wait_until_ms || ex->req.wait_over || now_ms - ex->away_ms >= AWAY_MAX_MS)
        return false;
    metrics_add(ex->loop->options.app.metrics, METRIC_DB_ERRORS, 1);
    response_done(&ex->res);
    response_init(&ex->res);
    /* of no group: whoever waits for no key must be nobody's first */
    ex->res.wait = (struct response_wait){.seconds = 1, .soon = true, .pass = true};
    (void)snprintf(ex->res.wait.memo, sizeof(ex->res.wait.memo), "%s", ex->req.wait_memo);
    return true;
}

static int64_t look_after_ms(const struct response_wait *wait)
{
    if (wait->soon)
        return LOOK_SOON_MS;
    return wait->group ? LOOK_SELDOM_MS : LOOK_EVERY_MS;
}

enum park_answer exchange_park(struct exchange *ex, uint64_t mark)
{
    struct response_wait wait = ex->res.wait;
    int64_t now_ms = clock_ms(ex->loop->clock);
    enum park_answer answer;

    if (!ex->wait_until_ms)
        ex->wait_until_ms = now_ms + wait.seconds * 1000;
    (void)snprintf(ex->req.wait_memo, sizeof(ex->req.wait_memo), "%s", wait.memo);
    ex->parked.deadline_ms = ex->wait_until_ms;
    ex->parked.look_ms = now_ms + look_after_ms(&wait);
    ex->parked.group = wait.group;
    ex->parked.group_look_ms = now_ms + LOOK_EVERY_MS;
    ex->parked.group_every_ms = LOOK_EVERY_MS;
    ex->parked_us = clock_us(ex->loop->clock);
    ex->res.wait = (struct response_wait){0};
    response_done(&ex->res);
    response_init(&ex->res);
    answer = park(ex, wait.keys, wait.count, mark);
    free(wait.keys);
    return answer;
}

enum park_answer exchange_park_stream(struct exchange *ex, uint64_t mark)
{
    const struct stream *stream = &ex->res.stream;
    const struct park_key key = {.key = stream->wait_key};

    ex->parked.deadline_ms = INT64_MAX;
    ex->parked.look_ms = clock_ms(ex->loop->clock) + stream->wait_ms;
    return park(ex, &key, 1, mark);
}

void exchange_leave(struct exchange *ex)
{
    if (!park_leave(ex->loop->options.park, &ex->parked))
        return;
    metrics_add(ex->loop->options.app.metrics, METRIC_GONE, 1);
    if (ex->next_state == EXCHANGE_SENDING)
        outflow_cut(ex);
    else
        ex->next_state = EXCHANGE_DROPPED;
    exchange_returned(ex);
}

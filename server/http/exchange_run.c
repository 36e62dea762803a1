/* SPDX-License-Identifier: GPL-3.0-or-later
 * The worker's part: body checks, the handler, and the first piece of a streamed answer. */
#include "server/http/exchange.h"

#include "common/cleanup.h"
#include "common/schema.h"
#include "server/http/outflow.h"
#include "server/metrics.h"

#include <string.h>

/* A request that waited this long for a worker is not worth starting: its client gives up soon. */
#define QUEUE_MAX_MS 20000

static int check_body(struct exchange *ex, struct err *err)
{
    const struct route *route = ex->match.route;
    struct buf *body = &ex->req.body;
    AUTO(buf) struct buf fields = BUF_INIT(1 << 20);

    if (route->body != BODY_JSON)
        return 0;
    if (body->len > 0 && !headers_json(&ex->headers))
        return err_set(err, ERR_MEDIA_TYPE, "the body is not declared as application/json");
    if (!route->schema)
        return 0;
    if (schema_load(route->schema, buf_text(body), body->len, &ex->req.json, &fields, err) == 0)
        return 0;
    if (fields.len)
        (void)buf_addf(&ex->res.error_detail, "{\"json\":%s}", buf_text(&fields));
    return -1;
}

static int check_answer(const struct exchange *ex, struct err *err)
{
    if (buf_failed(&ex->res.body))
        return err_set(err, ERR_INTERNAL, "the answer is too large");
    return 0;
}

static int run(struct exchange *ex, struct app *app, struct err *err)
{
    if (check_body(ex, err) < 0)
        return -1;
    if (ex->match.head && ex->match.route->hands_out)
        return response_none(&ex->res);
    if (ex->match.route->handler(app, &ex->req, &ex->res, err) < 0)
        return -1;
    if (ex->res.wait.seconds > 0 && ex->req.wait_over)
        return err_set(err, ERR_INTERNAL, "an answer that is due was put off");
    if (check_answer(ex, err) < 0)
        return -1;
    if (ex->res.stream.next && !ex->match.head)
        return outflow_begin(ex, app, err);
    return 0;
}

/* A client that has gone shall not take a job with it; anything that changes something by its own
 * will is done all the same, since the client may have gone after sending it. */
static bool pointless(const struct exchange *ex)
{
    return atomic_load(&ex->gone) && strcmp(ex->match.route->method, "GET") == 0;
}

static void fail(struct exchange *ex, const struct app *app, const struct err *err)
{
    ex->err = *err;
    if (err->code == ERR_UNAVAILABLE)
        metrics_add(app->metrics, METRIC_DB_ERRORS, 1);
}

/* Asks the handler; what it says, or what went wrong, is in ex then. */
static void look(struct exchange *ex, struct app *app)
{
    struct err err = ERR_INIT;

    exchange_begin_look(ex);
    if (run(ex, app, &err) < 0)
        fail(ex, app, &err);
}

static bool waits(const struct exchange *ex)
{
    return !ex->err.code && ex->res.wait.seconds > 0;
}

static void drop(struct exchange *ex, const struct app *app)
{
    metrics_add(app->metrics, METRIC_GONE, 1);
    ex->next_state = EXCHANGE_DROPPED;
}

static bool too_late(struct exchange *ex, const struct app *app)
{
    if (clock_ms(app->clock) - ex->queued_ms <= QUEUE_MAX_MS)
        return false;
    (void)err_set(&ex->err, ERR_UNAVAILABLE, "waited too long for a worker");
    return true;
}

/* Returns false if the exchange is not ours any more: it waits. */
static bool look_or_wait(struct exchange *ex, struct app *app)
{
    struct park *park = ex->loop->options.park;
    uint64_t mark = park_mark(park);
    uint64_t group = ex->parked.group, chain = ex->parked.chain;

    look(ex, app);
    if (waits(ex)) {
        enum park_answer answer;

        if (ex->res.wait.pass)
            park_pass(park, group, chain);
        answer = exchange_park(ex, mark);
        if (answer == PARK_WAITS || answer == PARK_CHANGED)
            return false;
        if (answer == PARK_GONE)
            drop(ex, app);
        else
            look(ex, app);
    }
    park_pass(park, group, chain); /* what it was woken for may not be used up */
    return true;
}

void exchange_run(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;

    if (ex->match.route->lane == LANE_LOOP) {
        look(ex, app);
        return;
    }
    if (pointless(ex)) {
        drop(ex, app);
        park_pass(ex->loop->options.park, ex->parked.group, ex->parked.chain);
    } else if (too_late(ex, app)) {
        park_pass(ex->loop->options.park, ex->parked.group, ex->parked.chain);
    } else if (!look_or_wait(ex, app)) {
        return;
    }
    loop_post(ex->loop, ex);
}

/* The requests of one route at the beginning of the list.  Returns where it goes on. */
static struct work *collect(struct work *list, struct exchange **exchanges, size_t *ret_count)
{
    const struct route *route = ((struct exchange *)list)->match.route;
    size_t count = 0;

    for (; list && count < WORK_TOGETHER_MAX; list = list->next) {
        struct exchange *ex = (struct exchange *)list;

        if (ex->match.route != route)
            break;
        exchanges[count++] = ex;
    }
    *ret_count = count;
    return list;
}

static void run_turns(struct exchange **exchanges, size_t count, struct app *app)
{
    const struct route *route = exchanges[0]->match.route;
    struct turn turns[WORK_TOGETHER_MAX];
    struct err errs[WORK_TOGETHER_MAX];
    size_t asked = 0;

    for (size_t i = 0; i < count; i++) {
        struct exchange *ex = exchanges[i];

        errs[i] = (struct err)ERR_INIT;
        if (too_late(ex, app))
            continue;
        exchange_begin_look(ex);
        if (check_body(ex, &errs[i]) == 0)
            turns[asked++] = (struct turn){.req = &ex->req, .res = &ex->res, .err = &errs[i]};
    }
    if (asked > 0)
        route->together(app, turns, asked);
    for (size_t i = 0; i < count; i++)
        if (errs[i].code || check_answer(exchanges[i], &errs[i]) < 0)
            fail(exchanges[i], app, &errs[i]);
}

void exchange_run_together(struct work *list, struct app *app)
{
    struct exchange *exchanges[WORK_TOGETHER_MAX];
    size_t count;

    while (list) {
        list = collect(list, exchanges, &count);
        run_turns(exchanges, count, app);
        for (size_t i = 0; i < count; i++)
            loop_post(exchanges[i]->loop, exchanges[i]);
    }
}

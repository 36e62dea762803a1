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

    if (route->body != BODY_JSON || ex->req.json) /* it was checked before the look before this */
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

/* HEAD of what would take something. */
static bool is_answered(struct exchange *ex)
{
    if (!ex->match.head || !ex->match.route->hands_out)
        return false;
    (void)response_none(&ex->res);
    return true;
}

/* Now, or as a stream in mid-answer. */
static bool may_wait(const struct exchange *ex)
{
    return ex->res.wait.seconds > 0 || (ex->res.stream.wait_ms > 0 && !ex->match.head);
}

static int run(struct exchange *ex, struct app *app, struct err *err)
{
    if (check_body(ex, err) < 0)
        return -1;
    if (is_answered(ex))
        return 0;
    if (ex->match.route->handler(app, &ex->req, &ex->res, err) < 0)
        return -1;
    if (ex->res.wait.seconds > 0 && ex->req.wait_over)
        return err_set(err, ERR_INTERNAL, "an answer that is due was put off");
    if (check_answer(ex, err) < 0 || (may_wait(ex) && exchange_take_place(ex, err) < 0))
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

/* The tree of a body takes several times the room of what is made of it, and many may wait. */
static int prepare(struct exchange *ex, const struct app *app, struct err *err)
{
    const struct together_handler *handler = ex->match.route->together;

    if (!handler->prepare)
        return 0;
    if (handler->prepare(app, &ex->req, &ex->prepared, err) < 0)
        return -1;
    json_object_put(ex->req.json);
    ex->req.json = NULL;
    buf_done(&ex->req.body);
    return 0;
}

bool exchange_prepare(struct exchange *ex, const struct app *app)
{
    struct err err = ERR_INIT;

    if (ex->prepared)
        return true;
    if (check_body(ex, &err) < 0) {
        fail(ex, app, &err);
        return false;
    }
    if (is_answered(ex))
        return false;
    if (prepare(ex, app, &err) == 0)
        return true;
    fail(ex, app, &err);
    return false;
}

void exchange_take_answer(struct exchange *ex, const struct app *app, struct err *err)
{
    if (!err->code && ex->res.wait.seconds > 0 && ex->req.wait_over)
        (void)err_set(err, ERR_INTERNAL, "an answer that is due was put off");
    if (err->code || check_answer(ex, err) < 0)
        fail(ex, app, err);
}

/* Asks the handler; what it says, or what went wrong, is in ex then. */
static void look(struct exchange *ex, struct app *app)
{
    struct err err = ERR_INIT;

    exchange_begin_look(ex);
    (void)run(ex, app, &err);
    if (!exchange_rides_out(ex, &err) && err.code)
        fail(ex, app, &err);
}

static bool waits(const struct exchange *ex)
{
    return !ex->err.code && ex->res.wait.seconds > 0;
}

void exchange_drop(struct exchange *ex, const struct app *app)
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

bool exchange_is_wanted(struct exchange *ex, const struct app *app)
{
    if (pointless(ex))
        exchange_drop(ex, app);
    else if (!too_late(ex, app))
        return true;
    exchange_pass(ex);
    return false;
}

/* Returns false if the exchange is not ours any more: it waits. */
static bool look_or_wait(struct exchange *ex, struct app *app)
{
    struct park *park = ex->loop->options.park;
    uint64_t mark = park_mark(park);

    look(ex, app);
    if (waits(ex)) {
        enum park_answer answer;

        if (ex->res.wait.pass)
            exchange_pass(ex);
        answer = exchange_park(ex, mark);
        if (answer == PARK_WAITS || answer == PARK_CHANGED)
            return false;
        if (answer == PARK_GONE)
            exchange_drop(ex, app);
        else
            look(ex, app);
    }
    exchange_pass(ex); /* what it was woken for may not be used up */
    return true;
}

void exchange_run(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;

    if (ex->match.route->lane == LANE_LOOP) {
        look(ex, app);
        return;
    }
    if (exchange_is_wanted(ex, app) && !look_or_wait(ex, app))
        return;
    loop_post(ex->loop, ex);
}

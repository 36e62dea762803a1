/* SPDX-License-Identifier: GPL-3.0-or-later
 * One request on the loop thread, from its first line to the end of its answer:
 *
 *     start -> (header) judge -> (body) collect or feed -> hand over to a worker -> send -> end
 *
 * libmicrohttpd calls exchange_step() once with the header, once for each part of the body, and
 * once when all is there.  Answers go out from that last call; one given in the first call closes
 * the connection. */
#include "server/http/exchange.h"

#include "server/http/answer.h"
#include "server/http/outflow.h"
#include "server/http/quota.h"
#include "server/http/upload.h"
#include "server/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES_PER_S (64 << 10) /* arriving slower than this uses up the body's time-out */
#define BULK_BYTES       ((uint64_t)256 << 10) /* a body like this is no quick request's */
#define TOGETHER_BYTES   ((uint64_t)64 << 10)  /* one like this is not made together with others */

/* How many a loop keeps for requests to come: as many as are under way at once, mostly.  None where
 * the sanitizers are to see the use of one that is over. */
#ifdef __SANITIZE_ADDRESS__
#define BLANKS_MAX 0
#else
#define BLANKS_MAX 256
#endif

/* A block of this size is dear: glibc puts all its small ones in order first. */
static struct exchange *take_blank(struct loop *loop)
{
    struct exchange *ex = loop->blanks;

    if (!ex)
        return calloc(1, sizeof(*ex));
    loop->blanks = ex->next_blank;
    loop->blank_count--;
    memset(ex, 0, sizeof(*ex));
    return ex;
}

static void put_back(struct loop *loop, struct exchange *ex)
{
    if (loop->blank_count == BLANKS_MAX) {
        free(ex);
        return;
    }
    ex->next_blank = loop->blanks;
    loop->blanks = ex;
    loop->blank_count++;
}

void exchange_free_blanks(struct loop *loop)
{
    struct exchange *next;

    for (struct exchange *ex = loop->blanks; ex; ex = next) {
        next = ex->next_blank;
        free(ex);
    }
    loop->blanks = NULL;
    loop->blank_count = 0;
}

static void exchange_free(struct exchange *ex)
{
    struct loop *loop = ex->loop;

    if (ex->waits_as)
        quota_give(loop->options.quota, ex->waits_as);
    if (ex->prepared)
        ex->match.route->together->release(ex->prepared);
    upload_free(ex->upload);
    outflow_free(ex->outflow);
    response_done(&ex->res);
    json_object_put(ex->req.json);
    auth_release(&ex->req.caller);
    buf_done(&ex->req.body);
    headers_done(&ex->headers);
    target_done(&ex->target);
    metrics_add(loop->options.app.metrics, METRIC_IN_FLIGHT, -1);
    loop->exchanges--;
    put_back(loop, ex);
}

void *exchange_start(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct loop *loop = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *conn = info ? info->socket_context : NULL;
    struct exchange *ex = conn ? take_blank(loop) : NULL;

    if (!ex)
        return NULL; /* exchange_step() then closes the connection */
    exchange_retire(conn);
    ex->loop = loop;
    ex->conn = conn;
    ex->connection = connection;
    ex->started_us = clock_us(loop->clock);
    response_init(&ex->res);
    buf_init(&ex->req.body, 0);
    (void)target_parse(target, &ex->target, &ex->err);
    conn->exchange = ex;
    loop->exchanges++;
    metrics_add(loop->options.app.metrics, METRIC_IN_FLIGHT, 1);
    conn_enter(conn, CONN_HEADER, loop->options.header_timeout_ms);
    return ex;
}

enum work_lane exchange_lane(const struct exchange *ex)
{
    static const struct {
        enum work_lane lane, alone;
    } lanes[] = {
        [LANE_LOOP] = {WORK_FAST, WORK_FAST},     [LANE_FAST] = {WORK_FAST, WORK_FAST},
        [LANE_SLOW] = {WORK_SLOW, WORK_SLOW},     [LANE_BULK] = {WORK_BULK, WORK_BULK},
        [LANE_RENEW] = {WORK_RENEW, WORK_SLOW},   [LANE_CLAIM] = {WORK_CLAIM, WORK_SLOW},
        [LANE_LOG] = {WORK_LOG, WORK_FAST},       [LANE_RESULT] = {WORK_RESULT, WORK_FAST},
        [LANE_SUBMIT] = {WORK_SUBMIT, WORK_FAST},
    };
    enum lane which = ex->match.route ? ex->match.route->lane : LANE_FAST;
    bool large = ex->received_bytes >= TOGETHER_BYTES;
    bool bulk = ex->next_state == EXCHANGE_SENDING || ex->received_bytes >= BULK_BYTES;
    enum work_lane lane = ex->alone || large ? lanes[which].alone : lanes[which].lane;

    if (lane == WORK_SUBMIT && !ex->prepared)
        return WORK_PREPARE;
    return lane == WORK_FAST && bulk ? WORK_BULK : lane;
}

int exchange_hand_over(struct exchange *ex, void (*run)(struct work *work, struct app *app),
                       enum exchange_state next_state, bool always)
{
    struct work_queue *queue = ex->loop->options.queue;
    struct MHD_Connection *connection = ex->connection;
    struct conn *conn = ex->conn;
    enum exchange_state state = ex->state;

    ex->work.run = run;
    ex->next_state = next_state;
    ex->state = EXCHANGE_WORKING;
    ex->queued_ms = clock_ms(ex->loop->clock);
    atomic_store(&ex->gone, conn->gone);
    if (always) {
        queue->submit_always(queue, exchange_lane(ex), &ex->work);
    } else if (queue->submit(queue, exchange_lane(ex), &ex->work) < 0) {
        ex->state = state;
        return -1;
    }
    /* From here on ex is the worker's.  It may hand it back at once, but what comes back is looked
     * at by this thread alone, later. */
    MHD_suspend_connection(connection);
    conn_enter(conn, CONN_WORK, 0);
    return 0;
}

void exchange_returned(struct exchange *ex)
{
    if (!ex->conn) { /* the rest of an upload whose client left */
        exchange_free(ex);
        return;
    }
    if (ex->match.route && ex->match.route->together)
        slow_list_set(&ex->loop->slow, &ex->req, ex->alone);
    ex->state = ex->next_state;
    if (ex->state == EXCHANGE_SENDING)
        outflow_returned(ex);
    else if (ex->state == EXCHANGE_BODY)
        conn_enter(ex->conn, CONN_BODY, ex->loop->options.body_timeout_ms);
    MHD_resume_connection(ex->connection);
}

static void upload_on_worker(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;

    (void)upload_write(ex->upload, app, &ex->req, &ex->res, &ex->err);
    loop_post(ex->loop, ex);
}

static void abandon_on_worker(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;

    upload_abandon(ex->upload, app);
    loop_post(ex->loop, ex);
}

void exchange_retire(struct conn *conn)
{
    struct exchange *ex = conn->exchange;

    if (!ex)
        return;
    assert(ex->state != EXCHANGE_WORKING);
    conn->exchange = NULL;
    if (!ex->upload || !upload_open(ex->upload)) {
        exchange_free(ex);
        return;
    }
    /* the client left in mid-upload; only a worker can undo what was written */
    ex->conn = NULL;
    ex->connection = NULL;
    ex->state = EXCHANGE_WORKING;
    ex->work.run = abandon_on_worker;
    ex->loop->options.queue->submit_always(ex->loop->options.queue, exchange_lane(ex), &ex->work);
}

/* True if the rest of a body nobody wants is small enough to be read. */
static bool worth_swallowing(const struct exchange *ex)
{
    if (ex->length < 0)
        return ex->received_bytes <= SWALLOW_MAX_BYTES;
    return (uint64_t)ex->length <= SWALLOW_MAX_BYTES + ex->received_bytes;
}

static bool expects_continue(const struct exchange *ex)
{
    return headers_get(&ex->headers, "expect") != NULL;
}

static enum MHD_Result on_header(struct exchange *ex, const char *method)
{
    const struct route *route;

    exchange_judge(ex, method);
    ex->state = EXCHANGE_BODY;
    conn_enter(ex->conn, CONN_BODY, ex->loop->options.body_timeout_ms);
    route = ex->match.route;
    if (!ex->err.code && route && route->body == BODY_UPLOAD)
        ex->upload = upload_new(ex->connection, route->upload, &ex->err);
    if (ex->err.code && ex->length != 0 && (!worth_swallowing(ex) || expects_continue(ex))) {
        ex->conn->linger = true;
        return exchange_send(ex);
    }
    return MHD_YES;
}

static void collect(struct exchange *ex, const char *data, size_t len)
{
    uint64_t max = ex->loop->options.upload_max_bytes;
    const struct route *route = ex->match.route;

    if (ex->upload) {
        if (upload_feed(ex->upload, data, len, &ex->err) == 0 &&
            (upload_bytes(ex->upload) > max || ex->received_bytes > max + FORM_MAX_BYTES))
            (void)err_set(&ex->err, ERR_TOO_LARGE, "upload is larger than %" PRIu64 " bytes", max);
    } else if (route && route->body == BODY_JSON && buf_add(&ex->req.body, data, len) < 0) {
        (void)err_set(&ex->err, ERR_TOO_LARGE, "body is larger than %zu bytes", ex->req.body.max);
        buf_done(&ex->req.body);
    }
}

static enum MHD_Result on_body(struct exchange *ex, const char *data, size_t len)
{
    ex->received_bytes += len;
    ex->conn->deadline_ms += (int64_t)(len * 1000 / BODY_BYTES_PER_S);
    if (!ex->err.code)
        collect(ex, data, len);
    if (!ex->upload && ex->match.route && ex->match.route->body == BODY_NONE &&
        ex->received_bytes > SWALLOW_MAX_BYTES && !ex->err.code)
        (void)err_set(&ex->err, ERR_TOO_LARGE, "body is too large");
    if (ex->err.code && !worth_swallowing(ex)) {
        exchange_refuse(ex);
        return MHD_NO;
    }
    if (!ex->err.code && ex->upload && upload_ready(ex->upload))
        (void)exchange_hand_over(ex, upload_on_worker, EXCHANGE_BODY, true);
    return MHD_YES;
}

static enum MHD_Result too_busy(struct exchange *ex)
{
    metrics_add(ex->loop->options.app.metrics, METRIC_REFUSED, 1);
    (void)err_set(&ex->err, ERR_UNAVAILABLE, "the queue to the workers is full");
    return exchange_send(ex);
}

static void (*run_of(const struct exchange *ex))(struct work *, struct app *)
{
    if (exchange_lane(ex) == WORK_PREPARE)
        return exchange_run_prepare;
    return ex->match.route->together ? exchange_run_together : exchange_run;
}

static enum MHD_Result on_end(struct exchange *ex)
{
    const struct route *route = ex->match.route;

    if (!ex->err.code && ex->upload && upload_end(ex->upload, &ex->err) == 0) {
        /* a piece already written means that the queue has let it in before */
        if (exchange_hand_over(ex, upload_on_worker, EXCHANGE_ANSWER, upload_open(ex->upload)) < 0)
            return too_busy(ex);
        return MHD_YES;
    }
    if (ex->err.code || !route)
        return exchange_send(ex);
    if (route->lane == LANE_LOOP) {
        exchange_run(&ex->work, &ex->loop->options.app);
        return exchange_send(ex);
    }
    ex->alone = route->together && slow_list_has(&ex->loop->slow, &ex->req);
    if (exchange_hand_over(ex, run_of(ex), EXCHANGE_ANSWER, false) < 0)
        return too_busy(ex);
    return MHD_YES;
}

enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context)
{
    struct exchange *ex = *context;
    size_t len = *data_size;

    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    if (!ex)
        return MHD_NO;
    switch (ex->state) {
    case EXCHANGE_TARGET:
        return on_header(ex, method);
    case EXCHANGE_BODY:
        if (!len)
            return on_end(ex);
        *data_size = 0;
        return on_body(ex, data, len);
    case EXCHANGE_ANSWER:
        return exchange_send(ex);
    case EXCHANGE_DROPPED:
        return MHD_NO;
    case EXCHANGE_WORKING:
    case EXCHANGE_SENDING:
        break;
    }
    return MHD_YES;
}

void exchange_completed(void *cls, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct exchange *ex = *context;
    struct conn *conn;

    (void)cls;
    (void)connection;
    if (!ex)
        return;
    *context = NULL;
    assert(ex->state != EXCHANGE_WORKING);
    conn = ex->conn;
    exchange_log(ex, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    conn_enter(conn, CONN_IDLE,
               ex->loop->draining
                   ? IDLE_GRACE_MS
                   : ex->loop->options.keepalive_timeout_ms + ex->loop->options.header_timeout_ms);
    exchange_retire(conn);
}

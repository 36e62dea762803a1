/* SPDX-License-Identifier: GPL-3.0-or-later
 * The answer: to libmicrohttpd, to the counters, and to the log.  One line for each request, one
 * more for each failure of ours. */
#include "server/http/exchange.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "server/http/answer.h"
#include "server/http/outflow.h"
#include "server/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SEND_BYTES_PER_S 16384 /* as for streams */

static size_t route_index(const struct exchange *ex)
{
    const struct router *router = &ex->loop->options.router;

    return ex->match.route ? (size_t)(ex->match.route - router->routes) : router->count;
}

static void note_answer(struct exchange *ex)
{
    ex->status = ex->res.status;
    ex->answered_us = clock_us(ex->loop->clock);
    metrics_request(ex->loop->options.app.metrics, route_index(ex), ex->status,
                    ex->answered_us - ex->started_us - ex->waited_us);
    exchange_audit(ex);
}

/* Polls are what a loaded server can do without.  Who waits here for work is no burden. */
static void keep_pace(struct exchange *ex)
{
    struct pace *pace = &ex->loop->pace;
    char text[16];
    int64_t now_ms = clock_ms(ex->loop->clock);
    int seconds;

    if (!ex->match.route || !ex->match.route->hands_out || ex->match.head ||
        (ex->status != 200 && ex->status != 204) || request_query(&ex->req, "wait"))
        return;
    pace_note(pace, now_ms, (now_ms - ex->queued_ms) * 1000);
    metrics_set(ex->loop->options.app.metrics, METRIC_POLL_PAUSE, pace->pause_ms / 1000);
    seconds = pace_tell(pace);
    if (ex->status != 204 || seconds == 0)
        return;
    (void)snprintf(text, sizeof(text), "%d", seconds);
    (void)response_header(&ex->res, "Retry-After", text, NULL);
}

void exchange_log_failure(const struct exchange *ex, const struct err *err)
{
    log_error("failure", "id=%s method=%s path=%s error=%s", ex->req.id, LOG_VALUE(ex->req.method),
              LOG_VALUE(ex->req.path), LOG_VALUE(err->text));
}

/* Agents that poll and get nothing would fill the log with what nobody looks for; they are counted
 * (/metrics). */
static enum log_level level_of(const struct exchange *ex)
{
    bool polls_in_vain = ex->match.route && ex->match.route->hands_out && ex->status == 204;

    return polls_in_vain ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

void exchange_log(const struct exchange *ex, bool complete)
{
    const struct caller *caller = &ex->req.caller;
    const char *path = ex->match.route ? ex->match.route->path : ex->req.path;
    int64_t end_us = ex->answered_us ? ex->answered_us : clock_us(ex->loop->clock);

    if (!ex->req.id[0] || !log_enabled(level_of(ex))) /* the header never came to its end */
        return;
    (level_of(ex) == LOG_LEVEL_INFO ? log_info : log_debug)(
        "request",
        "id=%s method=%s path=%s route=%s status=%d ms=%" PRId64 ".%03d role=%s client=%s "
        "peer=%s in=%" PRIu64 " out=%" PRIu64 "%s%s%s",
        ex->req.id, LOG_VALUE(ex->req.method), LOG_VALUE(ex->req.path),
        ex->match.route ? path : "-", ex->status, (end_us - ex->started_us) / 1000,
        (int)((end_us - ex->started_us) % 1000), role_name(caller->role),
        caller->client_id ? LOG_VALUE(caller->client_id) : "-", ex->conn->peer, ex->received_bytes,
        ex->sent_bytes, complete ? "" : " cut=yes", ex->err.code ? " error=" : "",
        ex->err.code ? LOG_VALUE(ex->err.text) : "");
}

/* Turns what was decided into ex->res. */
static void settle(struct exchange *ex)
{
    if (ex->err.code) {
        if (err_http_status(ex->err.code) >= 500)
            exchange_log_failure(ex, &ex->err);
        response_error(&ex->res, &ex->err);
        if (ex->err.code == ERR_METHOD)
            (void)response_header(&ex->res, "Allow", ex->match.allow, NULL);
    } else if (ex->match.options) {
        (void)response_text(&ex->res, "");
        (void)response_header(&ex->res, "Allow", ex->match.allow, NULL);
    }
}

static ssize_t no_bytes(void *cls, uint64_t position, char *buffer, size_t max)
{
    (void)cls;
    (void)position;
    (void)buffer;
    (void)max;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct exchange *ex)
{
    struct response *res = &ex->res;
    struct MHD_Response *out;
    size_t len = res->body.len;
    char *body;

    if (ex->outflow)
        return outflow_response(ex);
    if (res->stream.next) /* HEAD of a stream: its size is all there is to say */
        return MHD_create_response_from_callback(
            res->stream.size_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)res->stream.size_bytes, 1024,
            no_bytes, NULL, NULL);
    if (len == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    body = buf_take(&res->body);
    out = body ? MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!out)
        free(body);
    ex->sent_bytes = ex->match.head ? 0 : len;
    return out;
}

static void add_headers(struct exchange *ex, struct MHD_Response *out)
{
    const struct response *res = &ex->res;

    if (res->content_type)
        (void)MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, res->content_type);
    for (size_t i = 0; i < res->header_count; i++)
        (void)MHD_add_response_header(out, res->headers[i].name, res->headers[i].value);
    if (ex->match.route &&
        ex->match.route->hands_out) /* an error must not look like an old server */
        (void)MHD_add_response_header(out, "Accept-Wait", ACCEPT_WAIT);
    (void)MHD_add_response_header(out, "X-Request-Id", ex->req.id);
    if (ex->loop->draining || ex->conn->linger)
        (void)MHD_add_response_header(out, MHD_HTTP_HEADER_CONNECTION, "close");
}

enum MHD_Result exchange_send(struct exchange *ex)
{
    struct MHD_Response *out;
    enum MHD_Result rc;

    settle(ex);
    note_answer(ex);
    keep_pace(ex);
    conn_enter(ex->conn, CONN_SEND,
               ex->loop->options.body_timeout_ms +
                   (int64_t)ex->res.body.len * 1000 / SEND_BYTES_PER_S);
    ex->state = EXCHANGE_SENDING;
    out = make_response(ex);
    if (!out)
        return MHD_NO;
    add_headers(ex, out);
    rc = MHD_queue_response(ex->connection, (unsigned)ex->status, out);
    MHD_destroy_response(out);
    return rc;
}

void exchange_refuse(struct exchange *ex)
{
    AUTO(buf) struct buf text = BUF_INIT(64 << 10);

    settle(ex);
    note_answer(ex);
    (void)buf_addf(&text,
                   "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nX-Request-Id: %s\r\n"
                   "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
                   ex->status, MHD_get_reason_phrase_for((unsigned)ex->status), ex->req.id,
                   ex->res.body.len, buf_text(&ex->res.body));
    /* nothing was sent for this request yet and it is short, so it fits into the socket's buffer */
    if (!buf_failed(&text) &&
        send(ex->conn->fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ex->sent_bytes = ex->res.body.len;
    ex->conn->linger = true;
    ex->state = EXCHANGE_DROPPED;
}

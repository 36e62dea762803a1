/* SPDX-License-Identifier: GPL-3.0-or-later
 * libmicrohttpd asks for bytes; when the piece in hand is used up, the connection is suspended and
 * a worker asked for the next one. */
#include "server/http/outflow.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES      ((size_t)64 << 10)
#define SEND_BYTES_PER_S 16384 /* a client that takes less, on average, is cut */

struct outflow {
    struct buf piece;
    size_t at;
    bool more;
    bool waits; /* nothing to send before something changes */
    bool cut;
    struct err err; /* .code set: cut the connection */
};

static int make_piece(struct exchange *ex, struct outflow *out, struct app *app, struct err *err)
{
    const struct stream *stream = &ex->res.stream;
    int rc;

    do { /* an empty piece that is not the last says nothing to the client */
        buf_clear(&out->piece);
        rc = stream->next(app, stream->state, &out->piece, err);
    } while (rc == 1 && out->piece.len == 0);
    if (rc >= 0 && buf_failed(&out->piece))
        return err_set(err, ERR_INTERNAL, "a piece of an answer is too large");
    out->at = 0;
    out->more = rc > 0;
    out->waits = rc == STREAM_WAITS && out->piece.len == 0;
    return rc < 0 ? -1 : 0;
}

int outflow_begin(struct exchange *ex, struct app *app, struct err *err)
{
    struct outflow *out = calloc(1, sizeof(*out));

    if (!out)
        return err_set(err, ERR_INTERNAL, "out of memory");
    buf_init(&out->piece, RESPONSE_BODY_MAX);
    if (make_piece(ex, out, app, err) < 0) {
        outflow_free(out);
        return -1;
    }
    if (!out->more && ex->res.stream.size_bytes < 0) {
        buf_done(&ex->res.body);
        ex->res.body = out->piece;
        out->piece = (struct buf)BUF_INIT(0);
        ex->res.stream.free(ex->res.stream.state);
        ex->res.stream = (struct stream){0};
        outflow_free(out);
        return 0;
    }
    ex->outflow = out;
    return 0;
}

void outflow_free(struct outflow *out)
{
    if (!out)
        return;
    buf_done(&out->piece);
    free(out);
}

static void next_on_worker(struct work *work, struct app *app)
{
    struct exchange *ex = (struct exchange *)work;
    struct outflow *out = ex->outflow;
    uint64_t mark = park_mark(ex->loop->options.park);
    enum park_answer answer = PARK_OVER;

    if (make_piece(ex, out, app, &out->err) < 0)
        buf_clear(&out->piece);
    else if (out->waits)
        answer = exchange_park_stream(ex, mark);
    if (answer == PARK_WAITS || answer == PARK_CHANGED)
        return;
    if (out->waits && !out->err.code) /* about to stop: the client can go on with another server */
        out->more = false;
    out->cut = answer == PARK_GONE;
    loop_post(ex->loop, ex);
}

void outflow_cut(struct exchange *ex)
{
    ex->outflow->cut = true;
}

void outflow_returned(struct exchange *ex)
{
    struct outflow *out = ex->outflow;

    if (out->err.code)
        exchange_log_failure(ex, &out->err);
    conn_enter(ex->conn, CONN_SEND,
               ex->loop->options.body_timeout_ms +
                   (int64_t)out->piece.len * 1000 / SEND_BYTES_PER_S);
}

static ssize_t take_bytes(void *cls, uint64_t position, char *buffer, size_t max)
{
    struct exchange *ex = cls;
    struct outflow *out = ex->outflow;
    size_t n = out->piece.len - out->at;

    (void)position;
    if (n > 0) {
        if (n > max)
            n = max;
        memcpy(buffer, out->piece.data + out->at, n);
        out->at += n;
        ex->sent_bytes += n;
        return (ssize_t)n;
    }
    if (out->err.code || out->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!out->more)
        return MHD_CONTENT_READER_END_OF_STREAM;
    (void)exchange_hand_over(ex, next_on_worker, EXCHANGE_SENDING, true);
    return 0;
}

struct MHD_Response *outflow_response(struct exchange *ex)
{
    uint64_t size =
        ex->res.stream.size_bytes < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)ex->res.stream.size_bytes;

    return MHD_create_response_from_callback(size, BLOCK_BYTES, take_bytes, ex, NULL);
}

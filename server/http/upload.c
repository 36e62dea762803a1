/* SPDX-License-Identifier: GPL-3.0-or-later
 * libmicrohttpd's post processor finds the parts; the first one that is a file and named "file" is
 * the upload, everything else is skipped.  The handler opens with the first piece, so that a small
 * file costs a single visit to a worker. */
#include "server/http/upload.h"

#include "server/routes.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#define PROCESSOR_BYTES ((size_t)32 << 10)
/* A read brings at most the memory of a connection on top of an unfinished piece. */
#define PENDING_MAX (STREAM_PIECE_MAX + ((size_t)256 << 10))

enum upload_part { PART_OTHER, PART_FILE };

struct upload {
    const struct upload_handler *handler;
    struct MHD_PostProcessor *processor;
    struct buf pending;
    enum upload_part part;
    uint64_t taken; /* bytes of the file part so far */
    bool seen;      /* there is or was a file part */
    bool ended;     /* all of the body has come */
    bool open;
    void *state;
};

static enum MHD_Result take_value(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *filename, const char *content_type,
                                  const char *transfer_encoding, const char *data, uint64_t off,
                                  size_t size)
{
    struct upload *up = cls;

    (void)kind;
    (void)content_type;
    (void)transfer_encoding;
    if (off == 0 && !(up->part == PART_FILE && up->taken == 0)) { /* a part begins */
        bool file = key && filename && strcmp(key, "file") == 0;

        up->part = file && !up->seen ? PART_FILE : PART_OTHER;
        up->seen = up->seen || file;
    }
    up->taken += up->part == PART_FILE ? size : 0;
    if (up->part == PART_FILE && size && buf_add(&up->pending, data, size) < 0)
        return MHD_NO;
    return MHD_YES;
}

struct upload *upload_new(struct MHD_Connection *connection, const struct upload_handler *handler,
                          struct err *err)
{
    struct upload *up = calloc(1, sizeof(*up));

    if (!up) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    up->handler = handler;
    buf_init(&up->pending, PENDING_MAX);
    up->processor = MHD_create_post_processor(connection, PROCESSOR_BYTES, take_value, up);
    if (!up->processor) {
        free(up);
        (void)err_set(err, ERR_BAD_REQUEST, "the body is no form with a file part \"file\"");
        return NULL;
    }
    return up;
}

void upload_free(struct upload *up)
{
    if (!up)
        return;
    if (up->processor)
        (void)MHD_destroy_post_processor(up->processor);
    buf_done(&up->pending);
    free(up);
}

int upload_feed(struct upload *up, const char *data, size_t len, struct err *err)
{
    if (MHD_post_process(up->processor, data, len) != MHD_YES)
        return err_set(err, ERR_BAD_REQUEST, "could not read the form in the body");
    return 0;
}

int upload_end(struct upload *up, struct err *err)
{
    enum MHD_Result complete = MHD_destroy_post_processor(up->processor);

    up->processor = NULL;
    if (complete != MHD_YES)
        return err_set(err, ERR_BAD_REQUEST, "the form in the body ends too early");
    if (!up->seen)
        return err_set(err, ERR_BAD_REQUEST, "the form has no file part \"file\"");
    up->ended = true;
    return 0;
}

uint64_t upload_bytes(const struct upload *up)
{
    return up->taken;
}

bool upload_ready(const struct upload *up)
{
    return up->pending.len >= STREAM_PIECE_MAX;
}

bool upload_open(const struct upload *up)
{
    return up->open;
}

static int write_pieces(struct upload *up, struct app *app, struct err *err)
{
    while (up->pending.len >= STREAM_PIECE_MAX || (up->ended && up->pending.len > 0)) {
        size_t len = up->pending.len < STREAM_PIECE_MAX ? up->pending.len : STREAM_PIECE_MAX;

        if (up->handler->write(app, up->state, up->pending.data, len, err) < 0)
            return -1;
        buf_drop(&up->pending, len);
    }
    return 0;
}

int upload_write(struct upload *up, struct app *app, const struct request *req,
                 struct response *res, struct err *err)
{
    if (!up->open) {
        if (up->handler->open(app, req, &up->state, err) < 0)
            return -1;
        up->open = true;
    }
    if (write_pieces(up, app, err) < 0 ||
        (up->ended && up->handler->finish(app, up->state, res, err) < 0)) {
        upload_abandon(up, app);
        return -1;
    }
    if (up->ended)
        up->open = false;
    return 0;
}

void upload_abandon(struct upload *up, struct app *app)
{
    if (up->open)
        up->handler->abandon(app, up->state);
    up->open = false;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Answers that carry logs, in pieces. */
#include "server/handlers/result.h"

#include "common/json.h"
#include "server/app.h"
#include "server/http/response.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MARGIN ((size_t)512) /* for the beginning and the end of a section */
#define ESCAPE_MAX   ((size_t)6)   /* \u0000 for one byte */

static const char *const types[] = {"output", "serial"};

const char *log_type(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], name) == 0)
            return types[i];
    return NULL;
}

struct log_stream *log_stream_new(const struct log_stream_form *form, const char *id)
{
    struct log_stream *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->form = form;
    s->attempt = ATTEMPT_NEWEST;
    (void)snprintf(s->id, sizeof(s->id), "%s", id);
    buf_init(&s->head, RESPONSE_BODY_MAX);
    return s;
}

void log_stream_free(void *stream)
{
    struct log_stream *s = stream;

    if (!s)
        return;
    log_cursor_done(&s->cursor);
    buf_done(&s->head);
    free(s);
}

void log_stream_add(struct log_stream *s, const char *type, const char *phase, bool empty)
{
    assert(s->count < LOG_SECTIONS_MAX);
    s->sections[s->count++] = (struct log_section){type, phase, empty};
}

static size_t room_in(const struct buf *piece)
{
    return piece->len < STREAM_PIECE_MAX ? STREAM_PIECE_MAX - piece->len : 0;
}

static void begin_section(struct log_stream *s)
{
    const struct log_section *section = &s->sections[s->at];

    log_cursor_init(&s->cursor, s->id, section->type, section->phase);
    s->cursor.from_number = s->from_number;
    s->cursor.attempt = s->attempt;
    s->cursor.from_time = s->from_time[0] ? s->from_time : NULL;
    s->begun = true;
}

static int end_section(struct log_stream *s, struct buf *piece)
{
    log_cursor_done(&s->cursor);
    s->begun = false;
    s->at++;
    return s->form->end(piece, s->cursor.number);
}

/* Adds a little more of the section at .at, or its end. */
static int add_more(struct app *app, struct log_stream *s, struct buf *piece, struct err *err)
{
    const struct log_section *section = &s->sections[s->at];
    const char *text;
    size_t len, max = (room_in(piece) - PIECE_MARGIN) / ESCAPE_MAX;
    int rc = 0;

    if (!s->begun) {
        begin_section(s);
        return s->form->begin(piece, section->type, section->phase, s->at == 0);
    }
    if (!section->empty)
        rc = log_cursor_next(&s->cursor, app->db, max, &text, &len, err);
    if (rc < 0)
        return -1;
    return rc > 0 ? jsn_add_escaped(piece, text, len) : end_section(s, piece);
}

static int next_piece(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct log_stream *s = state;
    struct err failure = ERR_INIT;
    size_t len = s->head.len - s->head_at;

    if (len > room_in(piece))
        len = room_in(piece);
    if (buf_add(piece, s->head.data + s->head_at, len) < 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    s->head_at += len;
    while (s->at < s->count && room_in(piece) > 2 * PIECE_MARGIN)
        if (add_more(app, s, piece, &failure) < 0) {
            if (failure.code == ERR_NONE)
                return err_set(err, ERR_INTERNAL, "out of memory");
            *err = failure;
            return -1;
        }
    if (s->head_at < s->head.len || s->at < s->count || room_in(piece) < PIECE_MARGIN)
        return 1;
    return buf_adds(piece, s->form->tail) < 0 ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

void log_stream_answer(struct log_stream *s, struct response *res)
{
    res->content_type = "application/json";
    res->stream =
        (struct stream){.next = next_piece, .free = log_stream_free, .state = s, .size_bytes = -1};
}

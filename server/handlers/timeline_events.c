/* SPDX-License-Identifier: GPL-3.0-or-later
 * The story of a job as server-sent events: who watches costs a socket, and a look when the job
 * changes or for ten seconds nothing was heard of it. */
#include "server/handlers/timeline.h"

#include "common/clock.h"
#include "common/parse.h"
#include "server/app.h"
#include "server/store/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_MS      3000
#define LOOK_EVERY_MS 10000
#define QUIET_MS      9000 /* then a comment tells both ends that the other is still there */
#define PAGE_ENTRIES  500
#define WAITS_SIZE    64

/* Somebody who watches: where in the story they are. */
struct watch {
    char job[UUID_TEXT_SIZE];
    char after[TIMELINE_ID_SIZE]; /* "" before the first */
    char waits[WAITS_SIZE];       /* the reason to wait that was sent last */
    struct buf first;             /* read before the answer began */
    int rc;                       /* what to go on with after that */
    int64_t sent_ms;              /* 0: nothing was sent yet */
};

/* "1.0.1 {…}\n" -> id: 1.0.1\ndata: {…}\n\n */
static int write_events(const char *lines, struct buf *piece)
{
    while (*lines) {
        size_t id_len = strcspn(lines, " ");
        size_t len = strcspn(lines + id_len + 1, "\n");

        (void)buf_addf(piece, "id: %.*s\ndata: ", (int)id_len, lines);
        (void)buf_add(piece, lines + id_len + 1, len);
        (void)buf_adds(piece, "\n\n");
        lines += id_len + 1 + len;
        lines += *lines == '\n';
    }
    return buf_failed(piece) ? -1 : 0;
}

static struct timeline_query query_of(const struct watch *w)
{
    return (struct timeline_query){.job = w->job,
                                   .after = w->after[0] ? w->after : NULL,
                                   .waits = w->waits[0] ? w->waits : NULL,
                                   .limit = PAGE_ENTRIES};
}

static void move_on(struct watch *w, const struct timeline_row *row)
{
    if (row->last_id)
        (void)snprintf(w->after, sizeof(w->after), "%s", row->last_id);
    if (!row->more)
        (void)snprintf(w->waits, sizeof(w->waits), "%s", row->waits ? row->waits : "");
}

/* Adds what is new.  Returns as a stream's next() does. */
static int read_on(struct app *app, struct watch *w, struct buf *piece, bool *ret_found,
                   struct err *err)
{
    const struct timeline_query query = query_of(w);
    struct timeline_row row;
    int rc;

    if (timeline_store_read(app->db, &query, &row, err) < 0)
        return -1;
    *ret_found = row.found;
    rc = !row.found || row.ended ? 0 : row.more ? 1 : STREAM_WAITS;
    if (row.found && write_events(row.lines, piece) < 0)
        rc = err_set(err, ERR_INTERNAL, "the story of a job is too large");
    if (row.found)
        move_on(w, &row);
    timeline_row_done(&row);
    return rc;
}

static int next_events(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct watch *w = state;
    int64_t now_ms = clock_ms(app->clock);
    bool found;
    int rc = w->rc;

    if (!w->sent_ms) {
        (void)buf_addf(piece, "retry: %d\n\n", RETRY_MS);
        (void)buf_add(piece, buf_text(&w->first), w->first.len);
    } else {
        rc = read_on(app, w, piece, &found, err);
        if (rc == STREAM_WAITS && !piece->len && now_ms - w->sent_ms >= QUIET_MS)
            (void)buf_adds(piece, ": nothing new\n\n");
    }
    if (piece->len)
        w->sent_ms = now_ms;
    return rc;
}

static void free_watch(void *state)
{
    struct watch *w = state;

    if (!w)
        return;
    buf_done(&w->first);
    free(w);
}

/* Whether a list in a header, as Accept, names a media type. */
bool timeline_wants_events(const struct request *req)
{
    static const char type[] = "text/event-stream";
    const char *accept = request_header(req, "accept");

    for (; accept && *accept; accept += strcspn(accept, ","), accept += *accept == ',') {
        accept += strspn(accept, " \t");
        if (strncasecmp(accept, type, sizeof(type) - 1) == 0 &&
            strchr(" \t;,", accept[sizeof(type) - 1]))
            return true;
    }
    return false;
}

static struct watch *new_watch(const char *id, const char *after)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    buf_init(&w->first, RESPONSE_BODY_MAX);
    (void)snprintf(w->job, sizeof(w->job), "%s", id);
    (void)snprintf(w->after, sizeof(w->after), "%s", after ? after : "");
    return w;
}

static int answer(struct watch *w, struct response *res, struct err *err)
{
    res->content_type = "text/event-stream";
    res->stream = (struct stream){.next = next_events,
                                  .free = free_watch,
                                  .state = w,
                                  .size_bytes = -1,
                                  .wait_key = wake_key(WAKE_JOB, w->job),
                                  .wait_ms = LOOK_EVERY_MS};
    return response_header(res, "Cache-Control", "no-store", err);
}

/* A job that is unknown, or has nothing left to tell, is answered 204: a browser does not ask again
 * then. */
int timeline_watch(struct app *app, const struct request *req, const char *id, struct response *res,
                   struct err *err)
{
    const char *after = request_header(req, "last-event-id");
    struct watch *w;
    bool found = false, any;

    if (after && *after && !timeline_id_valid(after))
        return err_set(err, ERR_BAD_REQUEST, "Last-Event-ID is not that of an entry");
    w = new_watch(id, after);
    if (!w)
        return err_set(err, ERR_INTERNAL, "out of memory");
    w->rc = read_on(app, w, &w->first, &found, err);
    any = w->rc > 0 || (found && w->first.len > 0);
    if (w->rc >= 0 && any)
        return answer(w, res, err);
    any = w->rc < 0;
    free_watch(w);
    return any ? -1 : response_none(res);
}

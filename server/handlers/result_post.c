/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/result/{id}: what an agent says about its job.  Those that come at a moment share a
 * commit. */
#include "server/store/result.h"

#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/wake.h"
#include "server/work.h"

/* What the posts of a round point to. */
struct result_texts {
    char id[UUID_TEXT_SIZE];
    struct buf status, device_info, queue;
};

static void texts_init(struct result_texts *texts)
{
    buf_init(&texts->status, RESPONSE_BODY_MAX);
    buf_init(&texts->device_info, RESPONSE_BODY_MAX);
    buf_init(&texts->queue, NAME_MAX_BYTES + 1);
}

static void texts_done(struct result_texts *texts)
{
    buf_done(&texts->status);
    buf_done(&texts->device_info);
    buf_done(&texts->queue);
}

/* Writes a member of the body as text; *ret_text is NULL if it is not there. */
static int member_text(const struct request *req, const char *key, struct buf *b,
                       const char **ret_text, struct err *err)
{
    struct json_object *value = jsn_get(req->json, key);

    *ret_text = NULL;
    if (!value)
        return 0;
    if (jsn_add_tree(b, value) < 0)
        return err_set(err, ERR_TOO_LARGE, "result is too large");
    *ret_text = buf_text(b);
    return 0;
}

static int read_post(const struct turn *turn, struct result_texts *texts,
                     struct result_post *ret_post)
{
    const struct request *req = turn->req;
    struct posted_result *what = &ret_post->what;

    *ret_post = (struct result_post){.id = texts->id, .err = turn->err, .queue = &texts->queue};
    if (request_uuid(req, "id", texts->id, turn->err) < 0 ||
        handler_poster(req, &ret_post->by, turn->err) < 0 ||
        member_text(req, "status", &texts->status, &what->status, turn->err) < 0 ||
        member_text(req, "device_info", &texts->device_info, &what->device_info, turn->err) < 0)
        return -1;
    what->job_state = jsn_text(req->json, "job_state");
    what->stopped = jsn_text(req->json, "stopped");
    return 0;
}

static void store(struct db *db, struct result_post *posts, size_t count)
{
    if (count == 1)
        (void)result_store_post(db, posts->id, &posts->by, &posts->what, posts->queue, posts->err);
    else
        result_store_post_all(db, posts, count);
}

/* What the database could not take at all would spoil the round the next time too. */
static void answer(const struct app *app, const struct result_post *post, struct turn *turn)
{
    if (post->alone) {
        turn->end = TURN_ALONE;
        return;
    }
    turn->slow = turn->alone && post->err->code == ERR_INTERNAL;
    if (post->err->code)
        return;
    wake_tell(app->waker, WAKE_JOB, post->id);
    if (post->queue->len > 0)
        wake_tell(app->waker, WAKE_QUEUE, buf_text(post->queue));
    (void)response_ok(turn->res);
}

void result_post(struct app *app, struct turn *turns, size_t count)
{
    struct result_texts texts[WORK_TOGETHER_MAX];
    struct result_post posts[WORK_TOGETHER_MAX];
    struct turn *posting[WORK_TOGETHER_MAX];
    size_t posted = 0;

    for (size_t i = 0; i < count; i++) {
        texts_init(&texts[i]);
        if (read_post(&turns[i], &texts[i], &posts[posted]) == 0)
            posting[posted++] = &turns[i];
    }
    if (posted > 0)
        store(app->db, posts, posted);
    for (size_t i = 0; i < posted; i++)
        answer(app, &posts[i], posting[i]);
    for (size_t i = 0; i < count; i++)
        texts_done(&texts[i]);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/result/{id}/log/{type}: many agents post small fragments all the time, and a commit
 * costs as much as what it keeps of one of them: those that come at a moment share one. */
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/result.h"
#include "server/work.h"

/* What the posts of a round point to. */
struct log_texts {
    char id[UUID_TEXT_SIZE];
    char at[CLOCK_TEXT_SIZE];
};

static int read_post(const struct turn *turn, struct log_texts *texts, struct log_post *ret_post)
{
    const struct request *req = turn->req;
    struct json_object *data = jsn_get(req->json, "log_data");
    struct log_fragment *fragment = &ret_post->fragment;

    *ret_post = (struct log_post){.id = texts->id, .err = turn->err};
    if (request_uuid(req, "id", texts->id, turn->err) < 0 ||
        log_take_type(req, &fragment->type, turn->err) < 0 ||
        handler_poster(req, &ret_post->by, turn->err) < 0 ||
        log_take_time(jsn_text(req->json, "timestamp"), texts->at, turn->err) < 0)
        return -1;
    fragment->phase = jsn_text(req->json, "phase");
    fragment->number = jsn_int(req->json, "fragment_number", 0);
    fragment->at = texts->at;
    fragment->data = json_object_get_string(data);
    fragment->len = (size_t)json_object_get_string_len(data);
    return 0;
}

static void store(struct db *db, struct log_post *posts, size_t count)
{
    if (count == 1)
        (void)log_store_post(db, posts->id, &posts->by, &posts->fragment, posts->err);
    else
        log_store_post_all(db, posts, count);
}

void result_log_post(struct app *app, struct turn *turns, size_t count)
{
    struct log_texts texts[WORK_TOGETHER_MAX];
    struct log_post posts[WORK_TOGETHER_MAX];
    struct turn *posting[WORK_TOGETHER_MAX];
    size_t posted = 0;

    for (size_t i = 0; i < count; i++)
        if (read_post(&turns[i], &texts[posted], &posts[posted]) == 0)
            posting[posted++] = &turns[i];
    if (posted == 0)
        return;
    store(app->db, posts, posted);
    for (size_t i = 0; i < posted; i++) {
        struct turn *turn = posting[i];

        /* What the database could not take at all would spoil the round the next time too. */
        turn->slow = turn->alone && posts[i].err->code == ERR_INTERNAL;
        if (posts[i].alone)
            turn->end = TURN_ALONE;
        else if (!posts[i].err->code)
            (void)response_ok(turn->res);
    }
}

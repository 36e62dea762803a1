/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/job: those that come at a moment are one call of the database and one commit.  While it
 * is made the next ones are read. */
#include "server/store/submission.h"

#include "common/clock.h"
#include "common/json.h"
#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job.h"
#include "server/wake.h"
#include "server/work.h"

#include <stdlib.h>

_Static_assert(SUBMISSIONS_MAX >= WORK_TOGETHER_MAX, "what is gathered is one batch");

/* A call beyond this is one for which the connection is opened anew, see server/db. */
#define BATCH_BYTES_MAX ((size_t)768 << 10)

/* What is made with the next call of the database; the texts stay where they were. */
struct batch {
    struct submission submissions[SUBMISSIONS_MAX];
    struct turn *turns[SUBMISSIONS_MAX];
    size_t count, bytes;
};

/* A submission while it waits for its batch; what the body said is in its texts. */
struct waiting {
    struct submission submission; /* .err: none yet */
    uint64_t queue;               /* whom to wake */
};

/* job_id is not part of what makes two jobs the same. */
static int write_definition(const struct request *req, struct buf *ret_text,
                            char ret_sha256[static DIGEST_HEX_SIZE], struct err *err)
{
    (void)buf_reserve(ret_text, req->body.len); /* mostly it is as long as this */
    if (job_digest(req->json, "job_id", ret_sha256, err) < 0)
        return -1;
    if (jsn_add_tree_without(ret_text, req->json, "job_id") < 0)
        return err_set(err, ERR_TOO_LARGE, "job is too large");
    return 0;
}

/* A definition with secrets, even with none in it, needs a store. */
static int check_secrets(const struct app *app, struct json_object *body, struct err *err)
{
    if (!app->seal && jsn_get(jsn_get(body, "test_data"), "secrets"))
        return err_set(err, ERR_INVALID, "this server has no store for secrets");
    return 0;
}

static int read_submission(const struct app *app, const struct request *req,
                           struct submission *submission, struct err *err)
{
    struct job_submission s;

    if (job_key(req, &s, err) < 0 || check_secrets(app, req->json, err) < 0 ||
        uuid_make(clock_us(app->clock), s.new_id, err) < 0 ||
        write_definition(req, &submission->definition, s.sha256, err) < 0)
        return -1;
    return job_facts(req, &s, &submission->facts, err);
}

static void release(void *prepared)
{
    struct waiting *waiting = prepared;

    buf_done(&waiting->submission.definition);
    buf_done(&waiting->submission.facts);
    free(waiting);
}

static int prepare(const struct app *app, const struct request *req, void **ret_prepared,
                   struct err *err)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));

    if (!waiting)
        return err_set(err, ERR_INTERNAL, "out of memory");
    buf_init(&waiting->submission.definition, JOB_TEXT_MAX);
    buf_init(&waiting->submission.facts, JOB_TEXT_MAX);
    waiting->queue = wake_key(WAKE_QUEUE, jsn_text(req->json, "job_queue"));
    if (read_submission(app, req, &waiting->submission, err) < 0) {
        release(waiting);
        return -1;
    }
    *ret_prepared = waiting;
    return 0;
}

static void answer(const struct app *app, const struct submission *submission, struct turn *turn)
{
    const struct waiting *waiting = turn->prepared;

    if (turn->err->code)
        return;
    wake_tell_key(app->waker, waiting->queue);
    turn->res->content_type = "application/json";
    (void)buf_addf(&turn->res->body, "{\"job_id\":\"%s\"}", submission->job);
}

static void end_batch(struct app *app, struct batch *batch)
{
    if (batch->count > 0)
        submission_store_make(app->db, batch->submissions, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        answer(app, &batch->submissions[i], batch->turns[i]);
    batch->count = 0;
    batch->bytes = 0;
}

static void add(struct app *app, struct batch *batch, struct turn *turn)
{
    struct submission submission = ((const struct waiting *)turn->prepared)->submission;
    size_t bytes = submission.definition.len + submission.facts.len;

    if (batch->count == SUBMISSIONS_MAX || batch->bytes + bytes > BATCH_BYTES_MAX)
        end_batch(app, batch);
    submission.err = turn->err;
    batch->submissions[batch->count] = submission;
    batch->turns[batch->count++] = turn;
    batch->bytes += bytes;
}

static void make(struct app *app, struct turn *turns, size_t count)
{
    struct batch batch;

    batch.count = 0;
    batch.bytes = 0;
    for (size_t i = 0; i < count; i++)
        add(app, &batch, &turns[i]);
    end_batch(app, &batch);
}

const struct together_handler job_submit = {
    .make = make,
    .prepare = prepare,
    .release = release,
};

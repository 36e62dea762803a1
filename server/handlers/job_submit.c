/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/job: those that come at a moment are one call of the database and one commit. */
#include "server/store/submission.h"

#include "common/clock.h"
#include "common/json.h"
#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job.h"
#include "server/wake.h"
#include "server/work.h"

#include <string.h>

_Static_assert(SUBMISSIONS_MAX >= WORK_TOGETHER_MAX, "what is gathered is one batch");

/* A call beyond this is one for which the connection is opened anew, see server/db. */
#define BATCH_BYTES_MAX ((size_t)768 << 10)

/* What is made with the next call of the database. */
struct batch {
    struct submission submissions[SUBMISSIONS_MAX];
    struct turn *turns[SUBMISSIONS_MAX];
    size_t count, bytes;
};

/* The members of the body but job_id, which is not part of what makes two jobs the same. */
static struct json_object *definition_of(struct json_object *body, struct err *err)
{
    struct json_object *definition = json_object_new_object();

    if (!definition) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    json_object_object_foreach(body, key, value)
    {
        if (strcmp(key, "job_id") == 0)
            continue;
        if (jsn_set(definition, key, json_object_get(value), err) < 0) {
            json_object_put(definition);
            return NULL;
        }
    }
    return definition;
}

static int write_definition(struct json_object *body, struct buf *ret_text,
                            char ret_sha256[static DIGEST_HEX_SIZE], struct err *err)
{
    struct json_object *definition = definition_of(body, err);
    int rc;

    if (!definition)
        return -1;
    rc = job_digest(definition, ret_sha256, err);
    if (rc == 0 && jsn_add_tree(ret_text, definition) < 0)
        rc = err_set(err, ERR_TOO_LARGE, "job is too large");
    json_object_put(definition);
    return rc;
}

/* A definition with secrets, even with none in it, needs a store. */
static int check_secrets(const struct app *app, struct json_object *body, struct err *err)
{
    if (!app->seal && jsn_get(jsn_get(body, "test_data"), "secrets"))
        return err_set(err, ERR_INVALID, "this server has no store for secrets");
    return 0;
}

/* The texts are released by end_batch(). */
static int read_submission(const struct app *app, const struct request *req,
                           struct submission *submission, struct err *err)
{
    struct job_submission s;

    if (job_key(req, &s, err) < 0 || check_secrets(app, req->json, err) < 0 ||
        uuid_make(clock_us(app->clock), s.new_id, err) < 0 ||
        write_definition(req->json, &submission->definition, s.sha256, err) < 0 ||
        job_facts(req, &s, &submission->facts, err) < 0)
        return -1;
    return 0;
}

static void answer(const struct app *app, const struct submission *submission, struct turn *turn)
{
    if (turn->err->code)
        return;
    wake_tell(app->waker, WAKE_QUEUE, jsn_text(turn->req->json, "job_queue"));
    turn->res->content_type = "application/json";
    (void)buf_addf(&turn->res->body, "{\"job_id\":\"%s\"}", submission->job);
}

static void release(struct submission *submission)
{
    buf_done(&submission->definition);
    buf_done(&submission->facts);
}

static void end_batch(struct app *app, struct batch *batch)
{
    if (batch->count > 0)
        submission_store_make(app->db, batch->submissions, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        answer(app, &batch->submissions[i], batch->turns[i]);
        release(&batch->submissions[i]);
    }
    batch->count = 0;
    batch->bytes = 0;
}

static void add(struct app *app, struct batch *batch, struct turn *turn)
{
    struct submission submission = {.err = turn->err};
    size_t bytes;

    buf_init(&submission.definition, JOB_TEXT_MAX);
    buf_init(&submission.facts, JOB_TEXT_MAX);
    if (read_submission(app, turn->req, &submission, turn->err) < 0) {
        release(&submission);
        return;
    }
    bytes = submission.definition.len + submission.facts.len;
    if (batch->count == SUBMISSIONS_MAX || batch->bytes + bytes > BATCH_BYTES_MAX)
        end_batch(app, batch);
    batch->submissions[batch->count] = submission;
    batch->turns[batch->count++] = turn;
    batch->bytes += bytes;
}

void job_submit(struct app *app, struct turn *turns, size_t count)
{
    struct batch batch;

    batch.count = 0;
    batch.bytes = 0;
    for (size_t i = 0; i < count; i++)
        add(app, &batch, &turns[i]);
    end_batch(app, &batch);
}

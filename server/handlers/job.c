/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jobs as users see them: submit, read back, position, cancel. */
#include "server/store/job.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job.h"
#include "server/wake.h"

#include <stdio.h>
#include <string.h>

/* GET /v1/job/{id} */
int job_show(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    bool found;

    if (request_uuid(req, "id", id, err) < 0 ||
        job_store_get(app->db, id, &res->body, &found, err) < 0)
        return -1;
    if (!found)
        return response_none(res);
    res->content_type = "application/json";
    return 0;
}

/* GET /v1/job/{id}/position */
int job_position(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    char id[UUID_TEXT_SIZE], text[24];
    int64_t position;

    if (request_uuid(req, "id", id, err) < 0 || job_store_position(app->db, id, &position, err) < 0)
        return -1;
    (void)snprintf(text, sizeof(text), "%lld", (long long)position);
    return response_text(res, text);
}

/* POST /v1/job/{id}/action; the schema knows one action, cancel */
int job_action(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    char id[UUID_TEXT_SIZE];

    if (request_uuid(req, "id", id, err) < 0 ||
        job_store_cancel(app->db, id, req->caller.client_id, err) < 0)
        return -1;
    wake_tell(app->waker, WAKE_JOB, id);
    return response_ok(res);
}

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

/* POST /v1/job */
int job_submit(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    AUTO(buf) struct buf definition = BUF_INIT(JOB_TEXT_MAX);
    AUTO(buf) struct buf facts = BUF_INIT(JOB_TEXT_MAX);
    struct job_submission submission;
    char id[UUID_TEXT_SIZE];

    if (job_key(req, &submission, err) < 0 || check_secrets(app, req->json, err) < 0 ||
        uuid_make(clock_us(app->clock), submission.new_id, err) < 0 ||
        write_definition(req->json, &definition, submission.sha256, err) < 0 ||
        job_facts(req, &submission, &facts, err) < 0 ||
        job_store_submit(app->db, buf_text(&definition), buf_text(&facts), id, err) < 0)
        return -1;
    wake_tell(app->waker, WAKE_QUEUE, jsn_text(req->json, "job_queue"));
    res->content_type = "application/json";
    (void)buf_addf(&res->body, "{\"job_id\":\"%s\"}", id);
    return 0;
}

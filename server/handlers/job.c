/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jobs as users see them: read back, position, cancel. */
#include "server/store/job.h"

#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job.h"
#include "server/wake.h"

#include <stdio.h>

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

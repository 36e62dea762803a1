/* SPDX-License-Identifier: GPL-3.0-or-later
 * GET /v1/job/{id}/status: where a job stands, at once or as soon as that changes. */
#include "server/store/job.h"

#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"

#include <string.h>

/* ?wait=SECONDS&after=VERSION: the client has this version and wants to know when it changes.  0:
 * no reason to wait. */
static int take_wait(const struct request *req, const struct job_status *status,
                     int64_t *ret_seconds, struct err *err)
{
    const char *after = request_query(req, "after");

    if (request_wait(req, ret_seconds, err) < 0)
        return -1;
    if (req->wait_over || !after || strcmp(after, status->version) != 0)
        *ret_seconds = 0;
    return 0;
}

static int answer(const struct request *req, struct response *res, struct err *err)
{
    char version[DIGEST_HEX_SIZE];
    unsigned char hash[DIGEST_SIZE];

    digest_of(buf_text(&res->body), res->body.len, hash);
    digest_hex(hash, version);
    if (response_etag(res, ETAG_STRONG, version, err) < 0)
        return -1;
    if (request_has_version(req, version))
        return response_unchanged(res);
    res->content_type = "application/json";
    return 0;
}

int job_status(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct job_status status;
    struct poster by;
    char id[UUID_TEXT_SIZE];
    int64_t wait_s;

    if (request_uuid(req, "id", id, err) < 0 || handler_reader(req, &by, err) < 0 ||
        job_store_status(app->db, id, &by, &res->body, &status, err) < 0 ||
        take_wait(req, &status, &wait_s, err) < 0)
        return -1;
    if (!status.found)
        return response_none(res);
    if (!wait_s)
        return answer(req, res, err);
    response_wait(res, wait_s);
    return response_wait_for(res, WAKE_JOB, id, false, err);
}

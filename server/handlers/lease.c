/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/job/{id}/lease: the agent that has the job keeps it. */
#include "server/store/lease.h"

#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"

#include <string.h>

static int write_lease(const struct lease_row *row, struct response *res)
{
    struct buf *body = &res->body;

    res->content_type = "application/json";
    (void)buf_adds(body, "{\"job_state\":");
    (void)jsn_add_string(body, row->job_state, strlen(row->job_state));
    (void)buf_addf(body, ",\"cancelled\":%s,\"expires_at\":", row->cancelled ? "true" : "false");
    if (row->expires_at)
        (void)jsn_add_string(body, row->expires_at, strlen(row->expires_at));
    else
        (void)buf_adds(body, "null");
    return buf_addc(body, '}');
}

int job_lease(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    struct lease_row row;
    struct poster by;
    char id[UUID_TEXT_SIZE];
    int rc;

    if (request_uuid(req, "id", id, err) < 0 || handler_poster(req, &by, err) < 0 ||
        lease_store_renew(app->db, id, &by, &row, err) < 0)
        return -1;
    rc = write_lease(&row, res);
    lease_row_done(&row);
    return rc < 0 ? err_set(err, ERR_INTERNAL, "lease is too large") : 0;
}

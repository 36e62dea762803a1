/* SPDX-License-Identifier: GPL-3.0-or-later
 * POST /v1/job/{id}/lease: the agent that has the job keeps it.  Leases are renewed all the time,
 * by every agent that has one: those that come close together are one call of the database. */
#include "server/store/lease.h"

#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/lease.h"
#include "server/work.h"

#include <string.h>

#define LOCKED_MAX_S 5

static int write_lease(const struct renewal *renewal, struct response *res, struct err *err)
{
    struct buf *body = &res->body;

    res->content_type = "application/json";
    (void)buf_adds(body, "{\"job_state\":");
    (void)jsn_add_string(body, renewal->job_state, strlen(renewal->job_state));
    (void)buf_addf(body,
                   ",\"cancelled\":%s,\"expires_at\":", renewal->cancelled ? "true" : "false");
    if (renewal->expires_at)
        (void)jsn_add_string(body, renewal->expires_at, strlen(renewal->expires_at));
    else
        (void)buf_adds(body, "null");
    return buf_addc(body, '}') < 0 ? err_set(err, ERR_INTERNAL, "lease is too large") : 0;
}

/* Somebody else's transaction has the lease: the others do not wait for that, and this one not for
 * long, since its agent has time to come again. */
static int come_again(const struct renewal *renewal, const struct request *req,
                      struct response *res, struct err *err)
{
    if (req->wait_over)
        return err_set(err, ERR_UNAVAILABLE, "lease of job \"%s\" is locked", renewal->id);
    if (response_wait_for(res, WAKE_JOB, renewal->id, false, err) < 0)
        return -1;
    response_wait(res, LOCKED_MAX_S);
    res->wait.soon = true;
    return 0;
}

static int answer(const struct renewal *renewal, const struct turn *turn)
{
    if (renewal->locked)
        return come_again(renewal, turn->req, turn->res, turn->err);
    return write_lease(renewal, turn->res, turn->err);
}

static int read_renewal(const struct request *req, char ret_id[static UUID_TEXT_SIZE],
                        struct renewal *ret_renewal, struct err *err)
{
    struct poster by;

    if (request_uuid(req, "id", ret_id, err) < 0 || handler_poster(req, &by, err) < 0)
        return -1;
    *ret_renewal = (struct renewal){.id = ret_id, .by = by, .err = err};
    return 0;
}

void job_lease(struct app *app, struct turn *turns, size_t count)
{
    char ids[WORK_TOGETHER_MAX][UUID_TEXT_SIZE];
    struct renewal renewals[WORK_TOGETHER_MAX];
    const struct turn *asking[WORK_TOGETHER_MAX];
    struct lease_rows rows;
    size_t asked = 0;

    for (size_t i = 0; i < count; i++)
        if (read_renewal(turns[i].req, ids[asked], &renewals[asked], turns[i].err) == 0)
            asking[asked++] = &turns[i];
    if (asked == 0)
        return;
    lease_store_renew(app->db, renewals, asked, &rows);
    for (size_t i = 0; i < asked; i++)
        if (!renewals[i].err->code)
            (void)answer(&renewals[i], asking[i]);
    lease_rows_done(&rows);
}

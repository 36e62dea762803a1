/* SPDX-License-Identifier: GPL-3.0-or-later
 * Restricted queues: only their owners may submit to them. */
#include "server/store/restriction.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/page.h"
#include "server/wake.h"

/* GET /v1/restricted-queues */
int restriction_list(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    return page_answer_names(app, req, restriction_store_list, res, err);
}

/* GET /v1/restricted-queues/{queue} */
int restriction_show(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0)
        return -1;
    res->content_type = "application/json";
    return restriction_store_get(app->db, queue, &res->body, err);
}

/* POST /v1/restricted-queues/{queue} */
int restriction_add(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    const char *client_id = jsn_text(req->json, "client_id");
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0 ||
        restriction_store_add(app->db, queue, client_id, err) < 0)
        return -1;
    wake_tell(app->waker, WAKE_LIMITS, queue);
    response_note(res, AUDIT_ADMIN_ACTION, client_id);
    return response_ok(res);
}

/* DELETE /v1/restricted-queues/{queue} */
int restriction_remove(struct app *app, const struct request *req, struct response *res,
                       struct err *err)
{
    const char *client_id = jsn_text(req->json, "client_id");
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0 ||
        restriction_store_remove(app->db, queue, client_id, err) < 0)
        return -1;
    wake_tell(app->waker, WAKE_LIMITS, queue);
    response_note(res, AUDIT_ADMIN_ACTION, client_id);
    return response_ok(res);
}

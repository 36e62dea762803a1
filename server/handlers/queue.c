/* SPDX-License-Identifier: GPL-3.0-or-later
 * Queues: advertised ones, and the agents and jobs of one. */
#include "server/store/queue.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"

#define QUEUES_TEXT_MAX ((size_t)16 << 20)

/* POST /v1/agents/queues */
int queue_advertise(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    AUTO(buf) struct buf queues = BUF_INIT(QUEUES_TEXT_MAX);

    if (jsn_add_tree(&queues, req->json) < 0)
        return err_set(err, ERR_TOO_LARGE, "list of queues is too large");
    if (queue_store_advertise(app->db, buf_text(&queues), err) < 0)
        return -1;
    return response_ok(res);
}

/* GET /v1/agents/queues */
int queue_list_advertised(struct app *app, const struct request *req, struct response *res,
                          struct err *err)
{
    (void)req;
    res->content_type = "application/json";
    return queue_store_list_advertised(app->db, &res->body, err);
}

/* GET /v1/queues/{queue}/agents */
int queue_agents(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0)
        return -1;
    res->content_type = "application/json";
    return queue_store_agents(app->db, queue, &res->body, err);
}

/* GET /v1/queues/{queue}/jobs */
int queue_jobs(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *queue;
    bool found;

    if (handler_name(req, "queue", &queue, err) < 0 ||
        queue_store_jobs(app->db, queue, &res->body, &found, err) < 0)
        return -1;
    if (!found)
        return response_none(res);
    res->content_type = "application/json";
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Queues: advertised ones, and the agents and jobs of one. */
#include "server/store/queue.h"

#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"

#define QUEUES_TEXT_MAX ((size_t)16 << 20)

/* POST /v1/agents/queues */
int queue_advertise(struct app *app, const struct request *req, struct response *res,
                    struct err *err)
{
    struct buf queues = BUF_INIT(QUEUES_TEXT_MAX);
    int rc = -1;

    if (jsn_add_tree(&queues, req->json) < 0)
        (void)err_set(err, ERR_TOO_LARGE, "list of queues is too large");
    else
        rc = queue_store_advertise(app->db, buf_text(&queues), err);
    buf_done(&queues);
    return rc < 0 ? -1 : response_ok(res);
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

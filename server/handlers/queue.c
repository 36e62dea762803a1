/* SPDX-License-Identifier: GPL-3.0-or-later
 * Queues: advertised ones and their images, the agents and jobs of one, how long jobs waited. */
#include "server/store/queue.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_list.h"

#include <string.h>

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
    AUTO(buf) struct buf query = BUF_INIT(JOB_QUERY_MAX);
    struct job_list *list;
    struct page page;
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0 || page_take_names(req, &page, res, err) < 0)
        return -1;
    (void)buf_adds(&query, "\"queue\":");
    (void)jsn_add_string(&query, queue, strlen(queue));
    (void)buf_addc(&query, ',');
    list = job_list_open(app, &page, &query, err);
    if (!list)
        return -1;
    if (job_list_any(list) || page.has_at)
        return job_list_answer(list, req, &page, res, err);
    job_list_free(list);
    return response_none(res);
}

/* GET /v1/queues/wait_times */
int queue_wait_times(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    AUTO(buf) struct buf queues = BUF_INIT(QUEUES_TEXT_MAX);
    bool named = false;

    for (size_t i = 0; i < req->query_count; i++) {
        if (strcmp(req->query[i].name, "queue") != 0)
            continue;
        (void)buf_addc(&queues, named ? ',' : '[');
        (void)jsn_add_string(&queues, req->query[i].value, strlen(req->query[i].value));
        named = true;
    }
    if (named && buf_addc(&queues, ']') < 0)
        return err_set(err, ERR_TOO_LARGE, "list of queues is too large");
    res->content_type = "application/json";
    return queue_store_wait_times(app->db, named ? buf_text(&queues) : NULL, &res->body, err);
}

/* POST /v1/agents/images */
int queue_set_images(struct app *app, const struct request *req, struct response *res,
                     struct err *err)
{
    AUTO(buf) struct buf images = BUF_INIT(QUEUES_TEXT_MAX);

    if (jsn_add_tree(&images, req->json) < 0)
        return err_set(err, ERR_TOO_LARGE, "list of images is too large");
    if (queue_store_set_images(app->db, buf_text(&images), err) < 0)
        return -1;
    return response_ok(res);
}

/* GET /v1/agents/images/{queue} */
int queue_images(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *queue;

    if (handler_name(req, "queue", &queue, err) < 0)
        return -1;
    res->content_type = "application/json";
    return queue_store_images(app->db, queue, &res->body, err);
}

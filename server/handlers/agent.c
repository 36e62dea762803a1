/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agents: what they report about themselves, and how it reads back. */
#include "server/store/agent.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "server/app.h"
#include "server/handlers/handlers.h"
#include "server/handlers/page.h"
#include "server/wake.h"

#include <string.h>

#define AGENT_TEXT_MAX ((size_t)16 << 20)

/* POST /v1/agents/data/{name} */
int agent_post(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    static const char done[] = "{\"status\":\"OK\"}";
    AUTO(buf) struct buf data = BUF_INIT(AGENT_TEXT_MAX);
    const char *name;

    if (handler_name(req, "name", &name, err) < 0)
        return -1;
    if (jsn_add_tree(&data, req->json) < 0)
        return err_set(err, ERR_TOO_LARGE, "report of an agent is too large");
    if (agent_store_post(app->db, name, buf_text(&data), req->caller.client_id, err) < 0 ||
        response_cookie(res, "agent_name", name, err) < 0 ||
        response_header(res, "Accept-Wait", ACCEPT_WAIT, err) < 0)
        return -1;
    wake_tell(app->waker, WAKE_AGENT, name);
    return response_json(res, done, strlen(done));
}

/* GET /v1/agents/data */
int agent_list(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    return page_answer_names(app, req, agent_store_list, res, err);
}

/* GET /v1/agents/data/{name} */
int agent_show(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    const char *name;
    bool found;

    if (handler_name(req, "name", &name, err) < 0 ||
        agent_store_get(app->db, name, &res->body, &found, err) < 0 ||
        response_header(res, "Accept-Wait", ACCEPT_WAIT, err) < 0)
        return -1;
    res->content_type = "application/json";
    if (found)
        return 0;
    res->status = 404; /* an empty object, which today's agents read */
    return response_json(res, "{}", 2);
}

/* POST /v1/agents/provision_logs/{name} */
int agent_provision_log(struct app *app, const struct request *req, struct response *res,
                        struct err *err)
{
    const struct provision_log log = {
        .job_id = jsn_text(req->json, "job_id"),
        .exit_code = jsn_int(req->json, "exit_code", 0),
        .detail = jsn_text(req->json, "detail"),
    };
    const char *name;

    if (handler_name(req, "name", &name, err) < 0 ||
        agent_store_provision_log(app->db, name, &log, err) < 0)
        return -1;
    return response_ok(res);
}

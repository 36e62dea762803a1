/* SPDX-License-Identifier: GPL-3.0-or-later
 * Events of a job, handed on to its webhook.  Where that may be is the server's to say, not the
 * job's: a job could otherwise have the server send requests to anybody inside its network. */
#include "common/address.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "fetch/fetch.h"
#include "server/app.h"
#include "server/config.h"
#include "server/handlers/handlers.h"
#include "server/store/job.h"

#include <string.h>

#define WEBHOOK           "job_status_webhook"
#define WEBHOOK_TIMEOUT_S 3
#define WEBHOOK_TRIES     2
#define WEBHOOK_REPLY_MAX ((size_t)1 << 20)

/* A fault of whoever runs the server or the receiver, which the agent's log should show. */
static int answer_fault(struct response *res, const char *why)
{
    res->status = 500;
    res->content_type = "application/json";
    (void)buf_adds(&res->body, "{\"message\":");
    (void)jsn_add_string(&res->body, why, strlen(why));
    return buf_adds(&res->body, ",\"detail\":{}}\n");
}

static int check_origin(const struct config *config, const char *url, struct err *err)
{
    char wanted[ADDRESS_ORIGIN_SIZE], given[ADDRESS_ORIGIN_SIZE];

    if (address_origin(config->webhook_base_url, wanted) < 0 || address_origin(url, given) < 0 ||
        strcmp(wanted, given) != 0)
        return err_set(err, ERR_FORBIDDEN, "the webhook does not lead to this server's receiver");
    return 0;
}

/* The body as it came, but for the address. */
static int write_events(struct json_object *body, struct buf *text, struct err *err)
{
    const char *comma = "";

    (void)buf_addc(text, '{');
    json_object_object_foreach(body, key, value)
    {
        if (strcmp(key, WEBHOOK) == 0)
            continue;
        (void)buf_adds(text, comma);
        (void)jsn_add_string(text, key, strlen(key));
        (void)buf_addc(text, ':');
        (void)jsn_add_tree(text, value);
        comma = ",";
    }
    (void)buf_addc(text, '}');
    return buf_failed(text) ? err_set(err, ERR_TOO_LARGE, "events are too large") : 0;
}

/* A client for this one request: nothing of it, no cookie, is left for the next. */
static int put_events(const struct fetch_request *req, struct fetch_reply *reply, struct err *err)
{
    struct fetch *client = fetch_new("testflinger-server", err);
    int rc = -1;

    if (!client)
        return -1;
    for (int i = 0; i < WEBHOOK_TRIES; i++) {
        rc = fetch_run(client, req, reply, err);
        if (rc == 0 || fetch_classify(reply, err) != FETCH_RETRY)
            break;
    }
    fetch_free(client);
    if (rc < 0 && err->code == ERR_TOO_LARGE)
        return err_set(err, ERR_UPSTREAM, "the webhook's answer is too large");
    return rc;
}

static int relay(const struct fetch_reply *reply, struct response *res, struct err *err)
{
    if (reply->status == 401 || reply->status == 403)
        return answer_fault(res, "the webhook does not take this server's token");
    if (reply->status < 200 || reply->status > 599)
        return err_set(err, ERR_UPSTREAM, "the webhook answered with status %d", reply->status);
    res->status = reply->status;
    if (reply->status == 204 || reply->status == 304)
        return 0;
    res->content_type = "text/plain; charset=utf-8";
    return buf_add(&res->body, buf_text(&reply->body), reply->body.len);
}

static int forward(struct app *app, const struct request *req, struct response *res,
                   struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(2 * req->body.max);
    struct fetch_reply reply;
    int rc;

    if (write_events(req->json, &text, err) < 0)
        return -1;
    const struct fetch_request put = {
        .method = "PUT",
        .url = jsn_text(req->json, WEBHOOK),
        .timeout_s = WEBHOOK_TIMEOUT_S,
        .bearer = app->webhook_token,
        .body = buf_text(&text),
        .body_len = text.len,
    };
    fetch_reply_init(&reply, WEBHOOK_REPLY_MAX);
    rc = put_events(&put, &reply, err);
    if (rc == 0)
        rc = relay(&reply, res, err);
    fetch_reply_done(&reply);
    return rc;
}

/* The first time-out among the events: agents tell nowhere else why they stopped a phase. */
static const char *find_stop(struct json_object *body)
{
    struct json_object *events = jsn_get(body, "events");
    size_t count = events ? json_object_array_length(events) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *name = jsn_text(json_object_array_get_idx(events, i), "event_name");

        if (strcmp(name, "global_timeout") == 0 || strcmp(name, "output_timeout") == 0)
            return name;
    }
    return NULL;
}

/* POST /v1/job/{id}/events */
int job_events(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    struct poster by;

    if (request_uuid(req, "id", id, err) < 0 || handler_poster(req, &by, err) < 0 ||
        job_store_touch(app->db, id, &by, find_stop(req->json), err) < 0)
        return -1;
    if (!app->config->webhook_base_url)
        return answer_fault(res, "this server has no receiver for events");
    if (check_origin(app->config, jsn_text(req->json, WEBHOOK), err) < 0)
        return -1;
    return forward(app, req, res, err);
}

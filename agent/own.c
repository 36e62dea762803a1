/* SPDX-License-Identifier: GPL-3.0-or-later
 * Posting and reading the agent's record.  A post that fails is logged and given up: the next
 * round posts again. */
#include "agent/own.h"

#include "agent/config.h"
#include "agent/telemetry.h"
#include "common/json.h"
#include "common/log.h"

#include <stdbool.h>
#include <string.h>

#define ASK_S 10 /* a job may wait for it before its cleanup */

static void on_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    (void)arg;
    (void)status;
    (void)body;
    if (err)
        log_warning("post", "error=%s", LOG_VALUE(err->text));
}

static void add_member(struct buf *b, const char *key, const char *text)
{
    if (b->len > 1)
        (void)buf_addc(b, ',');
    (void)jsn_add_string(b, key, strlen(key));
    (void)buf_addc(b, ':');
    (void)jsn_add_string(b, text, strlen(text));
}

static struct api_call *data_call(struct context *context)
{
    struct api_call *call = api_call_new("POST", on_posted, NULL);

    api_path(call, "/v1/agents/data/", context->config->agent_id, NULL);
    (void)buf_addc(&call->body, '{');
    return call;
}

static void send(struct context *context, struct api_call *call)
{
    (void)buf_addc(&call->body, '}');
    api_send(context->api, API_MAIN, call);
}

void own_post_state(struct context *context, const char *state, const char *job_id)
{
    struct api_call *call = data_call(context);

    telemetry_state(context->telemetry, state, job_id);
    add_member(&call->body, "state", state);
    add_member(&call->body, "job_id", job_id);
    send(context, call);
}

void own_post_waiting(struct context *context, const char *comment)
{
    struct api_call *call = data_call(context);

    telemetry_state(context->telemetry, "waiting", "");
    add_member(&call->body, "state", "waiting");
    add_member(&call->body, "job_id", "");
    add_member(&call->body, "comment", comment);
    send(context, call);
}

void own_post_offline(struct context *context, api_done_fn *done, void *arg)
{
    struct api_call *call = data_call(context);
    const char *state = context->wishes.offline ? context->wishes.offline : "offline";

    telemetry_state(context->telemetry, state, "");
    if (done) {
        call->done = done;
        call->arg = arg;
    }
    add_member(&call->body, "state", state);
    add_member(&call->body, "job_id", "");
    if (context->wishes.comment[0])
        add_member(&call->body, "comment", context->wishes.comment);
    send(context, call);
}

void own_post_description(struct context *context)
{
    const struct config *config = context->config;
    struct api_call *call = data_call(context);

    if (config->identifier)
        add_member(&call->body, "identifier", config->identifier);
    if (config->location)
        add_member(&call->body, "location", config->location);
    if (config->provision_type)
        add_member(&call->body, "provision_type", config->provision_type);
    (void)buf_addf(&call->body, "%s\"queues\":[", call->body.len > 1 ? "," : "");
    for (size_t i = 0; i < config->job_queues.count; i++) {
        const char *queue = config->job_queues.items[i];

        if (i > 0)
            (void)buf_addc(&call->body, ',');
        (void)jsn_add_string(&call->body, queue, strlen(queue));
    }
    (void)buf_addc(&call->body, ']');
    send(context, call);
}

void own_post_queues(struct context *context)
{
    const struct option_groups *queues = &context->config->advertised_queues;
    struct api_call *call;

    if (queues->count == 0)
        return;
    call = api_call_new("POST", on_posted, NULL);
    api_path(call, "/v1/agents/queues", NULL);
    (void)buf_addc(&call->body, '{');
    for (size_t i = 0; i < queues->count; i++)
        add_member(&call->body, queues->items[i][0], queues->items[i][1]);
    send(context, call);
}

void own_post_images(struct context *context)
{
    const struct option_groups *images = &context->config->advertised_images;
    struct json_object *all = json_object_new_object();
    struct api_call *call;

    for (size_t i = 0; all && i < images->count; i++) {
        struct json_object *queue = jsn_get(all, images->items[i][0]);

        if (!queue) {
            queue = json_object_new_object();
            (void)json_object_object_add(all, images->items[i][0], queue);
        }
        (void)json_object_object_add(queue, images->items[i][1],
                                     json_object_new_string(images->items[i][2]));
    }
    if (all && images->count > 0) {
        call = api_call_new("POST", on_posted, NULL);
        api_path(call, "/v1/agents/images", NULL);
        (void)jsn_add_tree(&call->body, all);
        api_send(context->api, API_MAIN, call);
    }
    json_object_put(all);
}

/* --- reading --------------------------------------------------------------------------- */

void own_ask(struct context *context, enum api_lane lane, api_done_fn *done, void *arg)
{
    struct api_call *call = api_call_new("GET", done, arg);

    api_path(call, "/v1/agents/data/", context->config->agent_id, NULL);
    call->timeout_s = ASK_S;
    call->retries = 0;
    api_send(context->api, lane, call);
}

int own_parse(const struct buf *body, struct own_record *ret_record)
{
    struct json_object *json = NULL;
    const char *state;
    const char *comment;

    if (jsn_parse(buf_text(body), body->len, &json, NULL) < 0)
        return -1;
    state = jsn_text(json, "state");
    comment = jsn_text(json, "comment");
    *ret_record = (struct own_record){json, state ? state : "", comment ? comment : ""};
    return 0;
}

void own_record_done(struct own_record *record)
{
    json_object_put(record->json);
    record->json = NULL;
}

void own_note_offers(struct context *context, const struct err *err)
{
    if (!err) /* a proxy that answers for the server says nothing of it */
        context->accept_wait_s = api_pace(context->api)->accept_wait_s;
}

void own_note_wishes(struct context *context, const struct own_record *record)
{
    static const char *const away[] = {"offline", "maintenance"};

    for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
        if (strcmp(record->state, away[i]) == 0)
            context->wishes.offline = away[i];
    if (strcmp(record->state, "restart") == 0)
        context->wishes.restart = true;
}

static void add_queue(struct buf *b, const char *queue, const char *separator)
{
    (void)buf_adds(b, separator);
    (void)buf_adds(b, "queue=");
    (void)fetch_add_escaped(b, queue);
}

/* Its owners are listed and there is at least one. */
static bool is_restricted(const struct own_record *record, const char *queue)
{
    struct json_object *owners = jsn_get(jsn_get(record->json, "restricted_to"), queue);

    return json_object_is_type(owners, json_type_array) && json_object_array_length(owners) > 0;
}

void own_add_queues(const struct context *context, const struct own_record *record, struct buf *b)
{
    const struct option_list *queues = &context->config->job_queues;
    bool narrowed = false;

    for (size_t i = 0; i < queues->count; i++)
        narrowed = narrowed || is_restricted(record, queues->items[i]);
    for (size_t i = 0, n = 0; i < queues->count; i++)
        if (!narrowed || is_restricted(record, queues->items[i]))
            add_queue(b, queues->items[i], n++ == 0 ? "?" : "&");
}

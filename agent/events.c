/* SPDX-License-Identifier: GPL-3.0-or-later
 * A list that grows, as JSON text.  While one post is under way the events that follow wait and go
 * out together: a slow webhook never sees more posts than it can take. */
#include "agent/events.h"

#include "agent/config.h"
#include "agent/reactor.h"
#include "common/json.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_BYTES_MAX (1024 * 1024)
#define POST_RETRIES     1 /* the server has tried the webhook more than once already */

struct events {
    struct context *context;
    struct json_object *definition;
    enum api_lane lane;
    const struct api_lease *lease;
    struct buf list; /* without brackets */
    int count;
    int posted; /* events in the newest post */
    bool muted;
};

static void post(struct events *e);

static void on_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct events *e = arg;

    (void)status;
    (void)body;
    if (err)
        log_warning("webhook", "job=%s error=%s", jsn_text(e->definition, "job_id"),
                    LOG_VALUE(err->text));
    post(e);
}

static void add_text(struct buf *b, const char *key, const char *text)
{
    (void)buf_addf(b, "\"%s\":", key);
    (void)jsn_add_string(b, text ? text : "", text ? strlen(text) : 0);
    (void)buf_addc(b, ',');
}

static void post(struct events *e)
{
    const char *url = jsn_text(e->definition, "job_status_webhook");
    struct api_call *call;

    if (!url || e->posted == e->count || !api_is_idle(e->context->api, e->lane))
        return;
    call = api_call_new("POST", on_posted, e);
    call->retries = POST_RETRIES;
    call->lease = *e->lease;
    call->relayed = true;
    api_path(call, "/v1/job/", jsn_text(e->definition, "job_id"), "/events", NULL);
    (void)buf_addc(&call->body, '{');
    add_text(&call->body, "agent_id", e->context->config->agent_id);
    add_text(&call->body, "job_queue", jsn_text(e->definition, "job_queue"));
    add_text(&call->body, "job_status_webhook", url);
    (void)buf_addf(&call->body, "\"events\":[");
    (void)buf_add(&call->body, buf_text(&e->list), e->list.len);
    (void)buf_adds(&call->body, "]}");
    e->posted = e->count;
    api_send(e->context->api, e->lane, call);
}

struct events *events_new(struct context *context, struct json_object *definition,
                          const struct api_lease *lease, enum api_lane lane)
{
    struct events *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->context = context;
    e->definition = definition;
    e->lane = lane;
    e->lease = lease;
    buf_init(&e->list, EVENTS_BYTES_MAX);
    return e;
}

void events_free(struct events *events)
{
    if (!events)
        return;
    api_drop(events->context->api, events->lane);
    buf_done(&events->list);
    free(events);
}

void events_add(struct events *events, const char *name, const char *detail)
{
    char now[CLOCK_TEXT_SIZE];

    if (events->muted || events->count == EVENTS_MAX)
        return;
    clock_format_us(clock_us(events->context->reactor->clock), now);
    if (events->count > 0)
        (void)buf_addc(&events->list, ',');
    (void)buf_addc(&events->list, '{');
    add_text(&events->list, "event_name", name);
    add_text(&events->list, "detail", detail);
    (void)buf_addf(&events->list, "\"timestamp\":\"%s\"}", now);
    events->count++;
    post(events);
}

void events_mute(struct events *events)
{
    events->muted = true;
    api_drop(events->context->api, events->lane);
}

bool events_are_told(const struct events *events)
{
    return api_is_idle(events->context->api, events->lane);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a job tells the server while it goes on.  Whatever of it is lost the outcome says again. */
#include "agent/job_steps.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/own.h"
#include "agent/spool.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

#define DEVICE_INFO_FILE "device-info.json"
#define DEVICE_INFO_MAX  (8 * 1024 * 1024)

static struct api_call *result_call(struct job *job, api_done_fn *done)
{
    struct api_call *call = api_call_new("POST", done, job);

    api_path(call, "/v1/result/", job->id, NULL);
    call->lease = job->lease.api;
    return call;
}

static void on_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (err) /* the outcome will say it all again */
        log_warning("post", "job=%s error=%s", job->id, LOG_VALUE(err->text));
}

void job_post_state(struct job *job, const char *state)
{
    struct api_call *call;

    if (!job->lost) {
        call = result_call(job, on_posted);
        (void)buf_addf(&call->body, "{\"job_state\":\"%s\"}", state);
        api_send(job->context->api, job->lanes->main, call);
    }
    own_post_state(job->context, state, job->id);
}

void job_post_status(struct job *job)
{
    struct api_call *call;

    if (job->lost)
        return;
    call = result_call(job, on_posted);
    job_add_result(job, &call->body);
    (void)buf_addc(&call->body, '}');
    api_send(job->context->api, job->lanes->main, call);
}

/* The file as {"device_info": {...}}, masked; false if there is none that is JSON. */
static bool add_device_info(const struct job *job, struct buf *b)
{
    struct buf file = BUF_INIT(DEVICE_INFO_MAX);
    struct json_object *json = NULL;
    struct json_object *info;

    if (spool_read(job->dir, DEVICE_INFO_FILE, &file, NULL) == 0 &&
        jsn_parse(buf_text(&file), file.len, &json, NULL) == 0 &&
        json_object_is_type(json, json_type_object)) {
        info = jsn_get(json, "device_info");
        (void)buf_adds(b, "{\"device_info\":");
        mask_json(job->mask, json_object_is_type(info, json_type_object) ? info : json, b);
        (void)buf_addc(b, '}');
    }
    buf_done(&file);
    json_object_put(json);
    return b->len > 0 && !buf_failed(b);
}

bool job_post_device_info(struct job *job, api_done_fn *done)
{
    struct buf body = BUF_INIT(API_BODY_MAX);
    struct api_call *call;

    if (job->lost || !add_device_info(job, &body)) {
        buf_done(&body);
        return false;
    }
    call = result_call(job, done ? done : on_posted);
    call->body = body;
    api_send(job->context->api, job->lanes->main, call);
    return true;
}

void job_say(struct job *job, const char *text)
{
    if (!sender_say(job->sender, job->mask, text)) /* not even a phase was run */
        phase_note(job, PHASE_CLEANUP, text);
}

void job_say_left_alive(struct job *job)
{
    int count = runner_left_alive(job->context->runner);
    char text[160];

    log_error("strays", "job=%s left=%d", job->id, count);
    (void)snprintf(
        text, sizeof(text),
        "\nERROR: %d processes of this job cannot be ended: they are stuck in the kernel "
        "or run as another user\n",
        count);
    job_say(job, text);
}

void job_post_provision_log(struct job *job, int status, const char *event)
{
    struct api_call *call = api_call_new("POST", on_posted, job);

    api_path(call, "/v1/agents/provision_logs/", job->context->config->agent_id, NULL);
    (void)buf_adds(&call->body, "{\"job_id\":");
    (void)jsn_add_string(&call->body, job->id, strlen(job->id));
    (void)buf_addf(&call->body, ",\"exit_code\":%d,\"detail\":\"%s\"}", status, event);
    api_send(job->context->api, job->lanes->main, call);
}

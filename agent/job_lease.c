/* SPDX-License-Identifier: GPL-3.0-or-later
 * Renewals and the status of a job, each in a lane of its own, and what their answers mean. */
#include "agent/job_lease.h"

#include "agent/config.h"
#include "agent/job_steps.h"
#include "agent/job_stop.h"
#include "common/json.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATUS_S   30   /* beyond the time that the request may wait */
#define AT_ONCE_MS 1000 /* an answer that soon did not wait */

bool job_is_lent(const struct job *job)
{
    return job->lease.api.token[0];
}

/* --- the status, which waits for a change ------------------------------------------------- */

static void ask_status(struct job *job);

static void ask_status_later(struct job *job)
{
    reactor_after(job->context->reactor, &job->lease.ask,
                  job->context->config->cancel_interval * 1000);
}

/* Notes version and state; false if there is no version: no such thing can be waited for. */
static bool take_status(struct job *job, const struct buf *body, bool *ret_changed)
{
    struct job_lease *lease = &job->lease;
    struct json_object *json = NULL;
    const char *version = NULL;
    const char *state = NULL;
    bool taken;

    if (jsn_parse(buf_text(body), body->len, &json, NULL) == 0) {
        version = jsn_text(json, "version");
        state = jsn_text(json, "job_state");
    }
    taken = version && *version && strlen(version) < sizeof(lease->version);
    if (taken) {
        *ret_changed = strcmp(lease->version, version) != 0;
        (void)snprintf(lease->version, sizeof(lease->version), "%s", version);
    }
    if (state && job_state_is_cancelled(state))
        job_cancel(job);
    json_object_put(json);
    return taken;
}

static void on_status(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;
    struct job_lease *lease = &job->lease;
    bool changed = false;

    if (status == 404 || status == 405 || (status == 200 && !take_status(job, body, &changed))) {
        log_info("status", "job=%s the server has no status to wait for", job->id);
        lease->no_status = true;
    } else if ((err && status != 304) ||
               (!changed &&
                clock_ms(job->context->reactor->clock) - lease->asked_ms < AT_ONCE_MS)) {
        ask_status_later(job);
    } else {
        ask_status(job);
    }
}

/* The first time it is only asked for: a version is needed to wait for another one. */
static void ask_status(struct job *job)
{
    struct job_lease *lease = &job->lease;
    const struct config *config = job->context->config;
    int64_t wait_s = job->context->accept_wait_s;
    struct api_call *call;

    if (lease->no_status || wait_s == 0 || config->wait_s == 0 || lease->ask.armed ||
        !api_is_idle(job->context->api, API_WATCH))
        return;
    if (wait_s > config->wait_s)
        wait_s = config->wait_s;
    call = api_call_new("GET", on_status, job);
    api_path(call, "/v1/job/", job->id, "/status", NULL);
    if (lease->version[0]) {
        (void)buf_addf(&call->path, "?wait=%" PRId64 "&after=", wait_s);
        (void)fetch_add_escaped(&call->path, lease->version);
    }
    call->retries = 0;
    call->timeout_s = (unsigned)wait_s + STATUS_S;
    call->lease = lease->api;
    lease->asked_ms = clock_ms(job->context->reactor->clock);
    api_send(job->context->api, API_WATCH, call);
}

static void on_ask(void *arg)
{
    ask_status(arg);
}

/* --- renewals ----------------------------------------------------------------------------- */

static void on_renewed(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;
    struct json_object *json = NULL;

    if (err) {
        if (!job->lease.failing) /* an outage of hours is one line */
            log_warning("lease", "job=%s error=%s", job->id, LOG_VALUE(err->text));
        job->lease.failing = true;
        if (status == 0 || status >= 500 || status == 429)
            lease_failed(&job->lease.times);
        return;
    }
    if (job->lease.failing)
        log_info("lease", "job=%s renewed again", job->id);
    job->lease.failing = false;
    if (jsn_parse(buf_text(body), body->len, &json, NULL) == 0 &&
        json_object_get_boolean(jsn_get(json, "cancelled")))
        job_cancel(job);
    json_object_put(json);
    ask_status(job); /* the server may offer it by now */
}

static void renew(void *arg)
{
    struct job *job = arg;
    int64_t third_s = job->record.lease.seconds / 3;
    struct api_call *call;

    if (!api_is_idle(job->context->api, API_LEASE))
        return;
    call = api_call_new("POST", on_renewed, job);
    api_path(call, "/v1/job/", job->id, "/lease", NULL);
    (void)buf_adds(&call->body, "{}");
    call->retries = 0; /* the next one is due soon, and sooner if this one fails */
    if (third_s < (int64_t)call->timeout_s)
        call->timeout_s = third_s > 1 ? (unsigned)third_s : 1;
    call->lease = job->lease.api;
    api_send(job->context->api, API_LEASE, call);
}

static int64_t heard_ms(void *arg)
{
    return api_heard_ms(((const struct job *)arg)->context->api);
}

static void on_silent(void *arg)
{
    struct job *job = arg;

    log_error("lease", "job=%s error=%s", job->id,
              LOG_VALUE("the server was not heard of for too long, the job is given up"));
    job_give_up(job);
}

static void on_stale(void *arg)
{
    struct job *job = arg;

    if (job->lost)
        return;
    log_warning("lease", "job=%s attempt=%" PRId64 " another agent has the job", job->id,
                job->record.lease.attempt);
    job_lose(job);
}

/* --- life --------------------------------------------------------------------------------- */

void job_lease_init(struct job *job)
{
    struct job_lease *lease = &job->lease;

    (void)snprintf(lease->api.token, sizeof(lease->api.token), "%s", job->record.lease.token);
    lease->api.stale = on_stale;
    lease->api.arg = job;
    lease->ask = (struct timer){.fire = on_ask, .arg = job};
}

void job_lease_begin(struct job *job)
{
    const struct lease_user user = {renew, on_silent, heard_ms, job};

    if (!job_is_lent(job) || job->is_delivery) /* the posts of a delivery come at once or later */
        return;
    lease_begin(&job->lease.times, job->context->reactor, &job->record.lease, &user,
                job->record.losses > 0 ? 0 : -1);
    job->lease.begun = true;
    ask_status(job);
}

void job_lease_end(struct job *job)
{
    if (!job->lease.begun)
        return;
    job->lease.begun = false;
    lease_end(&job->lease.times);
    reactor_disarm(job->context->reactor, &job->lease.ask);
    api_drop(job->context->api, API_LEASE);
    api_drop(job->context->api, API_WATCH);
}

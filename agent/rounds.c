/* SPDX-License-Identifier: GPL-3.0-or-later
 * A round of the agent, state by state: is the server there, what is left from before, what do
 * people want, is there a job.  Each action starts something whose end is an event. */
#include "agent/rounds.h"

#include "agent/api.h"
#include "agent/config.h"
#include "agent/courier.h"
#include "agent/job.h"
#include "agent/telemetry.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS (12 * 3600 * INT64_C(1000)) /* the server wants to hear at least daily */
#define ALIVE_S      30

/* --- the server ------------------------------------------------------------------------ */

static void on_alive(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;

    (void)body;
    if (status == 0 || status >= 500) {
        log_warning("server", "url=%s error=%s", LOG_VALUE(api_server(l->context->api)),
                    LOG_VALUE(err ? err->text : ""));
        loop_comes_to(l, LOOP_FAILED);
        return;
    }
    loop_comes_to(l, LOOP_OK);
}

void round_ask_alive(struct loop *l)
{
    struct api_call *call = api_call_new("GET", on_alive, l);

    api_path(call, "/v1", NULL);
    call->retries = 0;
    call->timeout_s = ALIVE_S;
    api_send(l->context->api, API_MAIN, call);
}

void round_wait_away(struct loop *l)
{
    const struct config *config = l->context->config;

    l->away_s = l->away_s ? 2 * l->away_s : config->server_pause_min;
    if (l->away_s > config->server_pause_max)
        l->away_s = config->server_pause_max;
    telemetry_server(l->context->telemetry, false);
    loop_pause_for(l, l->away_s);
}

void round_post_waiting(struct loop *l)
{
    own_post_state(l->context, "waiting", "");
    l->last_state_ms = clock_ms(l->context->reactor->clock);
}

void round_say_hello(struct loop *l)
{
    if (!l->introduced) { /* the first post brings the cookie that names the agent */
        round_post_waiting(l);
        own_post_description(l->context);
        own_post_queues(l->context);
        own_post_images(l->context);
        l->introduced = true;
    }
    courier_kick(l->courier, l->away_s > 0);
    if (l->away_s > 0)
        telemetry_server(l->context->telemetry, true);
    l->away_s = 0;
    l->cursor[0] = '\0';
    loop_comes_to(l, LOOP_OK);
}

/* --- jobs of an agent that died ------------------------------------------------------------- */

static void end_job(struct loop *l)
{
    job_free(l->job);
    l->job = NULL;
    spool_hold(l->context->spool, NULL);
    reactor_disarm(l->context->reactor, &l->patience);
}

static void on_left_ended(void *arg, enum job_end end)
{
    struct loop *l = arg;

    log_info("lost", "job=%s kept=%d", l->job->id, end == JOB_KEPT);
    end_job(l);
    loop_comes_to(l, end == JOB_KEPT ? LOOP_FAILED : LOOP_OK);
}

void round_take_up_left(struct loop *l)
{
    struct record record;
    struct err err = ERR_INIT;
    char *dir = NULL;

    if (spool_next(l->context->spool, SPOOL_LEFT, l->cursor, &dir, &record) == 0) {
        loop_comes_to(l, LOOP_NONE);
        return;
    }
    l->job = job_take_up(l->context, dir, &record, &err);
    if (l->job) {
        spool_hold(l->context->spool, dir);
        job_start(l->job, on_left_ended, l);
    } else {
        log_error("take-up", "dir=%s error=%s", LOG_VALUE(dir), LOG_VALUE(err.text));
        (void)spool_put_aside(l->context->spool, dir, NULL);
        loop_comes_to(l, LOOP_OK);
    }
    free(dir);
}

/* --- the agent's own record ------------------------------------------------------------ */

bool round_heartbeat_is_due(const struct loop *l)
{
    return clock_ms(l->context->reactor->clock) - l->last_state_ms > HEARTBEAT_MS;
}

static enum loop_event judge(struct loop *l)
{
    struct wishes *wishes = &l->context->wishes;

    own_note_wishes(l->context, &l->own);
    if (wishes->offline)
        return LOOP_WANTED_OFFLINE;
    if (wishes->restart) {
        l->status = LOOP_STATUS_RESTART;
        return LOOP_WANTED_RESTART;
    }
    return LOOP_OK;
}

/* After a job; what people want, which a post would hide, is known by then. */
static void tell_end_of_job(struct loop *l)
{
    if (!l->owes_state)
        return;
    l->owes_state = false;
    if (l->context->wishes.offline)
        own_post_offline(l->context, NULL, NULL);
    else
        round_post_waiting(l);
}

static void on_own(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;
    struct own_record record;
    enum loop_event event;

    own_note_offers(l->context, err);
    if (status == 404) /* the server has forgotten the agent */
        l->introduced = false;
    if (err && (status == 0 || status >= 500)) {
        loop_comes_to(l, LOOP_FAILED);
        return;
    }
    own_record_done(&l->own);
    l->own = (struct own_record){NULL, "", ""};
    if (!err && own_parse(body, &record) == 0)
        l->own = record;
    event = judge(l);
    tell_end_of_job(l);
    loop_comes_to(l, event);
}

void round_ask_own(struct loop *l)
{
    own_post_queues(l->context);
    own_ask(l->context, API_MAIN, on_own, l);
}

static void on_offline_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;

    (void)status;
    (void)body;
    if (!err) { /* else the wish stays, and is posted again */
        l->last_state_ms = clock_ms(l->context->reactor->clock);
        l->context->wishes.offline = NULL;
        l->context->wishes.comment[0] = '\0';
    }
    loop_pause_for(l, l->context->config->polling_interval);
}

void round_be_offline(struct loop *l)
{
    const char *state = l->context->wishes.offline;

    telemetry_state(l->context->telemetry, state, "");
    log_info("offline", "state=%s comment=%s", state, LOG_VALUE(l->own.comment));
    if (strcmp(l->own.state, state) != 0 || round_heartbeat_is_due(l)) {
        own_post_offline(l->context, on_offline_posted, l);
        return;
    }
    /* nothing is posted without need: it could undo what somebody is changing just now */
    l->context->wishes.offline = NULL;
    l->context->wishes.comment[0] = '\0';
    loop_pause_for(l, l->context->config->polling_interval);
}

/* --- jobs ------------------------------------------------------------------------------ */

static void on_job_ended(void *arg, enum job_end end)
{
    struct loop *l = arg;

    log_info("job", "job=%s reason=%s kept=%d", l->job->id, l->job->reason, end == JOB_KEPT);
    end_job(l);
    l->owes_state = true;
    if (l->stopping) /* there is no other round */
        tell_end_of_job(l);
    loop_comes_to(l, LOOP_OK);
}

/* The job was taken, and not even that could be written down: who waits for it must hear of it. */
static void report_impossible(struct loop *l, const char *id, const struct record_lease *lease)
{
    struct api_call *call = api_call_new("POST", NULL, NULL);

    (void)snprintf(call->lease.token, sizeof(call->lease.token), "%s", lease->token);
    api_path(call, "/v1/result/", id, NULL);
    (void)buf_adds(&call->body, "{\"status\":{\"setup\":1},\"job_state\":\"complete\"}");
    api_send(l->context->api, API_REPORT, call);
}

void round_run_job(struct loop *l)
{
    struct json_object *definition = l->claimed;
    struct record_lease lease;
    struct err err = ERR_INIT;
    bool left;

    l->claimed = NULL;
    log_info("job", "job=%s queue=%s", jsn_text(definition, "job_id"),
             LOG_VALUE(jsn_text(definition, "job_queue")));
    record_take_lease(jsn_get(definition, "lease"), &lease);
    json_object_object_del(definition, "lease"); /* it is the agent's, not the job's */
    courier_forget(l->courier, jsn_text(definition, "job_id"));
    (void)json_object_get(definition); /* one for us, to know the id if it fails */
    l->job = job_new(l->context, definition, &lease, &left, &err);
    if (l->job) {
        spool_hold(l->context->spool, l->job->dir);
        job_start(l->job, on_job_ended, l);
    } else {
        log_error("job", "job=%s error=%s", jsn_text(definition, "job_id"), LOG_VALUE(err.text));
        if (left)
            courier_kick(l->courier, true);
        else
            report_impossible(l, jsn_text(definition, "job_id"), &lease);
        l->pause_ms = l->context->config->polling_interval * 1000;
        loop_comes_to(l, LOOP_FAILED);
    }
    json_object_put(definition);
}

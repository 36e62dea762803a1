/* SPDX-License-Identifier: GPL-3.0-or-later
 * Asking for a job.  Where the server lets a request wait, the claim waits there and the agent's
 * own record is looked at meanwhile; else there is a pause between claims. */
#include "agent/api.h"
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/pace.h"
#include "agent/rounds.h"
#include "agent/telemetry.h"
#include "common/log.h"

#include <inttypes.h>
#include <string.h>

#define CLAIM_S 60

/* How long to pause before the next claim, if it comes to that.  A server that answers may ask for
 * longer pauses than ours; one that did not answer knows when it will. */
static void choose_pause(struct loop *l, int status)
{
    int64_t told_s = api_pace(l->context->api)->retry_after_s;

    l->pause_ms = l->context->config->polling_interval * 1000;
    if (told_s > 0 && (status == 429 || status == 503 ||
                       (status == 204 && told_s > l->context->config->polling_interval)))
        l->pause_ms = pace_spread_ms(told_s * 1000, pace_random());
    log_debug("claim", "status=%d pause_ms=%" PRId64, status, l->pause_ms);
}

/* What a claim without a job comes to.  A server that was asked to wait and did not may have had a
 * reason once, such as a change of the agent's record; a second time it has no time to wait. */
static enum loop_event judge_empty(struct loop *l)
{
    int64_t took_ms = clock_ms(l->context->reactor->clock) - l->claimed_ms;
    bool is_hasty =
        took_ms < l->wait_s * 1000 / 2 && took_ms < l->context->config->polling_interval * 1000;

    l->hasty = is_hasty ? l->hasty + 1 : 0;
    if (api_pace(l->context->api)->retry_after_s > 0)
        return LOOP_NONE;
    return l->wait_s > 0 && l->hasty < 2 ? LOOP_WAITED : LOOP_NONE;
}

static void on_claimed(void *arg, int status, const struct buf *body, const struct err *claim_err)
{
    struct loop *l = arg;
    struct err err = claim_err ? *claim_err : (struct err)ERR_INIT;

    reactor_disarm(l->context->reactor, &l->look);
    choose_pause(l, status);
    if (status == 401 || status == 403) {
        log_error("claim", "not authorised: %s", err.text);
        l->introduced = false; /* 401 may mean that the cookie is missing */
    } else if (claim_err) {
        log_warning("claim", "error=%s", LOG_VALUE(err.text));
    }
    if (claim_err || status != 200 || body->len == 0) {
        loop_comes_to(l, claim_err ? LOOP_FAILED : judge_empty(l));
        return;
    }
    l->hasty = 0;
    if (definition_parse(buf_text(body), body->len, &l->claimed, &err) < 0) {
        log_error("claim", "error=%s", LOG_VALUE(err.text));
        loop_comes_to(l, LOOP_FAILED);
        return;
    }
    loop_comes_to(l, LOOP_OK);
}

static struct api_call *claim_call(struct loop *l)
{
    const struct config *config = l->context->config;
    struct api_call *call = api_call_new("GET", on_claimed, l);

    api_path(call, "/v1/job", NULL);
    own_add_queues(l->context, &l->own, &call->path);
    if (config->lease_s > 0)
        (void)buf_addf(&call->path, "&lease=%" PRId64 "&boot=%s", config->lease_s,
                       l->context->boot);
    if (l->wait_s > 0)
        (void)buf_addf(&call->path, "&wait=%" PRId64, l->wait_s);
    call->retries = 0; /* an answer that was lost may have been a job: let the server see to it */
    call->timeout_s = CLAIM_S + (unsigned)l->wait_s;
    return call;
}

/* The comment at the server says when there is none.  Its beginning tells whose comment it is, also
 * to a later run of the agent: what people write there stays. */
static bool has_room(struct loop *l)
{
    static const char ours[] = "no job is taken: ";
    bool is_told = strncmp(l->own.comment, ours, sizeof(ours) - 1) == 0;
    struct err err = ERR_INIT;

    if (spool_reserve(l->context->spool, &err) == 0 &&
        spool_check_room(l->context->spool, l->context->config->disk_min_free, &err) == 0) {
        if (is_told)
            own_post_waiting(l->context, "");
        return true;
    }
    if (!is_told) {
        log_error("disk", "error=%s", LOG_VALUE(err.text));
        (void)err_prefix(&err, "no job is taken");
        own_post_waiting(l->context, err.text);
    }
    return false;
}

void round_claim(struct loop *l)
{
    const struct config *config = l->context->config;
    struct reactor *reactor = l->context->reactor;
    int64_t offered_s = l->context->accept_wait_s;

    telemetry_state(l->context->telemetry, "waiting", ""); /* it may have been offline */
    if (round_heartbeat_is_due(l))
        round_post_waiting(l);
    if (!has_room(l)) {
        l->pause_ms = config->polling_interval * 1000;
        loop_comes_to(l, LOOP_FAILED);
        return;
    }
    l->wait_s = offered_s < config->wait_s ? offered_s : config->wait_s;
    l->claimed_ms = clock_ms(reactor->clock);
    if (l->wait_s > 0)
        reactor_after(reactor, &l->look, config->polling_interval * 1000);
    api_send(l->context->api, API_CLAIM, claim_call(l));
}

void round_end_waiting(struct loop *l)
{
    if (l->state != LOOP_CLAIM || !l->look.armed)
        return;
    reactor_disarm(l->context->reactor, &l->look);
    api_drop(l->context->api, API_CLAIM);
    loop_comes_to(l, LOOP_WAITED);
}

/* Does the record ask for other queues than the claim that waits? */
static bool wants_other_queues(const struct loop *l, const struct own_record *record)
{
    struct buf now = BUF_INIT(API_PATH_MAX);
    struct buf then = BUF_INIT(API_PATH_MAX);
    bool differ;

    own_add_queues(l->context, record, &now);
    own_add_queues(l->context, &l->own, &then);
    differ = strcmp(buf_text(&now), buf_text(&then)) != 0;
    buf_done(&now);
    buf_done(&then);
    return differ;
}

static void on_looked(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct loop *l = arg;
    struct own_record record;
    bool changed = status == 404;

    if (!err && own_parse(body, &record) == 0) {
        own_note_wishes(l->context, &record);
        changed = wants_other_queues(l, &record);
        own_record_done(&record);
    }
    if (changed || l->context->wishes.offline || l->context->wishes.restart)
        round_end_waiting(l);
}

void round_look(void *loop)
{
    struct loop *l = loop;

    if (api_is_idle(l->context->api, API_MAIN))
        own_ask(l->context, API_MAIN, on_looked, l);
    reactor_after(l->context->reactor, &l->look, l->context->config->polling_interval * 1000);
}

void round_wait_poll(struct loop *l)
{
    if (l->context->wishes.restart)
        loop_comes_to(l, LOOP_OK);
    else
        loop_pause_for_ms(l, l->pause_ms);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bringing what a job came to to the server: the rest of its logs, its artifacts, its outcome, in
 * this order, since the outcome tells everybody that nothing more comes.  If the server is away the
 * directory is kept, and all this is done again later, from where it was. */
#include "agent/api.h"
#include "agent/config.h"
#include "agent/job_steps.h"
#include "agent/spool.h"
#include "common/json.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

#define TELL_MS      15000 /* a webhook may be slow, but the device is wanted */
#define TELL_LOOK_MS 50

bool deliver_may_work_later(int status)
{
    return status < 400 || status >= 500 || status == 401 || status == 403 || status == 408 ||
           status == 429;
}

/* --- was it delivered already? ----------------------------------------------------------- */

static void on_asked(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (err)
        job_event(job, JOB_FAILED);
    else
        job_event(job, strcmp(job->scan.state, "complete") == 0 ? JOB_NONE : JOB_OK);
}

/* Only when an agent died between the post of the outcome and its reply.  Else the state proves
 * nothing: the server may have given the job up, and this outcome corrects that. */
void deliver_ask(struct job *job)
{
    job_ask_state(job, job->id, on_asked);
}

/* --- logs ------------------------------------------------------------------------------ */

static void on_flushed(void *arg, bool all_sent)
{
    job_event(arg, all_sent ? JOB_OK : JOB_FAILED);
}

void deliver_logs(struct job *job)
{
    job->record.over = true;
    job->record.running = false;
    if (job->reason != job->record.reason)
        (void)snprintf(job->record.reason, sizeof(job->record.reason), "%s", job->reason);
    (void)job_save(job);
    if (job->out_of_time)
        job_event(job, JOB_FAILED);
    else
        sender_flush(job->sender, on_flushed, job);
}

/* What was said since, about the artifacts: the outcome tells everybody that nothing more comes. */
void deliver_rest(struct job *job)
{
    if (job->out_of_time)
        job_event(job, JOB_FAILED);
    else
        sender_flush(job->sender, on_flushed, job);
}

/* --- the outcome ----------------------------------------------------------------------- */

static void on_outcome(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (err)
        log_error("outcome", "job=%s error=%s", job->id, LOG_VALUE(err->text));
    job->refused = err && !deliver_may_work_later(status);
    if (err)
        job->record.posting = false; /* saved when the job is kept */
    job_event(job, err && !job->refused ? JOB_FAILED : JOB_OK);
}

void job_add_status(const struct job *job, struct buf *b)
{
    const char *separator = "";

    (void)buf_adds(b, "{\"status\":{");
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        if (job->record.status[phase] == RECORD_NO_STATUS)
            continue;
        (void)buf_addf(b, "%s\"%s\":%d", separator, phase_name(phase), job->record.status[phase]);
        separator = ",";
    }
    (void)buf_addc(b, '}');
}

void job_add_result(const struct job *job, struct buf *b)
{
    job_add_status(job, b);
    if (job->timed_out && job_is_lent(job))
        (void)buf_addf(b, ",\"stopped\":\"%s\"", job->timed_out);
}

void deliver_outcome(struct job *job)
{
    struct api_call *call = api_call_new("POST", on_outcome, job);

    call->lease = job->lease.api;
    if (job->is_delivery) /* what was posted while the job ran may have been lost */
        (void)job_post_device_info(job, NULL);
    job->record.posting = true;
    (void)record_sync(&job->record, job->record_path, NULL);
    api_path(call, "/v1/result/", job->id, NULL);
    job_add_result(job, &call->body);
    (void)buf_adds(&call->body, ",\"job_state\":\"complete\"}");
    api_send(job->context->api, job->lanes->main, call);
}

void deliver_remove(struct job *job)
{
    struct err err = ERR_INIT;

    job->end = JOB_DELIVERED;
    job_lease_end(job);
    if (job->lost)
        log_info("discard", "job=%s", job->id);
    if (job->refused && !job->lost) {
        /* it must not be delivered a second time */
        log_error("remove", "job=%s error=%s", job->id,
                  LOG_VALUE("the server refused the outcome"));
        (void)spool_put_aside(job->context->spool, job->dir, NULL);
    } else if (spool_discard(job->context->spool, job->dir, &err) < 0) {
        log_error("remove", "job=%s error=%s", job->id, LOG_VALUE(err.text));
    }
    job_event(job, JOB_OK);
}

static void on_keep_pause_over(void *arg)
{
    job_event(arg, JOB_FAILED);
}

void deliver_keep(struct job *job)
{
    struct err err = ERR_INIT;
    int rc = job_save(job);

    job->end = JOB_KEPT;
    job_lease_end(job);
    if (rc == 0)
        rc = spool_keep(job->context->spool, job->dir, &err);
    if (rc == 0 || job->out_of_time || job->is_delivery) { /* that one lies there already */
        log_warning("keep", "job=%s the outcome is sent later", job->id);
        job_event(job, JOB_OK);
        return;
    }
    /* neither the server nor the disk takes it: hold on to it until one of them does */
    log_error("keep", "job=%s error=%s", job->id, LOG_VALUE(err.text));
    job->pause.fire = on_keep_pause_over;
    reactor_after(job->context->reactor, &job->pause,
                  job->context->config->server_pause_min * 1000);
}

/* --- the last events ------------------------------------------------------------------- */

static void look_if_told(void *arg)
{
    struct job *job = arg;

    if (events_are_told(job->events) || job->out_of_time ||
        clock_ms(job->context->reactor->clock) >= job->told_until_ms) {
        job_event(job, JOB_OK);
        return;
    }
    job->pause.fire = look_if_told;
    reactor_after(job->context->reactor, &job->pause, TELL_LOOK_MS);
}

void deliver_tell(struct job *job)
{
    if (job->end == JOB_DELIVERED) /* else it is told when it is */
        events_add(job->events, "job_end", job->reason);
    job->told_until_ms = clock_ms(job->context->reactor->clock) + TELL_MS;
    look_if_told(job);
}

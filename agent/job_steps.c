/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job before, between and after its phases. */
#include "agent/job_steps.h"
#include "agent/api.h"
#include "agent/config.h"
#include "agent/definition.h"
#include "agent/job_stop.h"
#include "agent/own.h"
#include "agent/telemetry.h"
#include "common/json.h"
#include "common/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_MAX (8 * 1024 * 1024)
#define LOSSES_MAX 3 /* a cleanup that ends its agent is not run for ever */

/* --- beginning ------------------------------------------------------------------------- */

void job_begin(struct job *job)
{
    struct buf url = BUF_INIT(8192);

    (void)buf_addf(&url, "%s/jobs/%s", api_server(job->context->api), job->id);
    events_add(job->events, "job_start", buf_text(&url));
    buf_done(&url);
    telemetry_job_begins(job->context->telemetry);
    job_event(job, JOB_OK);
}

/* --- the next phase -------------------------------------------------------------------- */

/* The agent has a command for the phase, and the job data. */
static bool has_phase(const struct job *job, enum phase phase)
{
    return *config_command(job->context->config, phase) && definition_wants(job->definition, phase);
}

/* A test that fails is a result; whatever else fails ends the job, and so does a lost device. */
static bool ends_job(enum phase phase, int status)
{
    return status != 0 && (phase != PHASE_TEST || status == PHASE_RECOVERY_FAILED);
}

int job_cut_phase(const struct job *job)
{
    for (enum phase phase = 0; phase < PHASE_CLEANUP; phase++) {
        int status = job->record.status[phase];

        if (status == RECORD_NO_STATUS && has_phase(job, phase))
            return (int)phase;
        if (status != RECORD_NO_STATUS && ends_job(phase, status))
            return -1;
    }
    return -1;
}

void job_select(struct job *job)
{
    while (job->next_phase < PHASE_CLEANUP && !has_phase(job, (enum phase)job->next_phase))
        job->next_phase++;
    if (job->next_phase >= PHASE_CLEANUP || job->shutting_down || job->cancelled) {
        job_event(job, JOB_NONE);
        return;
    }
    job->phase = (enum phase)job->next_phase++;
    job_event(job, JOB_OK);
}

static int feed_scan(void *arg, const char *data, size_t len)
{
    job_state_feed(arg, data, len);
    return 0;
}

void job_ask_state(struct job *job, const char *id, api_done_fn *done)
{
    struct api_call *call = api_call_new("GET", done, job);

    memset(&job->scan, 0, sizeof(job->scan));
    api_path(call, "/v1/result/", id, NULL);
    call->retries = 0;
    call->sink = feed_scan;
    call->sink_arg = &job->scan;
    if (id == job->id) /* and not that of its parent */
        call->lease = job->lease.api;
    api_send(job->context->api, job->lanes->ask, call);
}

void job_be_cancelled(struct job *job)
{
    job_note_cancel(job);
    job_event(job, JOB_CANCELLED);
}

static void on_own_record(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;
    struct own_record record;

    own_note_offers(job->context, err);
    if (!err && status == 200 && own_parse(body, &record) == 0) {
        own_note_wishes(job->context, &record);
        own_record_done(&record);
    }
    job_event(job, JOB_OK);
}

/* What people want may have changed since the last phase began; the next state posted hides it. */
void job_note_wishes(struct job *job)
{
    if (job->shutting_down && !job->lost) /* the agent ends, or nobody answers */
        job_event(job, JOB_OK);
    else
        own_ask(job->context, job->lanes->ask, on_own_record, job);
}

static void on_state(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (!err && job_state_is_cancelled(job->scan.state))
        job_be_cancelled(job);
    else /* without an answer the job goes on */
        own_ask(job->context, job->lanes->ask, on_own_record, job);
}

void job_check(struct job *job)
{
    job_ask_state(job, job->id, on_state);
}

/* --- running --------------------------------------------------------------------------- */

/* The agent takes itself out of service until somebody looks at it. */
static void go_offline(struct job *job)
{
    struct wishes *wishes = &job->context->wishes;

    wishes->offline = "offline";
    (void)snprintf(wishes->comment, sizeof(wishes->comment),
                   "Set to offline by agent due to device recovery failure during job %.100s",
                   job->id);
    own_post_offline(job->context, NULL, NULL);
}

static void add_event(struct job *job, const char *suffix, const char *detail)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s_%s", phase_name(job->phase), suffix);
    events_add(job->events, name, detail);
}

/* The event that tells how the phase ended. */
static void tell_end(struct job *job, int status)
{
    struct buf detail = BUF_INIT(DETAIL_MAX);
    char event[64];

    if (status == PHASE_RECOVERY_FAILED) {
        (void)snprintf(event, sizeof(event), "recovery_fail");
    } else {
        (void)snprintf(event, sizeof(event), "%s_%s", phase_name(job->phase),
                       status == 0 ? "success" : "fail");
    }
    if (status != 0)
        phase_failure_detail(job, job->phase, &detail);
    events_add(job->events, event, buf_text(&detail));
    if (job->phase == PHASE_PROVISION && !job->lost) /* its end says nothing about the device */
        job_post_provision_log(job, status, event);
    buf_done(&detail);
}

static void note_reason(struct job *job, int status, enum stop_reason stopped)
{
    static const char *const failed[PHASE_COUNT] = {
        [PHASE_SETUP] = "setup_fail",       [PHASE_PROVISION] = "provision_fail",
        [PHASE_TEST] = "test_fail",         [PHASE_FIRMWARE_UPDATE] = "firmware_update_fail",
        [PHASE_ALLOCATE] = "allocate_fail", [PHASE_RESERVE] = "reserve_fail",
        [PHASE_CLEANUP] = "cleanup_fail",
    };

    if (stopped != STOP_NONE)
        job->reason = stop_event(stopped);
    else if (status == PHASE_RECOVERY_FAILED)
        job->reason = "recovery_fail";
    else if (status != 0 && job->phase != PHASE_CLEANUP)
        job->reason = failed[job->phase];
}

static void on_phase_over(struct job *job, int status, enum stop_reason stopped)
{
    log_info("phase", "job=%s phase=%s status=%d", job->id, phase_name(job->phase), status);
    job->record.status[job->phase] = status;
    job->record.running = false;
    telemetry_phase_ended(job->context->telemetry, job, status, stopped);
    (void)job_save(job);
    if ((stopped == STOP_GLOBAL_TIMEOUT || stopped == STOP_OUTPUT_TIMEOUT) &&
        job->phase != PHASE_CLEANUP)
        job->timed_out = stop_event(stopped);
    job_post_status(job);
    tell_end(job, status);
    note_reason(job, status, stopped);
    if (status == PHASE_RECOVERY_FAILED)
        go_offline(job);
    if (job->phase == PHASE_CLEANUP || !ends_job(job->phase, status))
        job_event(job, status == 0 && job->phase == PHASE_ALLOCATE ? JOB_ALLOCATED : JOB_OK);
    else
        job_event(job, JOB_FAILED);
}

void job_run(struct job *job)
{
    log_info("phase", "job=%s phase=%s", job->id, phase_name(job->phase));
    job->record.phase = (int)job->phase;
    job->record.running = true;
    (void)job_save(job);
    job_post_state(job, phase_name(job->phase));
    add_event(job, "start", NULL);
    phase_start(job, on_phase_over);
}

static void note_not_run(struct job *job, enum phase phase, int status, const char *why)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "ERROR: %s, the %s phase is not run\n", why,
                   phase_name(phase));
    phase_note(job, phase, text);
    job->record.status[phase] = status;
}

static bool has_failed(const struct job *job)
{
    bool failed = false;

    for (enum phase phase = 0; phase < PHASE_COUNT; phase++)
        failed = failed || job->record.status[phase] > 0;
    return failed;
}

/* The agent ends between two phases: a job that goes no further must not look as if it was done. */
static void note_cut(struct job *job)
{
    int cut = job->shutting_down && !job->cancelled ? job_cut_phase(job) : -1;

    if (cut >= 0 && !has_failed(job))
        note_not_run(job, (enum phase)cut, PHASE_STOPPED, stop_text(job->ending));
}

void job_clean_up(struct job *job)
{
    note_cut(job);
    job->phase = PHASE_CLEANUP;
    if (has_phase(job, PHASE_CLEANUP) && job->confirmed && !job->out_of_time &&
        job->record.losses <= LOSSES_MAX) {
        job_run(job);
        return;
    }
    if (job->record.losses > LOSSES_MAX)
        note_not_run(job, PHASE_CLEANUP, 128 + SIGKILL, "The agent was lost too often");
    job_event(job, JOB_OK);
}

static void on_swept(void *arg)
{
    struct job *job = arg;

    if (runner_left_alive(job->context->runner) > 0)
        job_say_left_alive(job);
    job_event(job, JOB_OK);
}

/* After cleanup, which may need what setup left running (a tunnel to the device). */
void job_sweep(struct job *job)
{
    int64_t grace_s = job->out_of_time ? 0 : job->context->config->kill_grace;

    runner_end_all(job->context->runner, grace_s * 1000, on_swept, job);
}

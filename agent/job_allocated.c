/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job that is part of another one, of several devices: its device is told of, and held until the
 * other one ends. */
#include "agent/job_steps.h"

#include "agent/config.h"
#include "common/json.h"

#define UNKNOWN_MAX 3 /* answers that the server does not know a job until that is believed */

static void on_allocated_info(void *arg, int status, const struct buf *body, const struct err *err);

static void post_allocated_info(struct job *job)
{
    if (!job_post_device_info(job, on_allocated_info))
        on_allocated_info(job, 0, NULL, NULL); /* there is none: nothing to wait for */
}

static void on_allocating_state(void *arg, int status, const struct buf *body,
                                const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (!err && job_state_is_cancelled(job->scan.state))
        job_be_cancelled(job);
    else
        post_allocated_info(job);
}

static void try_again(void *arg)
{
    struct job *job = arg;

    job_ask_state(job, job->id, on_allocating_state);
}

static void on_allocated_info(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)status;
    (void)body;
    if (err) { /* others cannot use the device before they know it */
        job->pause.fire = try_again;
        reactor_after(job->context->reactor, &job->pause,
                      job->context->config->cancel_interval * 1000);
        return;
    }
    job_post_state(job, "allocated");
    job_event(job, JOB_OK);
}

void job_allocate(struct job *job)
{
    if (job->shutting_down)
        job_event(job, JOB_CANCELLED);
    else
        post_allocated_info(job);
}

static void look_again(void *arg);

static void be_released(struct job *job)
{
    job->record.released = true;
    (void)job_save(job);
    job_event(job, JOB_OK);
}

/* True if the job just asked for is final, or unknown to the server for good. */
static bool is_over(struct job *job, int status, const struct err *err)
{
    if (err)
        return false;
    if (job->scan.state[0])
        job->unknown_answers = 0;
    else if (status == 204)
        job->unknown_answers++;
    return job_state_is_final(job->scan.state) || job->unknown_answers >= UNKNOWN_MAX;
}

static void on_parent_state(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (is_over(job, status, err)) {
        be_released(job);
        return;
    }
    job->pause.fire = look_again;
    reactor_after(job->context->reactor, &job->pause, job->context->config->cancel_interval * 1000);
}

static void on_waiting_state(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;
    const char *parent = jsn_text(job->definition, "parent_job_id");

    if (!err && job_state_is_cancelled(job->scan.state))
        job_be_cancelled(job);
    else if (!err && job_state_is_final(job->scan.state))
        be_released(job);
    else if (parent)
        job_ask_state(job, parent, on_parent_state);
    else
        on_parent_state(job, status, body, err);
}

static void look_again(void *arg)
{
    struct job *job = arg;

    job_ask_state(job, job->id, on_waiting_state);
}

void job_wait(struct job *job)
{
    job->unknown_answers = 0;
    if (job->shutting_down)
        job_event(job, JOB_CANCELLED);
    else
        look_again(job);
}

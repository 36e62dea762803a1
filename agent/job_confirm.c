/* SPDX-License-Identifier: GPL-3.0-or-later
 * Before anything is run: a leased job is confirmed.  Until the server has heard of the agent about
 * it, the claim counts as one whose answer was lost: the job is given to somebody else, or to this
 * agent again, and would be run twice.  However long the server is away, the job waits; if it has
 * gone elsewhere by then, the server says so, and nothing was run. */
#include "agent/job_steps.h"

#include "common/log.h"

#define AGAIN_MS 1000

static void ask(void *arg);

/* Any answer about the job tells that the server has heard of it; 401 and 429 come before that. */
static bool is_answer(int status, const struct err *err)
{
    return !err || (status >= 400 && status < 500 && status != 401 && status != 429);
}

static void on_answer(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct job *job = arg;

    (void)body;
    if (status == 409) { /* it went elsewhere */
        job_event(job, JOB_CANCELLED);
        return;
    }
    if (!is_answer(status, err)) {
        if (!job->confirm_failed)
            log_warning("confirm", "job=%s text=\"waits for the server\" error=%s", job->id,
                        LOG_VALUE(err->text));
        job->confirm_failed = true;
        job->pause.fire = ask;
        reactor_after(job->context->reactor, &job->pause, AGAIN_MS);
        return;
    }
    job->confirmed = true;
    if (!err && job_state_is_cancelled(job->scan.state))
        job_be_cancelled(job);
    else
        job_event(job, JOB_OK);
}

static void ask(void *arg)
{
    struct job *job = arg;

    job_ask_state(job, job->id, on_answer);
}

void job_confirm(struct job *job)
{
    job->confirmed = !job_is_lent(job); /* else there is nothing to lose */
    if (job->shutting_down)
        job_event(job, JOB_CANCELLED);
    else if (job->confirmed)
        job_event(job, JOB_OK);
    else
        ask(job);
}

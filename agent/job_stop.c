/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job that is to end before it would by itself: cancelled, given to another agent, given up, or
 * because the agent is to end.  What can be ended at once is; the rest notes the wish, and the
 * table of job.c leads to cleanup with the next step. */
#include "agent/job_stop.h"

#include "agent/job_steps.h"

void job_note_cancel(struct job *job)
{
    if (job->cancelled)
        return;
    events_add(job->events, stop_event(STOP_CANCELLED), NULL);
    job->cancelled = true;
    job->reason = stop_event(STOP_CANCELLED);
}

static bool is_running_command(const struct job *job)
{
    return (job->stage == JOB_RUN || job->stage == JOB_CLEANUP) && job->run.output &&
           !job->run.output->ended;
}

#define ASKING   (1U << JOB_CONFIRM | 1U << JOB_CHECK | 1U << JOB_WAIT)
#define WAITING  (ASKING | 1U << JOB_ALLOCATE)
#define FETCHING (1U << JOB_ATTACHMENTS | 1U << JOB_UNPACK)
#define DELIVERING                                                                                 \
    (1U << JOB_ASK | 1U << JOB_PACK | 1U << JOB_UPLOAD | 1U << JOB_OUTCOME | 1U << JOB_KEEP)

/* Ends the request or the pause that the stage, if it is one of these, waits for. */
static void interrupt(struct job *job, unsigned waiting, enum job_event event)
{
    if (job->step.armed || !(waiting & (1U << job->stage)))
        return;
    if (!(ASKING & (1U << job->stage))) /* else there are only reports on their way */
        api_drop(job->context->api, job->lanes->main);
    api_drop(job->context->api, job->lanes->ask);
    reactor_disarm(job->context->reactor, &job->pause);
    job_event(job, event);
}

/* Only cleanup is still run. */
static void end_phases(struct job *job, enum stop_reason reason)
{
    job->shutting_down = true;
    job->ending = reason;
    if (job->stage < JOB_NOTE)
        job->reason = stop_event(reason);
    if (is_running_command(job) && job->phase != PHASE_CLEANUP)
        (void)stop_ask(&job->run.stop, reason);
    interrupt(job, FETCHING, JOB_FAILED);
    interrupt(job, WAITING, JOB_CANCELLED);
}

void job_shut_down(struct job *job)
{
    end_phases(job, STOP_SHUTDOWN);
}

void job_give_up(struct job *job)
{
    if (job->stage < JOB_CLEANUP)
        end_phases(job, STOP_SILENCE);
}

void job_lose(struct job *job)
{
    job->lost = true;
    job->reason = stop_event(STOP_LOST);
    job_lease_end(job);
    events_mute(job->events);
    sender_discard(job->sender);
    end_phases(job, STOP_LOST);
    interrupt(job, DELIVERING, JOB_FAILED);
}

void job_cancel(struct job *job)
{
    job->cancel_wished = true;
    if (is_running_command(job))
        job->cancelled = stop_ask(&job->run.stop, STOP_CANCELLED) || job->cancelled;
    interrupt(job, FETCHING, JOB_FAILED);
    interrupt(job, WAITING, JOB_CANCELLED);
}

void job_hurry(struct job *job)
{
    job->out_of_time = true;
    if (is_running_command(job)) {
        (void)stop_ask(&job->run.stop, STOP_SHUTDOWN);
        return;
    }
    sender_give_up(job->sender); /* a flush, if there is one, has failed then */
    interrupt(job, FETCHING | DELIVERING, JOB_FAILED);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * One job from the claim to the delivery of its outcome.
 *
 * job.c has the table of stages; each stage's action is in job_steps.c (before, between and after
 * the phases), attachments.c, phase.c (running one), artifacts.c or deliver.c (bringing the outcome
 * to the server).  An action never waits: it starts something, and what becomes of it is an event.
 *
 * A job is new, or it is taken up (take_up.c): left by an agent that died, which is cleaned up and
 * reported as lost, or over but not delivered. */
#ifndef AGENT_JOB_H
#define AGENT_JOB_H

#include "agent/api.h"
#include "agent/context.h"
#include "agent/events.h"
#include "agent/job_lease.h"
#include "agent/job_state.h"
#include "agent/mask.h"
#include "agent/phase.h"
#include "agent/reactor.h"
#include "agent/record.h"
#include "agent/sender.h"

#include <json-c/json.h>
#include <stdbool.h>

/* How it ended, for the loop. */
enum job_end {
    JOB_DELIVERED,
    JOB_KEPT, /* the server is away: the outcome waits in the spool */
};

/* In the order of a job's life. */
enum job_stage {
    JOB_CONFIRM, /* the server knows that the agent has it */
    JOB_START,
    JOB_ATTACHMENTS, /* fetched */
    JOB_UNPACK,
    JOB_SELECT, /* the next phase */
    JOB_CHECK,  /* cancelled?  anything wanted of the agent? */
    JOB_RUN,
    JOB_ALLOCATE, /* device info, state "allocated" */
    JOB_WAIT,     /* until the job or its parent is final */
    JOB_NOTE,     /* anything wanted of the agent by now? */
    JOB_CLEANUP,
    JOB_SWEEP, /* what its commands left running */
    JOB_ASK,   /* an outcome was being posted when the agent died: has the server got it? */
    JOB_FLUSH, /* the rest of the logs */
    JOB_PACK,  /* artifacts */
    JOB_UPLOAD,
    JOB_REST, /* what was said since the logs were sent */
    JOB_OUTCOME,
    JOB_REMOVE,
    JOB_KEEP,
    JOB_TELL, /* the last events */
    JOB_END,
    JOB_STAGE_COUNT
};

enum job_event {
    JOB_OK,
    JOB_NONE, /* nothing to do here */
    JOB_FAILED,
    JOB_ALLOCATED, /* a phase went well that wants others to use the device */
    JOB_CANCELLED,
    JOB_EVENT_COUNT
};

/* Where its calls go: a job that runs and one that is only delivered are in no one's way. */
struct job_lanes {
    enum api_lane main;
    enum api_lane ask;
    enum api_lane log;
    enum api_lane events;
};

struct job {
    struct context *context;
    const struct job_lanes *lanes;
    const char *id; /* as the server wrote it; part of definition */
    char *dir;
    struct json_object *definition;
    char *saved_outcome; /* what its file says; NULL: not known */
    struct mask *mask;
    struct record record; /* what is known of it, exit statuses among that */
    char *record_path;
    struct sender *sender;
    struct events *events;
    struct job_lease lease;

    enum job_stage stage;
    enum job_event event; /* what the stage came to, delivered from the loop */
    struct timer step;
    struct timer pause; /* of a stage that looks again and again */

    enum phase phase; /* running or to be run */
    int next_phase;
    struct phase_run run;
    struct job_state_scan scan;
    int unknown_answers; /* results of a job the server does not know */
    int tries;           /* of a download */
    bool refused;        /* the server does not want the outcome */
    int64_t told_until_ms;
    const char *reason;    /* why the job ended, for its last event */
    const char *timed_out; /* why a phase was stopped, if its time was over: global_timeout, … */
    bool cancelled;
    bool shutting_down;      /* no further phase but cleanup */
    enum stop_reason ending; /* and why */
    bool confirm_failed;     /* and that was said */
    bool confirmed;          /* something may be run */
    bool cancel_wished;      /* not every phase ends for it */
    bool lost;               /* the server gave it to another agent */
    bool out_of_time;        /* after the shutdown */
    bool is_delivery;        /* taken up when it was over already */

    struct tar_packer *packer;
    struct tar_unpacker *unpacker;
    int archive_fd;
    uint64_t left_out; /* artifacts that cannot be read */

    void (*ended)(void *arg, enum job_end end);
    void *arg;
    enum job_end end;
};

/* Takes the definition over.  The job ends by ended, called from the loop; then job_free().
 * On failure *ret_left tells whether the spool has it, as one that failed in setup: the server will
 * hear of it from there. */
struct job *job_new(struct context *context, struct json_object *definition,
                    const struct record_lease *lease, bool *ret_left, struct err *err);
/* A directory of the spool: to be cleaned up and delivered, or only delivered. */
struct job *job_take_up(struct context *context, const char *dir, const struct record *record,
                        struct err *err);
void job_start(struct job *job, void (*ended)(void *arg, enum job_end end), void *arg);
void job_free(struct job *job);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the files of a job only (see job.h): its stages and what they share. */
#ifndef AGENT_JOB_STEPS_H
#define AGENT_JOB_STEPS_H

#include "agent/job.h"

#define JOB_DEFINITION_FILE "testflinger.json"
#define JOB_OUTCOME_FILE    "testflinger-outcome.json"
#define JOB_LOST            "agent_lost" /* as event, and as reason for the end */

/* What a stage came to; the next one begins from the loop. */
void job_event(struct job *job, enum job_event event);
typedef void job_action_fn(struct job *job);

job_action_fn job_confirm, job_begin, job_fetch_attachments, job_unpack, job_select, job_check,
    job_note_wishes, job_run, job_allocate, job_wait, job_clean_up, job_sweep;
job_action_fn deliver_ask, deliver_logs, deliver_pack, deliver_upload, deliver_rest,
    deliver_outcome, deliver_remove, deliver_keep, deliver_tell;

/* Takes over definition and dir, also on failure. */
struct job *job_make(struct context *context, struct json_object *definition, char *dir,
                     const struct record *record, struct err *err);
/* The phase at which a job that goes no further is cut off; -1 if every phase was run, or one that
 * failed has ended it. */
int job_cut_phase(const struct job *job);
/* The server said that the job is cancelled: the stage is over by that. */
void job_be_cancelled(struct job *job);
/* Asks for the state of a job; what comes is in job->scan. */
void job_ask_state(struct job *job, const char *id, api_done_fn *done);

/* Outcome and record are safe on the disk; -1 if they could not be written (it is logged). */
int job_save(struct job *job);
/* Posts {"job_state": state} and the state of the agent. */
void job_post_state(struct job *job, const char *state);
/* Posts the exit statuses so far. */
void job_post_status(struct job *job);
/* A text of the agent's, at the end of the job's last log. */
void job_say(struct job *job, const char *text);
/* That processes could not be ended. */
void job_say_left_alive(struct job *job);
/* Posts how provisioning ended. */
void job_post_provision_log(struct job *job, int status, const char *event);
/* Posts what device-info.json says, if it is there and is JSON; false if there is nothing. */
bool job_post_device_info(struct job *job, api_done_fn *done);
/* After a reply of this status: asking again later could help. */
bool deliver_may_work_later(int status);
/* Appends {"status": …} without the closing brace. */
void job_add_status(const struct job *job, struct buf *b);
/* The same, and for a server that lends jobs whether a phase was stopped by a time-out: its exit
 * status does not tell. */
void job_add_result(const struct job *job, struct buf *b);

#endif

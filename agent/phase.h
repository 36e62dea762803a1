/* SPDX-License-Identifier: GPL-3.0-or-later
 * Running one phase: its command, its log, its limits. */
#ifndef AGENT_PHASE_H
#define AGENT_PHASE_H

#include "agent/job_state.h"
#include "agent/output.h"
#include "agent/reactor.h"
#include "agent/runner.h"
#include "agent/stop.h"

#include <stdbool.h>

struct job;

#define PHASE_RECOVERY_FAILED 46  /* exit status: the device could not be brought back */
#define PHASE_STOPPED         143 /* of one that was told to stop, whatever it made of that */

struct phase_run {
    struct output *output; /* owned by the job's sender */
    struct output *serial;
    int serial_fd;
    int64_t serial_left; /* bytes to be read */
    struct stop stop;
    struct timer look;        /* for a cancel, of a job that is not lent */
    struct timer serial_step; /* the serial log is read in pieces */
    struct job_state_scan scan;
    struct runner_command command;
    char **environment;
    int64_t oom_kills; /* before it */
    int status;
    int64_t began_ms;
    int64_t took_ms; /* the command; not the sending of its log */
    void (*done)(struct job *job, int status, enum stop_reason stopped);
};

/* Runs job->phase; done is called from the loop when it is over and its log was sent or is kept. */
void phase_start(struct job *job,
                 void (*done)(struct job *job, int status, enum stop_reason stopped));
/* The log of a phase that is not run because of what the text says. */
void phase_note(struct job *job, enum phase phase, const char *text);
/* Frees what a phase under way holds; its command must have been ended. */
void phase_done(struct job *job);

/* The environment of a phase: the agent's, the options that are strings, the phase's secrets, and
 * the mark by which strays are known.  NULL terminated; freed by phase_free_environment(). */
char **phase_environment(struct job *job);
void phase_free_environment(char **environment);
/* "TESTFLINGER_AGENT_JOB=<id>"; the caller frees it. */
char *phase_mark(const struct job *job);

/* Why the phase failed, from device-connector-error.json; "" if it does not say.  Masked. */
void phase_failure_detail(const struct job *job, enum phase phase, struct buf *ret_text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * A job that the server has lent for a time: it is renewed while the agent has it, and what is
 * heard by that (cancelled, given to another agent) reaches the job at once.  Where the server
 * offers it, a request that waits there for a change of the job tells even sooner.
 *
 * A job without a lease has none of this. */
#ifndef AGENT_JOB_LEASE_H
#define AGENT_JOB_LEASE_H

#include "agent/api.h"
#include "agent/lease.h"
#include "agent/reactor.h"

#include <stdbool.h>
#include <stdint.h>

struct job;

#define JOB_VERSION_SIZE 128

struct job_lease {
    struct lease times;
    struct api_lease api;           /* for every call about the job */
    struct timer ask;               /* for the job's status, not at once */
    char version[JOB_VERSION_SIZE]; /* of the status last seen; "": none yet */
    int64_t asked_ms;
    bool no_status; /* the server has no such route */
    bool failing;   /* it was told already */
    bool begun;
};

/* Takes the lease of the job's record, "" or not; nothing is sent yet. */
void job_lease_init(struct job *job);
void job_lease_begin(struct job *job);
void job_lease_end(struct job *job);
/* Cancels are heard of by the lease: nobody needs to look. */
bool job_is_lent(const struct job *job);

#endif

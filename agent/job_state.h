/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reads the one field of a job's result that an agent wants.  A result holds the whole output of
 * the job and may be as long as that: it is scanned as it comes and never kept. */
#ifndef AGENT_JOB_STATE_H
#define AGENT_JOB_STATE_H

#include <stdbool.h>
#include <stddef.h>

#define JOB_STATE_SIZE 64

struct job_state_scan {
    int depth;
    bool in_string;
    bool escaped;
    bool is_value;             /* behind the colon of a member of the document itself */
    bool wanted;               /* and the member is job_state */
    char text[JOB_STATE_SIZE]; /* the last string, cut */
    size_t len;
    char state[JOB_STATE_SIZE]; /* what was found; "" until then */
};

/* Zeroed before the first piece. */
void job_state_feed(struct job_state_scan *scan, const char *data, size_t len);

/* Nothing changes a job any more. */
bool job_state_is_final(const char *state);
bool job_state_is_cancelled(const char *state);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the commands ask the server about one job. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct session;

#define JOB_PATH_SIZE  160
#define JOB_STATE_SIZE 64

struct job_state {
    char text[JOB_STATE_SIZE];   /* "" if the server does not know the job */
    char failed[JOB_STATE_SIZE]; /* the first phase whose exit status is not 0, or "" */
    int failed_status;
};

/* The canonical id of what was given on the command line. */
int job_id_parse(const char *text, char ret_id[static UUID_TEXT_SIZE], struct err *err);

/* Writes "/v1/job/ID/position" and the like: before, the id, after. */
const char *job_path(char path[static JOB_PATH_SIZE], const char *before, const char *id,
                     const char *after);

/* Reads the state and the phases' exit statuses; outputs that come along are passed over. */
int job_read_state(struct session *s, const char *id, struct job_state *ret_state, struct err *err);
/* How many jobs are ahead; -1 if the job does not wait. */
int job_read_position(struct session *s, const char *id, int64_t *ret_position, struct err *err);
int job_cancel(struct session *s, const char *id, struct err *err);

bool job_state_final(const struct job_state *state);
bool job_state_cancelled(const struct job_state *state);
/* The exit status that a final state stands for (enum exit_status). */
int job_exit_status(const struct job_state *state);

/* Tells that the server knows no such job; returns EXIT_NOTHING. */
int job_unknown(FILE *notes, const char *id);

#endif

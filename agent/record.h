/* SPDX-License-Identifier: GPL-3.0-or-later
 * How far a job has come, in a small file that is none of the job's own (the spool says where):
 * what an agent needs to know about a job that an earlier run of it began.  It is written often and
 * mostly without fsync: what it guards against is the death of the agent; after a power cut a log
 * fragment may be sent twice. */
#ifndef AGENT_RECORD_H
#define AGENT_RECORD_H

#include "agent/output.h"
#include "common/err.h"
#include "common/names.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define RECORD_REASON_SIZE 32
#define RECORD_TOKEN_SIZE  128
#define RECORD_LEASE_MAX_S (365 * 24 * 3600)
#define RECORD_NO_STATUS   (-1)

enum log_type { LOG_OUTPUT, LOG_SERIAL, LOG_TYPE_COUNT };

/* What came with a claim when the server lends jobs for a time. */
struct record_lease {
    char token[RECORD_TOKEN_SIZE]; /* "": the job is not lent */
    int64_t seconds;               /* how long it lives after each sign of life */
    int64_t attempt;
    int64_t stop_after; /* seconds without contact until the agent gives the job up; 0: never */
};

struct record {
    int phase;                       /* running or last run; -1: none yet */
    int status[PHASE_COUNT];         /* exit status, RECORD_NO_STATUS: it has none */
    bool running;                    /* the phase had not ended */
    bool over;                       /* nothing more to run: the outcome is to be sent */
    bool released;                   /* allocate: the others have done with the device */
    bool uploaded;                   /* the artifacts are with the server, or never will be */
    bool posting;                    /* the outcome is being posted: it may be there */
    bool done;                       /* nothing is wanted of the job: its directory is removed */
    int losses;                      /* how many agents died over it */
    char reason[RECORD_REASON_SIZE]; /* why it ended, once it is over */
    struct record_lease lease;
    int64_t next[LOG_TYPE_COUNT];                          /* fragment number */
    struct output_mark marks[LOG_TYPE_COUNT][PHASE_COUNT]; /* what the server has of each log */
};

/* The member "lease" of a claim or of a record; what cannot be used counts as no lease. */
void record_take_lease(struct json_object *json, struct record_lease *ret_lease);

void record_init(struct record *record);
const char *log_type_name(enum log_type type);

/* Fails with ERR_NOT_FOUND if the file is not there. */
int record_load(struct record *record, const char *path, struct err *err);
int record_save(const struct record *record, const char *path, struct err *err);
/* The same, and it is on the disk when this returns. */
int record_sync(const struct record *record, const char *path, struct err *err);

#endif

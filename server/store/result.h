/* SPDX-License-Identifier: GPL-3.0-or-later
 * Results: what an agent says about a job, apart from its logs. */
#ifndef SERVER_STORE_RESULT_H
#define SERVER_STORE_RESULT_H

#include "common/buf.h"
#include "common/err.h"
#include "server/db/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The agent that posts or asks: its cookie and its lease token; either may be NULL. */
struct poster {
    const char *agent;
    const char *token;
};

/* A reader that does not say which attempt of a job it means. */
#define ATTEMPT_NEWEST INT64_C(-1)

/* What is posted; NULL: not given. */
struct posted_result {
    const char *status;      /* JSON */
    const char *device_info; /* JSON */
    const char *job_state;
    const char *stopped; /* global_timeout, output_timeout */
};

/* Appends to *ret_queue where the job can be claimed again because of this; nothing if nowhere. */
int result_store_post(struct db *db, const char *id, const struct poster *by,
                      const struct posted_result *what, struct buf *ret_queue, struct err *err);

/* One of many. */
struct result_post {
    const char *id;
    struct poster by;
    struct posted_result what;
    struct err *err;   /* ERR_NONE at first, and if it is taken */
    struct buf *queue; /* as above */
    bool alone;        /* the answer: nothing was done, result_store_post() knows more */
};

/* A few calls, each one transaction; what fails for one of them does not fail the others. */
void result_store_post_all(struct db *db, struct result_post *posts, size_t count);

/* The texts are valid until result_row_done(). */
struct result_row {
    struct db_rows rows;
    bool found;
    const char *version;     /* hexadecimal digits; another one with every change */
    const char *job_state;   /* NULL: the caller has this version, the rest was not read */
    const char *status;      /* JSON or NULL */
    const char *device_info; /* JSON or NULL */
    const char *logs; /* JSON list of [type, phase, last fragment number], or NULL: no logs */
    int64_t attempt;  /* that was read; ATTEMPT_NEWEST: there is none yet */
};

struct result_query {
    const char *id;
    struct poster by; /* who asks, if it is an agent (one that lost the job reads "cancelled") */
    const char *seen; /* text that holds the versions the caller has, or NULL */
    int64_t attempt;  /* or ATTEMPT_NEWEST */
};

/* ERR_CONFLICT: the token is stale. */
int result_store_read(struct db *db, const struct result_query *query, struct result_row *ret_row,
                      struct err *err);
void result_row_done(struct result_row *row);

#endif

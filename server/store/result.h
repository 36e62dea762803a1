/* SPDX-License-Identifier: GPL-3.0-or-later
 * Results: what an agent says about a job, apart from its logs. */
#ifndef SERVER_STORE_RESULT_H
#define SERVER_STORE_RESULT_H

#include "common/err.h"
#include "server/db/db.h"

#include <stdbool.h>

/* The agent that posts or asks: its cookie and its lease token; either may be NULL. */
struct poster {
    const char *agent;
    const char *token;
};

/* What is posted; NULL: not given. */
struct posted_result {
    const char *status;      /* JSON */
    const char *device_info; /* JSON */
    const char *job_state;
};

int result_store_post(struct db *db, const char *id, const struct poster *by,
                      const struct posted_result *what, struct err *err);

/* The texts are valid until result_row_done(). */
struct result_row {
    struct db_rows rows;
    bool found;
    const char *version;     /* hexadecimal digits; another one with every change */
    const char *job_state;   /* NULL: the caller has this version, the rest was not read */
    const char *status;      /* JSON or NULL */
    const char *device_info; /* JSON or NULL */
    const char *logs; /* JSON list of [type, phase, last fragment number], or NULL: no logs */
};

/* by: who asks, if it is an agent (one that lost the job reads "cancelled"), else nobody.  seen:
 * text that holds the versions the caller has, or NULL.  ERR_CONFLICT: the token is stale. */
int result_store_read(struct db *db, const char *id, const struct poster *by, const char *seen,
                      struct result_row *ret_row, struct err *err);
void result_row_done(struct result_row *row);

#endif

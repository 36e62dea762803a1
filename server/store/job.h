/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jobs: definition, place in the queue, cancellation. */
#ifndef SERVER_STORE_JOB_H
#define SERVER_STORE_JOB_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"
#include "server/store/result.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

/* Appends the definition with its job_id; *ret_found is false for an unknown job. */
int job_store_get(struct db *db, const char *id, struct buf *ret_body, bool *ret_found,
                  struct err *err);

struct job_status {
    bool found;       /* else the job is unknown */
    char version[40]; /* hexadecimal; changes with all but the position */
};

/* Appends where the job stands, as JSON; by as in result_store_read(). */
int job_store_status(struct db *db, const char *id, const struct poster *by, struct buf *ret_body,
                     struct job_status *ret_status, struct err *err);

/* ERR_GONE if the job is unknown or does not wait. */
int job_store_position(struct db *db, const char *id, int64_t *ret_position, struct err *err);

/* The agent speaks about the job, which renews its lease.  ERR_NOT_FOUND: unknown job;
 * ERR_CONFLICT: the token is stale.  stopped: what it says it stopped a phase for, or NULL. */
int job_store_touch(struct db *db, const char *id, const struct poster *by, const char *stopped,
                    struct err *err);

/* client_id NULL: anonymous.  ERR_BAD_REQUEST if the job is unknown or has ended. */
int job_store_cancel(struct db *db, const char *id, const char *client_id, struct err *err);

/* Where a list of jobs goes on; both -1 to begin, .at -1 after the last page. */
struct job_list_place {
    int64_t at;
    int64_t floor; /* only its SQL function knows */
};

/* Appends the next page, members of a JSON list without its brackets, and moves *place.  query:
 * what to list, see api.list_jobs.  A page may be empty though others follow. */
int job_store_list(struct db *db, const char *query, struct job_list_place *place,
                   struct buf *ret_body, struct err *err);

#endif

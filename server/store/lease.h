/* SPDX-License-Identifier: GPL-3.0-or-later
 * Leases: a job is an agent's for a time, and again when it is renewed. */
#ifndef SERVER_STORE_LEASE_H
#define SERVER_STORE_LEASE_H

#include "common/err.h"
#include "server/db/db.h"
#include "server/store/result.h"

#include <stdbool.h>

/* The texts are valid until lease_row_done(). */
struct lease_row {
    struct db_rows rows;
    const char *job_state;
    bool cancelled;
    const char *expires_at; /* NULL: the job has ended, and the lease with it */
};

/* by: the lease's token, or the agent's name if it asked for no lease.  ERR_NOT_FOUND: unknown job;
 * ERR_CONFLICT: it is not leased to them any more. */
int lease_store_renew(struct db *db, const char *id, const struct poster *by,
                      struct lease_row *ret_row, struct err *err);
void lease_row_done(struct lease_row *row);

#endif

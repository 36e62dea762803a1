/* SPDX-License-Identifier: GPL-3.0-or-later
 * Leases: a job is an agent's for a time, and again when it is renewed. */
#ifndef SERVER_STORE_LEASE_H
#define SERVER_STORE_LEASE_H

#include "common/err.h"
#include "server/db/db.h"
#include "server/store/result.h"

#include <stdbool.h>
#include <stddef.h>

/* One of many.  The answer's texts are valid until lease_rows_done(). */
struct renewal {
    const char *id;   /* of the job */
    struct poster by; /* the lease's token, or the agent's name if it asked for no lease */
    /* ERR_NOT_FOUND: unknown job; ERR_CONFLICT: it is not leased to them any more.  Untouched, as
     * ERR_NONE: the answer follows. */
    struct err *err;
    bool locked; /* somebody else holds the lease for a moment: nothing was done, it is to be asked
                    again */
    const char *job_state;
    bool cancelled;
    const char *expires_at; /* NULL: the job has ended, and the lease with it */
};

struct lease_rows {
    struct db_rows rows;
};

/* All in one transaction: when it fails, each of them fails with the reason.  At most as many as
 * requests are made together (server/work.h). */
void lease_store_renew(struct db *db, struct renewal *renewals, size_t count,
                       struct lease_rows *ret_rows);
void lease_rows_done(struct lease_rows *rows);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Why lock_timeout: an ALTER TABLE that waits for a lock makes everybody behind it wait too.  The
 * wait for the lock is also the pause between two tries. */
#include "server/dbadmin/transaction.h"

#include "server/db/session.h"

#include <stdbool.h>
#include <string.h>

#define TRIES_MAX 20

static bool can_be_tried_again(const struct db *db)
{
    return strcmp(db_sqlstate(db), "55P03") == 0 || strcmp(db_sqlstate(db), "40P01") == 0;
}

static int try_once(struct db *db, transaction_fn body, const void *context, struct err *err)
{
    if (db_script(db, "BEGIN; SET LOCAL lock_timeout = '2s'", err) < 0)
        return -1;
    if (body(db, context, err) < 0)
        return -1;
    if (!db_in_transaction(db))
        return err_set(err, ERR_INVALID, "it ends the transaction in which it runs");
    return db_script(db, "COMMIT", err);
}

int transaction_run(struct db *db, transaction_fn body, const void *context, struct err *err)
{
    for (int tries = 1;; tries++) {
        bool again;

        if (try_once(db, body, context, err) == 0)
            return 0;
        again = can_be_tried_again(db);
        /* If this fails too, the connection is gone and the server rolls back. */
        if (db_script(db, "ROLLBACK", NULL) < 0 || !again || tries >= TRIES_MAX)
            return -1;
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * A transaction that does not make a busy server wait: it gives up soon when a lock is taken, and
 * is tried again. */
#ifndef SERVER_DBADMIN_TRANSACTION_H
#define SERVER_DBADMIN_TRANSACTION_H

#include "common/err.h"

struct db;

typedef int (*transaction_fn)(struct db *db, const void *context, struct err *err);

/* body must leave the transaction open.  It is called again after a lock time-out or a deadlock,
 * at most 20 times. */
int transaction_run(struct db *db, transaction_fn body, const void *context, struct err *err);

#endif

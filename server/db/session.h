/* SPDX-License-Identifier: GPL-3.0-or-later
 * For callers that keep state in the connection: transactions, session locks, settings. */
#ifndef SERVER_DB_SESSION_H
#define SERVER_DB_SESSION_H

#include "server/db/db.h"

/* Opens the connection now, and from here on uses this one only: once it is lost, every call
 * fails with ERR_UNAVAILABLE. */
int db_hold(struct db *db, struct err *err);

/* Runs SQL text of any number of statements.  Without BEGIN in it and outside a transaction, they
 * are one transaction.  Never repeated.  The text of the error begins with "line N: " when the
 * server tells the place. */
int db_script(struct db *db, const char *sql, struct err *err);

bool db_in_transaction(const struct db *db);

/* SQLSTATE of the last failed call, "" if it did not come from the server. */
const char *db_sqlstate(const struct db *db);

#endif

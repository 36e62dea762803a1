/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside server/db only: the libpq connection behind a struct db.  Every wait here ends: opening
 * after connect_timeout_s for each address, an answer after statement_timeout_ms and some grace. */
#ifndef SERVER_DB_CONNECTION_H
#define SERVER_DB_CONNECTION_H

#include "server/db/db.h"

#include <libpq-fe.h>

#define DB_STATEMENTS_MAX 256

struct db {
    struct db_options options;
    PGconn *conn; /* NULL: not open */
    /* Statements that conn knows by their names. */
    const struct db_statement *prepared[DB_STATEMENTS_MAX];
    size_t prepared_count;
    bool stale;       /* what it knows of them is out of date */
    bool unconfirmed; /* a commit did not reach the standbys it waits for */
    bool unknown;     /* the last call's answer never came */
    bool held;        /* state lives in the connection: never open another one */
    unsigned times_opened;
    char sqlstate[6]; /* of the last failure, "" if the server did not say */
};

/* Opens the connection unless a usable one is there; one that broke while idle is noticed. */
int connection_open(struct db *db, struct err *err);
void connection_close(struct db *db);

/* After a PQsend…(): waits for the whole answer.  The result is the first error, else the last
 * result; the caller clears it.  NULL: the connection broke or did not answer in time; it is closed
 * then, *err is set, and whether the statement took effect is not known. */
PGresult *connection_finish(struct db *db, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Held connections and scripts: what migrations need and requests never do. */
#include "server/db/session.h"

#include "server/db/connection.h"
#include "server/db/sqlstate.h"

#include <stdlib.h>
#include <string.h>

int db_hold(struct db *db, struct err *err)
{
    if (connection_open(db, err) < 0)
        return -1;
    db->held = true;
    return 0;
}

bool db_in_transaction(const struct db *db)
{
    PGTransactionStatusType status = PQtransactionStatus(db->conn);

    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

const char *db_sqlstate(const struct db *db)
{
    return db->sqlstate;
}

/* The server counts characters from 1, and we count lines. */
static long line_at(const char *sql, long position)
{
    long line = 1;

    for (const char *p = sql; *p && position > 1; p++) {
        if (*p == '\n')
            line++;
        if (((unsigned char)p[1] & 0xC0) != 0x80)
            position--;
    }
    return line;
}

static int script_failed(struct db *db, const char *sql, const PGresult *result, struct err *err)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *sqlstate = sqlstate_of(result);

    memcpy(db->sqlstate, sqlstate, strlen(sqlstate) == 5 ? sizeof(db->sqlstate) : 1);
    (void)sqlstate_to_err(result, err);
    if (position)
        (void)err_prefix(err, "line %ld", line_at(sql, strtol(position, NULL, 10)));
    return -1;
}

int db_script(struct db *db, const char *sql, struct err *err)
{
    PGresult *result;
    int rc = 0;

    if (connection_open(db, err) < 0)
        return -1;
    db->sqlstate[0] = '\0';
    db->unconfirmed = false;
    if (!PQsendQuery(db->conn, sql)) {
        connection_close(db);
        return err_set(err, ERR_UNAVAILABLE, "connection to the database was lost");
    }
    result = connection_finish(db, err);
    if (!result)
        return -1;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        rc = script_failed(db, sql, result, err);
    else if (db->unconfirmed)
        rc = err_set(err, ERR_UNAVAILABLE, "commit was not confirmed by the standby server");
    PQclear(result);
    return rc;
}

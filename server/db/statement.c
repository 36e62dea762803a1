/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs statements, and decides when one may be run again: only if it certainly had no effect, or is
 * marked repeatable.  A connection is opened again once in a call; what a change of the functions
 * met half way is repeated twice. */
#include "server/db/connection.h"
#include "server/db/sqlstate.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#define TRIES_MAX  3
#define BUFFER_MAX ((size_t)1 << 20) /* of a message that a connection is kept after */

enum fate {
    FATE_DONE,
    FATE_FAILED,  /* for good */
    FATE_NOT_RUN, /* certainly without effect; a repetition may succeed */
    FATE_UNKNOWN, /* sent, and no answer */
};

struct call {
    const struct db_statement *statement;
    const struct db_param *params;
    int format; /* of the results: 0 text, 1 binary */
};

static bool is_prepared(const struct db *db, const struct db_statement *statement)
{
    for (size_t i = 0; i < db->prepared_count; i++)
        if (db->prepared[i] == statement)
            return true;
    return false;
}

/* What a failed result means for the call; clears it. */
static enum fate judge(struct db *db, PGresult *result, struct err *err)
{
    const char *sqlstate = sqlstate_of(result);
    enum fate fate = FATE_FAILED;

    (void)sqlstate_to_err(result, err);
    memcpy(db->sqlstate, sqlstate, strlen(sqlstate) == 5 ? sizeof(db->sqlstate) : 1);
    if (PQstatus(db->conn) != CONNECTION_OK) {
        connection_close(db);
        fate = FATE_UNKNOWN;
    } else if (PQtransactionStatus(db->conn) != PQTRANS_IDLE) {
        fate = FATE_FAILED; /* the caller's transaction is lost with the statement */
    } else if (sqlstate_stale(result) || sqlstate_curable(sqlstate)) {
        db->stale = sqlstate_stale(result);
        fate = FATE_NOT_RUN;
    }
    PQclear(result);
    return fate;
}

static enum fate not_sent(struct db *db, struct err *err)
{
    connection_close(db);
    err_set(err, ERR_UNAVAILABLE, "connection to the database was lost");
    return FATE_NOT_RUN;
}

static enum fate prepare(struct db *db, const struct db_statement *statement, struct err *err)
{
    PGresult *result;
    enum fate fate;

    if (!PQsendPrepare(db->conn, statement->name, statement->sql, 0, NULL))
        return not_sent(db, err);
    result = connection_finish(db, err);
    if (!result)
        return FATE_NOT_RUN;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fate = judge(db, result, err);
        return fate == FATE_UNKNOWN ? FATE_NOT_RUN : fate;
    }
    PQclear(result);
    db->prepared[db->prepared_count++] = statement;
    return FATE_DONE;
}

static int send_call(struct db *db, const struct call *call, bool by_name)
{
    const struct db_statement *statement = call->statement;
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX];
    int formats[DB_PARAMS_MAX];

    for (int i = 0; i < statement->params; i++) {
        const struct db_param *param = &call->params[i];

        values[i] = param->number[0] ? param->number : param->value;
        lengths[i] = (int)param->len;
        formats[i] = param->binary;
    }
    if (by_name)
        return PQsendQueryPrepared(db->conn, statement->name, statement->params, values, lengths,
                                   formats, call->format);
    return PQsendQueryParams(db->conn, statement->sql, statement->params, NULL, values, lengths,
                             formats, call->format);
}

static enum fate try_call(struct db *db, const struct call *call, PGresult **ret_result,
                          struct err *err)
{
    bool by_name = db->options.prepare;
    PGresult *result;

    if (connection_open(db, err) < 0)
        return FATE_FAILED;
    if (by_name && !is_prepared(db, call->statement)) {
        by_name = db->prepared_count < DB_STATEMENTS_MAX;
        enum fate fate = by_name ? prepare(db, call->statement, err) : FATE_DONE;
        if (fate != FATE_DONE)
            return fate;
    }
    db->unconfirmed = false;
    if (!send_call(db, call, by_name))
        return not_sent(db, err);
    result = connection_finish(db, err);
    if (!result)
        return FATE_UNKNOWN;
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        return judge(db, result, err);
    *ret_result = result;
    return FATE_DONE;
}

/* After schema api was made anew every name is out of date, so all are dropped. */
static void forget_prepared(struct db *db)
{
    db->stale = false;
    if (!db->conn || db->prepared_count == 0)
        return;
    db->prepared_count = 0;
    PGresult *result = NULL;
    if (PQsendQuery(db->conn, "DEALLOCATE ALL"))
        result = connection_finish(db, NULL);
    if (!result || PQresultStatus(result) != PGRES_COMMAND_OK)
        connection_close(db);
    PQclear(result);
}

static bool params_fit(const struct call *call)
{
    for (int i = 0; i < call->statement->params; i++)
        if (call->params[i].len > INT_MAX / 2)
            return false;
    return true;
}

static bool may_repeat(const struct db *db, const struct call *call, enum fate fate, int tries)
{
    bool lost = !db->conn;

    if (tries >= TRIES_MAX || (lost && tries > 1))
        return false;
    return fate == FATE_NOT_RUN || (fate == FATE_UNKNOWN && call->statement->repeatable);
}

/* libpq's buffers grow to the largest message and stay so: what one long fragment of a log needed
 * would be held by every worker in the end.  Such a connection is closed, and opened again when it
 * is needed. */
static void drop_large_buffers(struct db *db, const struct call *call, const PGresult *result)
{
    size_t bytes = PQresultMemorySize(result);

    for (int i = 0; i < call->statement->params; i++)
        bytes += call->params[i].len;
    if (bytes > BUFFER_MAX && !db->held) {
        connection_close(db);
        db->times_opened--; /* nothing was wrong: opening it again is no reconnect */
    }
}

static int run_call(struct db *db, const struct call *call, PGresult **ret_result, struct err *err)
{
    struct err why = ERR_INIT;
    PGresult *result = NULL;
    enum fate fate;

    assert(call->statement->params >= 0 && call->statement->params <= DB_PARAMS_MAX);
    db->unknown = false;
    if (!params_fit(call))
        return err_set(err, ERR_TOO_LARGE, "value is too large for the database");
    for (int tries = 1;; tries++) {
        db->sqlstate[0] = '\0';
        fate = try_call(db, call, &result, &why);
        if (fate == FATE_DONE || !may_repeat(db, call, fate, tries))
            break;
        if (db->stale)
            forget_prepared(db);
    }
    db->unknown = fate == FATE_UNKNOWN;
    if (fate == FATE_DONE)
        drop_large_buffers(db, call, result);
    if (fate == FATE_DONE && db->unconfirmed) {
        /* The server said that it is done, and that it may be undone by a failover. */
        PQclear(result);
        return err_set(err, ERR_UNAVAILABLE, "commit was not confirmed by the standby server");
    }
    if (fate != FATE_DONE)
        return err_set(err, why.code, "%s", why.text);
    *ret_result = result;
    return 0;
}

static int query(struct db *db, const struct call *call, struct db_rows *ret_rows, struct err *err)
{
    PGresult *result = NULL;

    if (run_call(db, call, &result, err) < 0)
        return -1;
    ret_rows->result = result;
    ret_rows->binary = call->format == 1;
    return 0;
}

int db_query(struct db *db, const struct db_statement *statement, const struct db_param *params,
             struct db_rows *ret_rows, struct err *err)
{
    return query(db, &(struct call){statement, params, 0}, ret_rows, err);
}

int db_query_binary(struct db *db, const struct db_statement *statement,
                    const struct db_param *params, struct db_rows *ret_rows, struct err *err)
{
    return query(db, &(struct call){statement, params, 1}, ret_rows, err);
}

int db_run(struct db *db, const struct db_statement *statement, const struct db_param *params,
           struct err *err)
{
    struct db_rows rows;

    if (db_query(db, statement, params, &rows, err) < 0)
        return -1;
    db_rows_done(&rows);
    return 0;
}

bool db_outcome_unknown(const struct db *db)
{
    return db->unknown;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * SQLSTATE to err, as a table.  Class TF is the application's own and is looked up in
 * common/errors.def; what is in no table is a fault of ours and becomes ERR_INTERNAL. */
#include "server/db/sqlstate.h"

#include "server/db/db.h"

#include <stddef.h>
#include <string.h>

/* A state with fewer than five letters stands for all that begin with it. */
static const char *const unavailable[] = {
    "08",    /* connection */
    "25006", /* read-only: this server is no longer the primary */
    "40001", /* serialization failure */
    "40P01", /* deadlock */
    "53",    /* out of connections, memory or disk */
    "55P03", /* lock time-out */
    "57014", /* statement time-out */
    "57P0",  /* shutting down, crashed, starting up, dropped, idle too long */
    "58030", /* i/o error */
};

static const char *const curable[] = {"40001", "40P01"};

/* 0A000: cached plan must not change result type; 42883: undefined function (schema api was made
 * anew); 26000: the prepared statement is gone. */
static const char *const stale[] = {"0A000", "42883", "26000"};

static bool in_list(const char *const *list, size_t count, const char *sqlstate)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(sqlstate, list[i], strlen(list[i])) == 0)
            return true;
    return false;
}

const char *sqlstate_of(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate ? sqlstate : "";
}

bool sqlstate_curable(const char *sqlstate)
{
    return in_list(curable, sizeof(curable) / sizeof(curable[0]), sqlstate);
}

bool sqlstate_stale(const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    /* A function dropped between planning and running; internal messages are not translated. */
    if (strcmp(sqlstate_of(result), "XX000") == 0)
        return text && strncmp(text, "cache lookup failed", strlen("cache lookup failed")) == 0;
    return in_list(stale, sizeof(stale) / sizeof(stale[0]), sqlstate_of(result));
}

int sqlstate_to_err(const PGresult *result, struct err *err)
{
    const char *sqlstate = sqlstate_of(result);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (!sqlstate[0])
        return err_set(err, ERR_UNAVAILABLE, "connection to the database was lost");
    return db_failure(sqlstate, text ? text : "no message", err);
}

int db_failure(const char *sqlstate, const char *text, struct err *err)
{
    enum err_code code = err_from_sqlstate(sqlstate);

    if (code != ERR_NONE)
        return err_set(err, code, "%s", text);
    code = in_list(unavailable, sizeof(unavailable) / sizeof(unavailable[0]), sqlstate)
               ? ERR_UNAVAILABLE
               : ERR_INTERNAL;
    return err_set(err, code, "database error %s: %s", sqlstate, text);
}

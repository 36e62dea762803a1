/* SPDX-License-Identifier: GPL-3.0-or-later
 * Opening, watching and closing one connection.  Answers are awaited with poll() on the socket and
 * not inside libpq, which would wait for ever for a server that is stopped but not dead. */
#include "server/db/connection.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server enforces statement_timeout itself; this much later it is taken for gone. */
#define ANSWER_GRACE_MS 3000

struct db *db_new(const struct db_options *options, struct err *err)
{
    struct db *db;

    assert(options->conninfo && options->connect_timeout_s > 0);
    assert(options->statement_timeout_ms > 0);
    db = calloc(1, sizeof(*db));
    if (!db) {
        err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    db->options = *options;
    return db;
}

void db_free(struct db *db)
{
    if (!db)
        return;
    connection_close(db);
    free(db);
}

void connection_close(struct db *db)
{
    /* Non-blocking mode is still on, so the farewell message cannot block either. */
    PQfinish(db->conn);
    db->conn = NULL;
    db->prepared_count = 0;
}

/* Notices are dropped (they can carry values), but for the one that says that a commit which is
 * about to be reported as done may not survive a failover. */
static void notice_received(void *context, const PGresult *notice)
{
    struct db *db = context;
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

    /* The text is translated by the server, the function's name is not. */
    if ((function && strcmp(function, "SyncRepWaitForLSN") == 0) ||
        (text && strstr(text, "canceling wait for synchronous replication")))
        db->unconfirmed = true;
}

/* libpq's messages have several lines and a newline at the end: the first line says it. */
static int unreachable(const PGconn *conn, struct err *err)
{
    const char *text = conn ? PQerrorMessage(conn) : "out of memory";

    return err_set(err, ERR_UNAVAILABLE, "database cannot be reached: %.*s",
                   (int)strcspn(text, "\n"), text);
}

/* Settings of the session.  A pooler that hands the connection to somebody else after each
 * statement cannot keep them, so with prepare off they are left to the role. */
static int set_up_session(struct db *db, struct err *err)
{
    static const char sql[] = "SELECT set_config('statement_timeout', $1, false), "
                              "set_config('TimeZone', 'UTC', false), "
                              "set_config('DateStyle', 'ISO', false)";
    char timeout[16];
    const char *values[] = {timeout};
    PGresult *result;
    bool ok;

    if (!db->options.prepare)
        return 0;
    (void)snprintf(timeout, sizeof(timeout), "%d", db->options.statement_timeout_ms);
    if (!PQsendQueryParams(db->conn, sql, 1, NULL, values, NULL, NULL, 0))
        return unreachable(db->conn, err);
    result = connection_finish(db, err);
    if (!result)
        return -1;
    ok = PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!ok)
        unreachable(db->conn, err);
    PQclear(result);
    return ok ? 0 : -1;
}

/* Those before dbname are defaults which the conninfo may overrule; later ones win over it.  The
 * blocking call is bounded by connect_timeout, and for each address in turn, which
 * PQconnectPoll() leaves out: one dead address of several would use up the whole time. */
static PGconn *connect_now(const struct db *db)
{
    char timeout[16];
    const char *const keywords[] = {"connect_timeout",           "keepalives_idle",
                                    "keepalives_interval",       "keepalives_count",
                                    "tcp_user_timeout",          "gssencmode",
                                    "fallback_application_name", "dbname",
                                    "client_encoding",           NULL};
    const char *const values[] = {
        timeout, "30", "10", "3", "30000", "disable", db->options.application, db->options.conninfo,
        "UTF8",  NULL};

    (void)snprintf(timeout, sizeof(timeout), "%d", db->options.connect_timeout_s);
    return PQconnectdbParams(keywords, values, /* expand_dbname= */ 1);
}

/* A server that restarted while we were idle has closed the socket; seeing it before anything is
 * sent means that the statement certainly did not run. */
static bool still_usable(const struct db *db)
{
    struct pollfd pfd = {.fd = PQsocket(db->conn), .events = POLLIN};

    if (PQstatus(db->conn) != CONNECTION_OK || PQtransactionStatus(db->conn) == PQTRANS_UNKNOWN)
        return false;
    if (poll(&pfd, 1, 0) > 0 && !PQconsumeInput(db->conn))
        return false;
    /* What came may be the notice of the shutdown, with the end of the stream behind it. */
    if (pfd.revents && poll(&pfd, 1, 0) > 0 && !PQconsumeInput(db->conn))
        return false;
    return PQstatus(db->conn) == CONNECTION_OK;
}

int connection_open(struct db *db, struct err *err)
{
    if (db->conn && still_usable(db))
        return 0;
    connection_close(db);
    if (db->held && db->times_opened)
        return err_set(err, ERR_UNAVAILABLE, "connection to the database was lost");
    db->conn = connect_now(db);
    if (PQstatus(db->conn) != CONNECTION_OK || PQsetnonblocking(db->conn, 1) != 0) {
        unreachable(db->conn, err);
        connection_close(db);
        return -1;
    }
    (void)PQsetNoticeReceiver(db->conn, notice_received, db);
    if (set_up_session(db, err) < 0) {
        connection_close(db);
        return -1;
    }
    db->times_opened++;
    return 0;
}

unsigned db_times_opened(const struct db *db)
{
    return db->times_opened;
}

/* Waits until the socket can be read, or written while the query is not all sent. */
static int wait_socket(const struct db *db, bool sending, int64_t deadline_ms)
{
    struct pollfd pfd = {.fd = PQsocket(db->conn), .events = POLLIN};
    int64_t left = deadline_ms - clock_ms(&clock_system);

    if (sending)
        pfd.events |= POLLOUT;
    if (left <= 0)
        return 0;
    if (poll(&pfd, 1, left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR)
        return -1;
    return 1;
}

/* 1: a result can be taken without waiting; 0: too late; -1: broken. */
static int wait_result(const struct db *db, int64_t deadline_ms)
{
    for (;;) {
        int sending = PQflush(db->conn);
        int ready;

        /* A failed send does not end it: the server may have said why before it hung up. */
        if (!PQisBusy(db->conn))
            return 1;
        ready = wait_socket(db, sending == 1, deadline_ms);
        if (ready <= 0)
            return ready;
        if (!PQconsumeInput(db->conn))
            return -1;
    }
}

static PGresult *give_up(struct db *db, int why, struct err *err)
{
    db->sqlstate[0] = '\0';
    connection_close(db);
    err_set(err, ERR_UNAVAILABLE,
            why == 0 ? "database did not answer in time" : "connection to the database was lost");
    return NULL;
}

static bool is_error(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY;
}

static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

PGresult *connection_finish(struct db *db, struct err *err)
{
    int64_t deadline_ms =
        clock_ms(&clock_system) + db->options.statement_timeout_ms + ANSWER_GRACE_MS;
    PGresult *kept = NULL;

    /* An error at commit comes as a second result behind the rows, so all are read. */
    for (;;) {
        int ready = wait_result(db, deadline_ms);
        PGresult *next = ready == 1 ? PQgetResult(db->conn) : NULL;

        if (ready != 1 && kept && is_error(kept)) {
            connection_close(db); /* the server said why before it hung up */
            return kept;
        }
        if (ready != 1 || (next && is_copy(next))) {
            PQclear(next);
            PQclear(kept);
            return give_up(db, ready, err);
        }
        if (!next)
            break;
        if (kept && is_error(kept)) {
            PQclear(next);
            continue;
        }
        PQclear(kept);
        kept = next;
    }
    if (!kept)
        return give_up(db, -1, err);
    return kept;
}

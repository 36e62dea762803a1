/* SPDX-License-Identifier: GPL-3.0-or-later
 * One connection to PostgreSQL and the statements run on it.  Only server/db includes libpq.
 *
 * A statement is a static const struct in the store file that uses it.  It is prepared on a
 * connection at its first use there (unless the option db_prepare is off) and again after the
 * server forgot it or its plan (0A000, 42883, 26000).
 *
 * A lost connection is opened again once per call; a statement that may have taken effect is never
 * repeated: an unknown outcome is ERR_UNAVAILABLE, and so is a database that cannot be reached.
 * SQLSTATEs of class TF become the err of common/errors.def with PostgreSQL's message as text.
 * A struct db belongs to one thread. */
#ifndef SERVER_DB_DB_H
#define SERVER_DB_DB_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_PARAMS_MAX 24

struct db;

struct db_options {
    const char *conninfo;    /* as libpq takes it; kept by the caller */
    const char *application; /* application_name */
    bool prepare;
    int connect_timeout_s;
    int statement_timeout_ms;
};

struct db_statement {
    const char *name; /* unique in the program */
    const char *sql;  /* SELECT a, b FROM api.f($1, …) */
    int params;
    bool repeatable; /* reads, and writes that are the same done twice: repeated after a lost
                        connection */
};

/* Texts are NUL terminated; bytes go over as binary bytea; NULL text is SQL NULL. */
struct db_param {
    const void *value;
    size_t len;
    bool binary;
    char number[24]; /* DB_INT keeps its text here */
};

struct db_param db_text(const char *text);
struct db_param db_bytes(const void *data, size_t len);
struct db_param db_int(int64_t value);
struct db_param db_bool(bool value);
struct db_param db_null(void);

struct db_rows {
    void *result; /* a libpq result */
    bool binary;
};

/* Does not connect yet.  The caller frees it with db_free(). */
struct db *db_new(const struct db_options *options, struct err *err);
void db_free(struct db *db);
/* More than once: connections were lost. */
unsigned db_times_opened(const struct db *db);

/* Runs one statement.  *ret_rows is to be released with db_rows_done(). */
int db_query(struct db *db, const struct db_statement *statement, const struct db_param *params,
             struct db_rows *ret_rows, struct err *err);
/* The same with results in binary form, for bytea columns: db_rows_bytes() only. */
int db_query_binary(struct db *db, const struct db_statement *statement,
                    const struct db_param *params, struct db_rows *ret_rows, struct err *err);
/* For statements whose result does not matter. */
int db_run(struct db *db, const struct db_statement *statement, const struct db_param *params,
           struct err *err);

/* The last call failed and may have taken effect all the same: its answer never came. */
bool db_outcome_unknown(const struct db *db);

/* For failures that come as columns, where one of many does not fail the call: fills *err as for a
 * failed call; returns -1. */
int db_failure(const char *sqlstate, const char *text, struct err *err);

int db_rows_count(const struct db_rows *rows);
bool db_rows_null(const struct db_rows *rows, int row, int column);
/* Valid until db_rows_done(); "" for NULL. */
const char *db_rows_text(const struct db_rows *rows, int row, int column);
const void *db_rows_bytes(const struct db_rows *rows, int row, int column, size_t *ret_len);
int64_t db_rows_int(const struct db_rows *rows, int row, int column);
bool db_rows_bool(const struct db_rows *rows, int row, int column);
void db_rows_done(struct db_rows *rows);

#endif

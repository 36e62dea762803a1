/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parameters going in and rows coming out.  Rows and columns out of range, and reading one form as
 * the other, are mistakes of the caller and asserted: the SQL is ours on both sides. */
#include "server/db/connection.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct db_param db_text(const char *text)
{
    return (struct db_param){.value = text, .len = text ? strlen(text) : 0};
}

struct db_param db_bytes(const void *data, size_t len)
{
    /* NULL with length 0 is an empty value and not SQL NULL. */
    return (struct db_param){.value = data ? data : "", .len = len, .binary = true};
}

struct db_param db_int(int64_t value)
{
    struct db_param param = {.value = NULL};

    /* The struct is returned by value, so .value cannot point into it: see param_value(). */
    (void)snprintf(param.number, sizeof(param.number), "%" PRId64, value);
    return param;
}

struct db_param db_bool(bool value)
{
    return db_text(value ? "t" : "f");
}

struct db_param db_null(void)
{
    return (struct db_param){.value = NULL};
}

int db_rows_count(const struct db_rows *rows)
{
    return PQntuples(rows->result);
}

static void check_place(const struct db_rows *rows, int row, int column)
{
    assert(row >= 0 && row < PQntuples(rows->result));
    assert(column >= 0 && column < PQnfields(rows->result));
}

bool db_rows_null(const struct db_rows *rows, int row, int column)
{
    check_place(rows, row, column);
    return PQgetisnull(rows->result, row, column) != 0;
}

const char *db_rows_text(const struct db_rows *rows, int row, int column)
{
    check_place(rows, row, column);
    assert(!rows->binary);
    return PQgetvalue(rows->result, row, column);
}

const void *db_rows_bytes(const struct db_rows *rows, int row, int column, size_t *ret_len)
{
    check_place(rows, row, column);
    *ret_len = (size_t)PQgetlength(rows->result, row, column);
    return PQgetvalue(rows->result, row, column);
}

int64_t db_rows_int(const struct db_rows *rows, int row, int column)
{
    return strtoll(db_rows_text(rows, row, column), NULL, 10);
}

bool db_rows_bool(const struct db_rows *rows, int row, int column)
{
    return db_rows_text(rows, row, column)[0] == 't';
}

void db_rows_done(struct db_rows *rows)
{
    PQclear(rows->result);
    rows->result = NULL;
}

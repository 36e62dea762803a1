/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.read_timeline. */
#include "server/store/timeline.h"

#include "common/parse.h"
#include "server/store/row.h"

#include <string.h>

#define ID_NUMBERS 3

bool timeline_id_valid(const char *text)
{
    int64_t number;
    size_t len;

    if (strlen(text) >= TIMELINE_ID_SIZE)
        return false;
    for (int i = 0; i < ID_NUMBERS; i++) {
        len = strspn(text, "0123456789");
        if (len == 0 || !parse_digits(text, len, &number))
            return false;
        text += len;
        if (*text != (i < ID_NUMBERS - 1 ? '.' : '\0'))
            return false;
        text++;
    }
    return true;
}

int timeline_store_read(struct db *db, const struct timeline_query *query,
                        struct timeline_row *ret_row, struct err *err)
{
    static const struct db_statement read = {
        .name = "read_timeline",
        .sql = "SELECT lines, last_id, more, ended, waits FROM api.read_timeline($1, $2, $3, $4)",
        .params = 4,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(query->job), db_text(query->after),
                                      db_int(query->limit), db_text(query->waits)};
    struct timeline_row row = {.found = false};

    if (db_query(db, &read, params, &row.rows, err) < 0)
        return -1;
    row.found = db_rows_count(&row.rows) > 0;
    if (row.found) {
        row.lines = db_rows_text(&row.rows, 0, 0);
        row.last_id = row_text_or_null(&row.rows, 1);
        row.more = db_rows_bool(&row.rows, 0, 2);
        row.ended = db_rows_bool(&row.rows, 0, 3);
        row.waits = row_text_or_null(&row.rows, 4);
    }
    *ret_row = row;
    return 0;
}

void timeline_row_done(struct timeline_row *row)
{
    db_rows_done(&row->rows);
}

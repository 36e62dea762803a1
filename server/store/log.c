/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_log, api.list_log_phases and api.read_log. */
#include "server/store/log.h"

#include "common/cleanup.h"
#include "server/store/row.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define READ_BYTES ((int64_t)256 << 10)
/* More than SQL may count for a fragment beside its bytes, to know that it did not stop early. */
#define FRAGMENT_OVERHEAD 1024

int log_store_post(struct db *db, const char *id, const struct poster *by,
                   const struct log_fragment *fragment, struct err *err)
{
    static const struct db_statement post = {
        .name = "post_log",
        .sql = "SELECT api.post_log($1, $2, $3, $4, $5, $6, $7, $8)",
        .params = 8,
        .repeatable = true, /* the same fragment again is stored once */
    };
    const struct db_param params[] = {
        db_text(id),
        db_text(by->agent),
        db_text(by->token),
        db_text(fragment->type),
        db_text(fragment->phase),
        db_int(fragment->number),
        db_text(fragment->at),
        db_bytes(fragment->data, fragment->len),
    };

    return db_run(db, &post, params, err);
}

int log_store_phases(struct db *db, const char *id, const char *type, struct log_phases *phases,
                     struct err *err)
{
    static const struct db_statement list = {
        .name = "list_log_phases",
        .sql = "SELECT phase, last_number, attempt FROM api.list_log_phases($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(id), db_text(type), row_attempt(phases->attempt)};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &list, params, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PHASE_COUNT; i++)
        phases->last[i] = -1;
    for (int row = 0; row < db_rows_count(&rows); row++) {
        int phase = phase_from_name(db_rows_text(&rows, row, 0));

        if (phase >= 0)
            phases->last[phase] = db_rows_int(&rows, row, 1);
        phases->attempt = db_rows_int(&rows, row, 2);
    }
    return 0;
}

void log_cursor_init(struct log_cursor *cursor, const char *id, const char *type, const char *phase)
{
    *cursor = (struct log_cursor){.phase = phase, .number = -1, .attempt = ATTEMPT_NEWEST};
    (void)snprintf(cursor->id, sizeof(cursor->id), "%s", id);
    (void)snprintf(cursor->type, sizeof(cursor->type), "%s", type);
}

void log_cursor_done(struct log_cursor *cursor)
{
    if (cursor->open)
        db_rows_done(&cursor->rows);
    cursor->open = false;
}

static int64_t binary_int(const struct db_rows *rows, int row, int column)
{
    uint64_t value = 0;
    size_t len;
    const void *bytes = db_rows_bytes(rows, row, column, &len);

    assert(len == sizeof(value)); /* api.read_log says bigint */
    memcpy(&value, bytes, sizeof(value));
    return (int64_t)be64toh(value);
}

static int read_more(struct log_cursor *cursor, struct db *db, struct err *err)
{
    static const struct db_statement read = {
        .name = "read_log",
        .sql = "SELECT number, seq, data FROM api.read_log($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        .params = 9,
        .repeatable = true,
    };
    const struct db_param params[] = {
        db_text(cursor->id),         db_text(cursor->type),      db_text(cursor->phase),
        db_int(cursor->from_number), db_text(cursor->from_time), db_int(cursor->number),
        db_int(cursor->seq),         db_int(READ_BYTES),         row_attempt(cursor->attempt),
    };

    size_t bytes = 0, len;

    log_cursor_done(cursor);
    if (db_query_binary(db, &read, params, &cursor->rows, err) < 0)
        return -1;
    cursor->open = true;
    for (int row = 0; row < db_rows_count(&cursor->rows); row++) {
        (void)db_rows_bytes(&cursor->rows, row, 2, &len);
        bytes += len + FRAGMENT_OVERHEAD;
    }
    cursor->exhausted = bytes < (size_t)READ_BYTES;
    return 0;
}

/* Moves to the next fragment.  Returns 1, or 0 at the end. */
static int next_fragment(struct log_cursor *cursor, struct db *db, struct err *err)
{
    cursor->row++;
    cursor->offset = 0;
    if (!cursor->open || cursor->row >= db_rows_count(&cursor->rows)) {
        if (cursor->exhausted)
            return 0;
        if (read_more(cursor, db, err) < 0)
            return -1;
        cursor->row = 0;
        if (db_rows_count(&cursor->rows) == 0)
            return 0;
    }
    cursor->number = binary_int(&cursor->rows, cursor->row, 0);
    cursor->seq = binary_int(&cursor->rows, cursor->row, 1);
    return 1;
}

/* Fragments are whole texts, so a cut inside one only has to step back to a character's start. */
static size_t cut_at_character(const char *text, size_t len, size_t max)
{
    size_t cut = len <= max ? len : max;

    if (cut < len)
        for (int i = 0; i < 3 && cut > 1 && ((unsigned char)text[cut] & 0xC0) == 0x80; i++)
            cut--;
    return cut;
}

int log_cursor_next(struct log_cursor *cursor, struct db *db, size_t max, const char **ret_text,
                    size_t *ret_len, struct err *err)
{
    const char *data;
    size_t len;
    int rc;

    for (;;) {
        if (cursor->open && cursor->row < db_rows_count(&cursor->rows)) {
            data = db_rows_bytes(&cursor->rows, cursor->row, 2, &len);
            if (cursor->offset < len)
                break;
        }
        rc = next_fragment(cursor, db, err);
        if (rc <= 0)
            return rc;
    }
    *ret_text = data + cursor->offset;
    *ret_len = cut_at_character(*ret_text, len - cursor->offset, max);
    cursor->offset += *ret_len;
    return 1;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_logs. */
#include "server/store/log.h"

#include "common/cleanup.h"
#include "server/store/list.h"

/* Of the fragments in one call: a connection is not kept after a message of 1 MiB. */
#define TOGETHER_BYTES ((size_t)512 << 10)
#define FRAGMENT_MAX   ((size_t)64 << 10) /* a longer one is cut into several rows */

/* The parameters that have an element for each fragment, in their order. */
enum { IDS, AGENTS, TOKENS, TYPES, PHASES, NUMBERS, TIMES, STARTS, LENGTHS, COLUMNS };

static void add_post(struct buf columns[static COLUMNS], struct buf *data,
                     const struct log_post *post)
{
    const struct log_fragment *fragment = &post->fragment;

    list_add(&columns[IDS], post->id);
    list_add(&columns[AGENTS], post->by.agent);
    list_add(&columns[TOKENS], post->by.token);
    list_add(&columns[TYPES], fragment->type);
    list_add(&columns[PHASES], fragment->phase);
    list_add_int(&columns[NUMBERS], fragment->number);
    list_add(&columns[TIMES], fragment->at);
    list_add_int(&columns[STARTS], (int64_t)data->len + 1);
    list_add_int(&columns[LENGTHS], (int64_t)fragment->len);
    (void)buf_add(data, fragment->data, fragment->len);
}

static int end_columns(struct buf columns[static COLUMNS], const struct buf *data)
{
    for (int i = 0; i < COLUMNS; i++)
        if (list_end(&columns[i]) < 0)
            return -1;
    return buf_failed(data) ? -1 : 0;
}

static int call(struct db *db, const struct buf columns[static COLUMNS], const struct buf *data,
                struct db_rows *ret_rows, struct err *err)
{
    static const struct db_statement post = {
        .name = "post_logs",
        .sql = "SELECT request FROM api.post_logs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        .params = COLUMNS + 1,
        .repeatable = true, /* the same fragment again is stored once */
    };
    struct db_param params[COLUMNS + 1];

    for (int i = 0; i < COLUMNS; i++)
        params[i] = db_text(buf_text(&columns[i]));
    params[COLUMNS] = db_bytes(buf_text(data), data->len);
    return db_query(db, &post, params, ret_rows, err);
}

static int post_some(struct db *db, const struct log_post *posts, size_t count,
                     struct db_rows *ret_rows, struct err *err)
{
    struct buf columns[COLUMNS];
    struct buf data = BUF_INIT(TOGETHER_BYTES + FRAGMENT_MAX);
    int rc;

    for (int i = 0; i < COLUMNS; i++)
        buf_init(&columns[i], LIST_TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        add_post(columns, &data, &posts[i]);
    if (end_columns(columns, &data) < 0)
        rc = err_set(err, ERR_INTERNAL, "fragments are too large");
    else
        rc = call(db, columns, &data, ret_rows, err);
    for (int i = 0; i < COLUMNS; i++)
        buf_done(&columns[i]);
    buf_done(&data);
    return rc;
}

/* Without the database each fails as it would have by itself; by anything else, whoever's fault it
 * is, it does not fail the others. */
static void fail(struct log_post *posts, size_t count, const struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (err->code == ERR_UNAVAILABLE)
            *posts[i].err = *err;
        else
            posts[i].alone = true;
    }
}

static void post_round(struct db *db, struct log_post *posts, size_t count)
{
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct err err = ERR_INIT;

    if (post_some(db, posts, count, &rows, &err) < 0) {
        fail(posts, count, &err);
        return;
    }
    for (int row = 0; row < db_rows_count(&rows); row++) {
        int64_t request = db_rows_int(&rows, row, 0);

        if (request >= 0 && request < (int64_t)count)
            posts[request].alone = true;
    }
}

/* As many of the first ones as go into one call; 0: the first is too large for any. */
static size_t measure(const struct log_post *posts, size_t count)
{
    size_t bytes = 0, n = 0;

    for (; n < count && posts[n].fragment.len <= FRAGMENT_MAX && bytes < TOGETHER_BYTES; n++)
        bytes += posts[n].fragment.len;
    return n;
}

void log_store_post_all(struct db *db, struct log_post *posts, size_t count)
{
    while (count > 0) {
        size_t n = measure(posts, count);

        if (n > 0)
            post_round(db, posts, n);
        else
            posts[n++].alone = true;
        posts += n;
        count -= n;
    }
}

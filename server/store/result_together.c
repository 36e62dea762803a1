/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.post_results. */
#include "server/store/result.h"

#include "common/cleanup.h"
#include "server/store/list.h"

#include <assert.h>
#include <string.h>

#define POSTS_MAX 256
/* Of the texts in one call, which may be twice as many bytes in it: a connection is not kept after
 * a message of 1 MiB. */
#define TOGETHER_BYTES ((size_t)256 << 10)

/* The parameters that have an element for each post, in their order. */
enum { IDS, AGENTS, TOKENS, STATUSES, DEVICE_INFOS, JOB_STATES, STOPPED, COLUMNS };

/* Of the result. */
enum { REQUEST, QUEUE, ALONE };

/* Posts in the order in which they came: those that are still to be made, or those of one call. */
struct posts {
    struct result_post *posts[POSTS_MAX];
    size_t count;
};

static void add_post(struct buf columns[static COLUMNS], const struct result_post *post)
{
    list_add(&columns[IDS], post->id);
    list_add(&columns[AGENTS], post->by.agent);
    list_add(&columns[TOKENS], post->by.token);
    list_add(&columns[STATUSES], post->what.status);
    list_add(&columns[DEVICE_INFOS], post->what.device_info);
    list_add(&columns[JOB_STATES], post->what.job_state);
    list_add(&columns[STOPPED], post->what.stopped);
}

static int call(struct db *db, const struct posts *round, struct buf columns[static COLUMNS],
                struct db_rows *ret_rows, struct err *err)
{
    static const struct db_statement statement = {
        .name = "post_results",
        .sql = "SELECT request, queue, alone FROM api.post_results($1, $2, $3, $4, $5, $6, $7)",
        .params = COLUMNS,
        .repeatable = true,
    };
    struct db_param params[COLUMNS];

    for (size_t i = 0; i < round->count; i++)
        add_post(columns, round->posts[i]);
    for (int i = 0; i < COLUMNS; i++) {
        if (list_end(&columns[i]) < 0)
            return err_set(err, ERR_INTERNAL, "results are too large");
        params[i] = db_text(buf_text(&columns[i]));
    }
    return db_query(db, &statement, params, ret_rows, err);
}

static int post_round(struct db *db, const struct posts *round, struct db_rows *ret_rows,
                      struct err *err)
{
    struct buf columns[COLUMNS];
    int rc;

    for (int i = 0; i < COLUMNS; i++)
        buf_init(&columns[i], LIST_TEXT_MAX);
    rc = call(db, round, columns, ret_rows, err);
    for (int i = 0; i < COLUMNS; i++)
        buf_done(&columns[i]);
    return rc;
}

static void read_answer(const struct db_rows *rows, int row, struct result_post *post)
{
    post->alone = db_rows_bool(rows, row, ALONE);
    if (buf_adds(post->queue, db_rows_text(rows, row, QUEUE)) < 0)
        (void)err_set(post->err, ERR_INTERNAL, "answer of the database is too large");
}

/* Without the database each fails as it would have by itself; by anything else, whoever's fault it
 * is, it does not fail the others. */
static void fail(const struct posts *round, const struct err *err)
{
    for (size_t i = 0; i < round->count; i++) {
        if (err->code == ERR_UNAVAILABLE)
            *round->posts[i]->err = *err;
        else
            round->posts[i]->alone = true;
    }
}

static void make(struct db *db, const struct posts *round)
{
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct err err = ERR_INIT;

    if (post_round(db, round, &rows, &err) < 0) {
        fail(round, &err);
        return;
    }
    for (int row = 0; row < db_rows_count(&rows); row++) {
        int64_t request = db_rows_int(&rows, row, REQUEST);

        if (request >= 0 && (size_t)request < round->count)
            read_answer(&rows, row, round->posts[request]);
    }
}

static bool has_job(const struct posts *posts, const char *id)
{
    for (size_t i = 0; i < posts->count; i++)
        if (strcmp(posts->posts[i]->id, id) == 0)
            return true;
    return false;
}

static size_t bytes_of(const struct posted_result *what)
{
    const char *const texts[] = {what->status, what->device_info, what->job_state, what->stopped};
    size_t bytes = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        bytes += texts[i] ? strlen(texts[i]) : 0;
    return bytes;
}

/* Moves from those that are open what goes into one call: of each job the first, so that its posts
 * keep their order. */
static void choose(struct posts *open, struct posts *round)
{
    struct posts left = {.count = 0};
    size_t bytes = 0;

    round->count = 0;
    for (size_t i = 0; i < open->count; i++) {
        struct result_post *post = open->posts[i];

        if (bytes < TOGETHER_BYTES && !has_job(&left, post->id) && !has_job(round, post->id)) {
            round->posts[round->count++] = post;
            bytes += bytes_of(&post->what);
        } else {
            left.posts[left.count++] = post;
        }
    }
    *open = left;
}

void result_store_post_all(struct db *db, struct result_post *posts, size_t count)
{
    struct posts open = {.count = count}, round;

    assert(count <= POSTS_MAX);
    for (size_t i = 0; i < count; i++)
        open.posts[i] = &posts[i];
    while (open.count > 0) {
        choose(&open, &round);
        make(db, &round);
    }
}

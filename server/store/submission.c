/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.submit_jobs, and api.submit_job for what has to be made alone. */
#include "server/store/submission.h"

#include "common/cleanup.h"
#include "server/db/db.h"
#include "server/store/list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TEXTS_MAX ((size_t)80 << 20) /* one of the largest, or many small ones */
#define KNOWN     "55P03"            /* its key or its id: to be made alone */

/* Of the result. */
enum { REQUEST, JOB_ID, FAILURE, WHY };

static void read_answer(const struct db_rows *rows, int row, struct submission *submission)
{
    if (db_rows_null(rows, row, FAILURE))
        (void)snprintf(submission->job, sizeof(submission->job), "%s",
                       db_rows_text(rows, row, JOB_ID));
    else if (strcmp(db_rows_text(rows, row, FAILURE), KNOWN) != 0)
        (void)db_failure(db_rows_text(rows, row, FAILURE), db_rows_text(rows, row, WHY),
                         submission->err);
}

static int write_texts(const struct submission *submissions, size_t count, struct buf *definitions,
                       struct buf *facts)
{
    list_begin_binary(definitions, count);
    for (size_t i = 0; i < count; i++) {
        if (list_add_binary(definitions, &submissions[i].definition) < 0)
            return -1;
        (void)buf_addc(facts, i == 0 ? '[' : ',');
        (void)buf_add(facts, buf_text(&submissions[i].facts), submissions[i].facts.len);
    }
    return buf_addc(facts, ']');
}

static int make_together(struct db *db, struct submission *submissions, size_t count,
                         struct err *err)
{
    /* The ids are in the facts: sent twice, they are the same jobs and no others. */
    static const struct db_statement submit = {
        .name = "submit_jobs",
        .sql = "SELECT request, job_id, failure, why FROM api.submit_jobs($1, $2)",
        .params = 2,
        .repeatable = true,
    };
    AUTO(buf) struct buf definitions = BUF_INIT(TEXTS_MAX);
    AUTO(buf) struct buf facts = BUF_INIT(TEXTS_MAX);
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct db_param params[2];

    if (write_texts(submissions, count, &definitions, &facts) < 0)
        return err_set(err, ERR_TOO_LARGE, "job is too large");
    params[0] = db_bytes(buf_text(&definitions), definitions.len);
    params[1] = db_text(buf_text(&facts));
    if (db_query(db, &submit, params, &rows, err) < 0)
        return -1;
    for (int row = 0; row < db_rows_count(&rows); row++) {
        int64_t request = db_rows_int(&rows, row, REQUEST);

        if (request >= 0 && request < (int64_t)count)
            read_answer(&rows, row, &submissions[request]);
    }
    return 0;
}

static int make_alone(struct db *db, struct submission *submission)
{
    static const struct db_statement submit = {
        .name = "submit_job",
        .sql = "SELECT job_id FROM api.submit_job($1, $2)",
        .params = 2,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(buf_text(&submission->definition)),
                                      db_text(buf_text(&submission->facts))};
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &submit, params, &rows, submission->err) < 0)
        return -1;
    if (db_rows_count(&rows) != 1)
        return err_set(submission->err, ERR_INTERNAL, "submission without an answer");
    (void)snprintf(submission->job, sizeof(submission->job), "%s", db_rows_text(&rows, 0, 0));
    return 0;
}

/* Where one of them would end in a failure of ours none is made, and each is tried by itself. While
 * the database cannot be used that would take long: none is tried after that. */
void submission_store_make(struct db *db, struct submission *submissions, size_t count)
{
    struct err err = ERR_INIT;

    assert(count <= SUBMISSIONS_MAX);
    if (count > 1)
        (void)make_together(db, submissions, count, &err);
    for (size_t i = 0; i < count; i++) {
        struct submission *submission = &submissions[i];

        if (submission->job[0] || submission->err->code)
            continue;
        if (err.code == ERR_UNAVAILABLE)
            *submission->err = err;
        else if (make_alone(db, submission) < 0)
            err = *submission->err;
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.claim_jobs and its like. */
#include "server/store/claim.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "server/db/db.h"
#include "server/store/list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* The names of queues are quoted twice. */
#define QUEUES_TEXT_MAX ((size_t)8 << 20)

/* Of the result. */
enum { REQUEST, JOB_ID, BODY, SECRETS, SEEN, CHANGED, BUSY, OTHERS, SLOW };

/* Those of a batch that are still to be made. */
struct open_claims {
    struct claim *claims[CLAIMS_MAX];
    size_t count;
};

/* The columns of a claim: JOB_ID, BODY and SECRETS. */
static void read_job(const struct db_rows *rows, int row, struct claim *claim)
{
    claim->found = true;
    (void)snprintf(claim->job, sizeof(claim->job), "%s", db_rows_text(rows, row, JOB_ID));
    if (buf_adds(claim->body, db_rows_text(rows, row, BODY)) < 0 ||
        buf_adds(&claim->secrets, db_rows_text(rows, row, SECRETS)) < 0)
        (void)err_set(claim->err, ERR_INTERNAL, "answer of the database is too large");
}

static void read_answer(const struct db_rows *rows, int row, struct claim *claim)
{
    claim->changed = db_rows_bool(rows, row, CHANGED);
    claim->busy = db_rows_bool(rows, row, BUSY);
    claim->others = db_rows_bool(rows, row, OTHERS);
    claim->slow = db_rows_bool(rows, row, SLOW);
    if (!db_rows_null(rows, row, SEEN))
        (void)snprintf(claim->seen, sizeof(claim->seen), "%s", db_rows_text(rows, row, SEEN));
    if (!db_rows_null(rows, row, JOB_ID))
        read_job(rows, row, claim);
}

static void read_rows(const struct db_rows *rows, const struct open_claims *open,
                      void (*read)(const struct db_rows *rows, int row, struct claim *claim))
{
    for (int row = 0; row < db_rows_count(rows); row++) {
        int64_t request = db_rows_int(rows, row, REQUEST);

        if (request >= 0 && (size_t)request < open->count)
            read(rows, row, open->claims[request]);
    }
}

/* The parameters that have an element for each claim, in their order. */
enum { AGENTS, TOKENS, LEASES, BOOTS, LISTS, SEENS, COLUMNS };

static void add_number(struct buf *list, int64_t number)
{
    (void)buf_addf(list, "%c%" PRId64, list->len == 0 ? '{' : ',', number);
}

static void add_claim(struct buf columns[static COLUMNS], const struct claim *claim)
{
    list_add(&columns[AGENTS], claim->agent);
    list_add(&columns[TOKENS], claim->token);
    if (claim->lease_s)
        add_number(&columns[LEASES], claim->lease_s);
    else
        list_add(&columns[LEASES], NULL);
    list_add(&columns[BOOTS], claim->boot);
    add_number(&columns[LISTS], (int64_t)claim->list + 1);
    list_add(&columns[SEENS], claim->waits ? claim->seen : NULL);
}

static int write_columns(const struct open_claims *open, struct buf columns[static COLUMNS])
{
    for (size_t i = 0; i < open->count; i++)
        add_claim(columns, open->claims[i]);
    for (int i = 0; i < COLUMNS; i++)
        if (list_end(&columns[i]) < 0)
            return -1;
    return 0;
}

static int write_queues(const struct claim_batch *batch, struct buf *lists)
{
    AUTO(buf) struct buf list = BUF_INIT(QUEUES_TEXT_MAX);

    for (size_t i = 0; i < batch->list_count; i++) {
        buf_clear(&list);
        for (size_t n = 0; n < batch->lists[i].count; n++)
            list_add(&list, batch->lists[i].queues[n]);
        if (list_end(&list) < 0)
            return -1;
        list_add(lists, buf_text(&list));
    }
    return list_end(lists);
}

static bool nobody_waits(const struct open_claims *open)
{
    for (size_t i = 0; i < open->count; i++)
        if (open->claims[i]->waits)
            return false;
    return true;
}

static int call(struct db *db, const struct claim_batch *batch, const struct open_claims *open,
                const struct buf columns[static COLUMNS], const struct buf *queues, struct err *err)
{
    static const struct db_statement statement = {
        .name = "claim_jobs",
        .sql = "SELECT request, job_id, body, secrets, seen, changed, busy, others, slow"
               " FROM api.claim_jobs($1, $2, $3, $4, $5, $6, $7, $8)",
        .params = 8,
    };
    const struct db_param params[] = {
        db_text(buf_text(&columns[AGENTS])),
        db_text(buf_text(&columns[TOKENS])),
        db_text(buf_text(&columns[LEASES])),
        db_text(buf_text(&columns[BOOTS])),
        db_text(buf_text(&columns[LISTS])),
        db_text(buf_text(queues)),
        nobody_waits(open) ? db_null() : db_text(buf_text(&columns[SEENS])),
        db_bool(batch->patient),
    };
    AUTO(db_rows) struct db_rows rows = {.result = NULL};

    if (db_query(db, &statement, params, &rows, err) < 0)
        return -1;
    read_rows(&rows, open, read_answer);
    return 0;
}

static int take(struct db *db, const struct claim_batch *batch, const struct open_claims *open,
                struct err *err)
{
    struct buf columns[COLUMNS];
    struct buf queues = BUF_INIT(QUEUES_TEXT_MAX);
    int rc;

    for (int i = 0; i < COLUMNS; i++)
        buf_init(&columns[i], LIST_TEXT_MAX);
    if (write_columns(open, columns) < 0 || write_queues(batch, &queues) < 0)
        rc = err_set(err, ERR_TOO_LARGE, "too many queues");
    else
        rc = call(db, batch, open, columns, &queues, err);
    for (int i = 0; i < COLUMNS; i++)
        buf_done(&columns[i]);
    buf_done(&queues);
    return rc;
}

/* After a call whose outcome is unknown: what was committed all the same is not open any more. */
static int find_committed(struct db *db, struct open_claims *open)
{
    static const struct db_statement find = {
        .name = "claims_of",
        .sql = "SELECT request, job_id, body, secrets FROM api.claims_of($1)",
        .params = 1,
        .repeatable = true,
    };
    AUTO(buf) struct buf tokens = BUF_INIT(LIST_TEXT_MAX);
    AUTO(db_rows) struct db_rows rows = {.result = NULL};
    struct db_param param;
    size_t left = 0;

    for (size_t i = 0; i < open->count; i++)
        list_add(&tokens, open->claims[i]->token);
    if (list_end(&tokens) < 0)
        return -1;
    param = db_text(buf_text(&tokens));
    if (db_query(db, &find, &param, &rows, NULL) < 0)
        return -1;
    read_rows(&rows, open, read_job);
    for (size_t i = 0; i < open->count; i++)
        if (!open->claims[i]->found)
            open->claims[left++] = open->claims[i];
    open->count = left;
    return 0;
}

/* What seemed lost may be committed yet, under the old tokens. */
static int make_tokens(const struct open_claims *open)
{
    for (size_t i = 0; i < open->count; i++)
        if (uuid_make(clock_us(&clock_system), open->claims[i]->token, NULL) < 0)
            return -1;
    return 0;
}

void claim_store_take(struct db *db, const struct claim_batch *batch)
{
    struct open_claims open = {.count = batch->count};
    struct err err = ERR_INIT;
    int rc;

    assert(batch->count <= CLAIMS_MAX);
    for (size_t i = 0; i < batch->count; i++)
        open.claims[i] = &batch->claims[i];
    rc = take(db, batch, &open, &err);
    if (rc < 0 && db_outcome_unknown(db) && find_committed(db, &open) == 0) {
        if (open.count == 0)
            return;
        if (make_tokens(&open) == 0)
            rc = take(db, batch, &open, NULL);
    }
    /* Nothing was committed for these, or nobody can tell: their agents ask again. */
    for (size_t i = 0; rc < 0 && i < open.count; i++)
        *open.claims[i]->err = err;
}

int claim_store_return(struct db *db, const char *job, const char *token, int64_t delay_s,
                       struct err *err)
{
    static const struct db_statement give_back = {
        .name = "return_claim",
        .sql = "SELECT returned FROM api.return_claim($1, $2, $3)",
        .params = 3,
        .repeatable = true,
    };
    const struct db_param params[] = {db_text(job), db_text(token), db_int(delay_s)};

    return db_run(db, &give_back, params, err);
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Merges two lists that are ordered by version: files and records. */
#include "server/dbadmin/plan.h"

#include "server/db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *refusal; /* NULL: fine */
} states[] = {
    [PLAN_APPLIED] = {"applied", NULL},
    [PLAN_PENDING] = {"pending", NULL},
    [PLAN_CHANGED] = {"changed", "the file was changed after it had been applied"},
    [PLAN_UNKNOWN] = {"unknown", "the database has it and this release does not: it was migrated "
                                 "by a newer release"},
    [PLAN_LATE] = {"late", "it is not applied, but a later one is"},
};

const char *plan_state_name(enum plan_state state)
{
    return states[state].name;
}

void plan_done(struct plan *plan)
{
    free(plan->rows);
    *plan = (struct plan){.rows = NULL};
}

static void add_row(struct plan *plan, const struct migration *migration,
                    const struct db_rows *records, int record)
{
    struct plan_row *row = &plan->rows[plan->count++];
    const char *name = migration ? migration->name : db_rows_text(records, record, 1);

    row->migration = migration;
    (void)snprintf(row->name, sizeof(row->name), "%s", name);
    if (record < 0) {
        bool late = db_rows_count(records) > 0 &&
                    db_rows_int(records, db_rows_count(records) - 1, 0) > migration->version;
        row->version = migration->version;
        row->state = late ? PLAN_LATE : PLAN_PENDING;
        plan->pending++;
        return;
    }
    row->version = (int)db_rows_int(records, record, 0);
    (void)snprintf(row->applied_at, sizeof(row->applied_at), "%s",
                   db_rows_text(records, record, 3));
    if (!migration)
        row->state = PLAN_UNKNOWN;
    else if (strcmp(migration->sha256, db_rows_text(records, record, 2)) != 0 ||
             strcmp(migration->name, db_rows_text(records, record, 1)) != 0)
        row->state = PLAN_CHANGED;
    else
        row->state = PLAN_APPLIED;
}

static int merge(const struct migrations *migrations, const struct db_rows *records,
                 struct plan *ret_plan, struct err *err)
{
    struct plan plan = {.rows = NULL};
    int count = db_rows_count(records);
    size_t file = 0;
    int record = 0;

    plan.rows = calloc(migrations->count + (size_t)count + 1, sizeof(plan.rows[0]));
    if (!plan.rows)
        return err_set(err, ERR_INTERNAL, "out of memory");
    while (file < migrations->count || record < count) {
        const struct migration *next = file < migrations->count ? &migrations->items[file] : NULL;
        int64_t recorded = record < count ? db_rows_int(records, record, 0) : INT64_MAX;

        if (next && next->version < recorded) {
            add_row(&plan, next, records, -1);
            file++;
        } else if (next && next->version == recorded) {
            add_row(&plan, next, records, record++);
            file++;
        } else {
            add_row(&plan, NULL, records, record++);
        }
    }
    *ret_plan = plan;
    return 0;
}

int plan_make(struct db *db, const struct migrations *migrations, struct plan *ret_plan,
              struct err *err)
{
    /* Looked up in the catalogue: who may not use schema tf gets an error from to_regclass(). */
    static const struct db_statement exists = {
        .name = "plan_exists",
        .sql = "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
               " ON n.oid = c.relnamespace WHERE n.nspname = 'tf' AND c.relname = 'migration'",
        .repeatable = true};
    static const struct db_statement recorded = {
        .name = "plan_recorded",
        .sql = "SELECT version, name, sha256, to_char(applied_at AT TIME ZONE 'UTC',"
               " 'YYYY-MM-DD HH24:MI:SS\"Z\"') FROM tf.migration ORDER BY version",
        .repeatable = true};
    static const struct db_statement nothing = {
        .name = "plan_nothing", .sql = "SELECT 0, '', '', '' WHERE false", .repeatable = true};
    struct db_rows rows;
    bool there;
    int rc;

    if (db_query(db, &exists, NULL, &rows, err) < 0)
        return -1;
    there = db_rows_int(&rows, 0, 0) > 0;
    db_rows_done(&rows);
    if (db_query(db, there ? &recorded : &nothing, NULL, &rows, err) < 0)
        return -1;
    rc = merge(migrations, &rows, ret_plan, err);
    db_rows_done(&rows);
    return rc;
}

int plan_check(const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_row *row = &plan->rows[i];

        if (states[row->state].refusal)
            return err_set(err, ERR_CONFLICT, "migration \"%s\": %s", row->name,
                           states[row->state].refusal);
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin status: what is applied, what is not, and what does not fit. */
#include "server/dbadmin/commands.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "server/db/session.h"
#include "server/dbadmin/install.h"
#include "server/dbadmin/migrations.h"
#include "server/dbadmin/plan.h"

#include <stdio.h>
#include <string.h>

#define STATUS_TO_DO 2

static void print_plan(const struct plan *plan)
{
    (void)printf("%-8s %-40s %-8s %s\n", "VERSION", "MIGRATION", "STATE", "APPLIED");
    for (size_t i = 0; i < plan->count; i++)
        (void)printf("%04d     %-40s %-8s %s\n", plan->rows[i].version, plan->rows[i].name,
                     plan_state_name(plan->rows[i].state), plan->rows[i].applied_at);
}

/* The table comes with the first migration. */
static int print_schema(struct db *db, struct err *err)
{
    static const struct db_statement range = {
        .name = "status_range",
        .sql = "SELECT version, oldest_server FROM tf.schema_version",
        .repeatable = true};
    struct db_rows rows;

    if (db_query(db, &range, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < db_rows_count(&rows); i++)
        (void)printf("schema version %lld, works with servers from %lld\n",
                     (long long)db_rows_int(&rows, i, 0), (long long)db_rows_int(&rows, i, 1));
    db_rows_done(&rows);
    return 0;
}

static int report(struct db *db, const struct plan *plan, const char *wanted, struct err *err)
{
    char installed[DIGEST_HEX_SIZE];
    bool same;

    if (install_installed(db, installed, err) < 0)
        return -1;
    same = strcmp(installed, wanted) == 0;
    print_plan(plan);
    if (plan->pending < plan->count && print_schema(db, err) < 0)
        return -1;
    (void)printf("functions: %s\n", same           ? "of this release"
                                    : installed[0] ? "of another release"
                                                   : "not installed");
    (void)fflush(stdout);
    if (plan_check(plan, err) < 0)
        return -1;
    return plan->pending > 0 || !same ? STATUS_TO_DO : 0;
}

int status_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    AUTO_FREE char *path = fs_join(argument_value(arguments, ARG_SQL), "install.sql");
    struct migrations migrations = {NULL, 0};
    struct install install = {.pieces = NULL};
    struct plan plan = {.rows = NULL};
    int rc;

    if (!path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    rc = migrations_read(argument_value(arguments, ARG_MIGRATIONS), &migrations, err);
    if (rc == 0)
        rc = install_read(path, &install, err);
    if (rc == 0)
        rc = plan_make(db, &migrations, &plan, err);
    if (rc == 0)
        rc = report(db, &plan, install.sha256, err);
    plan_done(&plan);
    install_done(&install);
    migrations_done(&migrations);
    return rc;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin migrate: bootstrap, the pending migrations, then the functions.
 *
 * A session advisory lock is held from the first look to the end, so two runs never mix.  Tables
 * and functions are made by the role testflinger_owner, roles by whoever logs in. */
#include "server/dbadmin/commands.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "server/db/session.h"
#include "server/dbadmin/install.h"
#include "server/dbadmin/migrations.h"
#include "server/dbadmin/plan.h"
#include "server/dbadmin/transaction.h"

#include <stdio.h>
#include <string.h>

struct release {
    struct migrations migrations;
    struct install install;
    struct buf bootstrap;
};

static void release_done(struct release *release)
{
    migrations_done(&release->migrations);
    install_done(&release->install);
    buf_done(&release->bootstrap);
}

/* *release is zeroed; what was read is freed by release_done() in any case. */
static int release_read(struct release *release, const struct arguments *arguments, struct err *err)
{
    const char *sql = argument_value(arguments, ARG_SQL);
    AUTO_FREE char *bootstrap = fs_join(sql, "bootstrap.sql");
    AUTO_FREE char *install = fs_join(sql, "install.sql");

    buf_init(&release->bootstrap, SQL_FILE_MAX);
    if (!bootstrap || !install)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (migrations_read(argument_value(arguments, ARG_MIGRATIONS), &release->migrations, err) < 0)
        return -1;
    if (fs_read(bootstrap, &release->bootstrap, err) < 0)
        return -1;
    return install_read(install, &release->install, err);
}

/* The lock is the session's: it ends with the connection, whatever happens to us. */
static int lock(struct db *db, struct err *err)
{
    if (db_script(db,
                  "SET lock_timeout = '60s'; SELECT pg_advisory_lock(5499281736451); "
                  "RESET lock_timeout",
                  err) == 0)
        return 0;
    if (strcmp(db_sqlstate(db), "55P03") == 0)
        return err_set(err, ERR_CONFLICT, "another migration has been running for 60 s");
    return -1;
}

static int record_body(struct db *db, const void *context, struct err *err)
{
    static const struct db_statement record = {
        .name = "migrate_record",
        .sql = "INSERT INTO tf.migration (version, name, sha256) VALUES ($1::int, $2, $3)",
        .params = 3};
    const struct migration *migration = context;
    const struct db_param params[] = {db_int(migration->version), db_text(migration->name),
                                      db_text(migration->sha256)};

    return db_run(db, &record, params, err);
}

static int apply_body(struct db *db, const void *context, struct err *err)
{
    const struct migration *migration = context;

    if (db_script(db, migration->text, err) < 0)
        return -1;
    return record_body(db, migration, err);
}

/* A CREATE INDEX CONCURRENTLY that failed leaves an invalid index behind, which IF NOT EXISTS
 * would take for the real one.  The server writes the statement, so the name is quoted. */
static int drop_invalid_index(struct db *db, bool *ret_dropped, struct err *err)
{
    static const struct db_statement invalid = {
        .name = "migrate_invalid",
        .sql = "SELECT format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)"
               " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
               " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
               " WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname = 'tf' LIMIT 1"};
    struct db_rows rows;
    int rc = 0;

    if (db_query(db, &invalid, NULL, &rows, err) < 0)
        return -1;
    *ret_dropped = db_rows_count(&rows) > 0;
    if (*ret_dropped)
        rc = db_script(db, db_rows_text(&rows, 0, 0), err);
    db_rows_done(&rows);
    return rc;
}

static int apply_without_transaction(struct db *db, const struct migration *migration,
                                     struct err *err)
{
    bool again = true;

    while (again)
        if (drop_invalid_index(db, &again, err) < 0)
            return -1;
    if (db_script(db, migration->text, err) < 0)
        return -1;
    return transaction_run(db, record_body, migration, err);
}

static int apply(struct db *db, const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct migration *migration = plan->rows[i].migration;
        int rc;

        if (plan->rows[i].state != PLAN_PENDING)
            continue;
        rc = migration->transactional ? transaction_run(db, apply_body, migration, err)
                                      : apply_without_transaction(db, migration, err);
        if (rc < 0)
            return err_prefix(err, "migration \"%s\" failed", migration->name);
        (void)printf("applied %s\n", migration->name);
        (void)fflush(stdout); /* the next one may take long */
    }
    return 0;
}

static int install_body(struct db *db, const void *context, struct err *err)
{
    return install_run(context, db, err);
}

static int install(struct db *db, const struct release *release, bool always, struct err *err)
{
    char installed[DIGEST_HEX_SIZE];

    if (install_installed(db, installed, err) < 0)
        return -1;
    if (!always && strcmp(installed, release->install.sha256) == 0)
        return 0;
    if (transaction_run(db, install_body, &release->install, err) < 0)
        return err_prefix(err, "the functions could not be installed");
    (void)printf("installed the functions\n");
    return 0;
}

/* Parameters of the server's statements hold secrets, so PostgreSQL's log must not show them; only
 * a superuser may set that. */
static int grant_login(struct db *db, const char *login, struct err *err)
{
    static const struct db_statement grant = {
        .name = "migrate_grant",
        .sql = "SELECT format('GRANT testflinger_server TO %I', $1::text) || CASE"
               " WHEN rolsuper THEN format('; ALTER ROLE %I SET log_parameter_max_length = 0',"
               " $1::text) ELSE '' END FROM pg_catalog.pg_roles WHERE rolname = current_user",
        .params = 1};
    struct db_rows rows;
    int rc;

    if (db_script(db, "RESET ROLE", err) < 0 ||
        db_query(db, &grant, (struct db_param[]){db_text(login)}, &rows, err) < 0)
        return -1;
    rc = db_script(db, db_rows_text(&rows, 0, 0), err);
    db_rows_done(&rows);
    if (rc < 0)
        return err_prefix(err, "role \"%s\" could not be made the server's", login);
    (void)printf("role \"%s\" may act as the server\n", login);
    return 0;
}

static int migrate(struct db *db, const struct release *release, const struct arguments *arguments,
                   struct err *err)
{
    const char *login = argument_value(arguments, ARG_SERVER_LOGIN);
    struct plan plan = {.rows = NULL};
    int rc;

    if (plan_make(db, &release->migrations, &plan, err) < 0)
        return -1;
    rc = plan_check(&plan, err);
    if (rc == 0)
        rc = apply(db, &plan, err);
    if (rc == 0)
        rc =
            install(db, release, plan.pending > 0 || argument_given(arguments, ARG_REINSTALL), err);
    if (rc == 0 && login)
        rc = grant_login(db, login, err);
    if (rc == 0)
        (void)printf("the database is at version %04d\n", plan.rows[plan.count - 1].version);
    plan_done(&plan);
    return rc;
}

static int dry_run(struct db *db, const struct release *release, bool reinstall, struct err *err)
{
    char installed[DIGEST_HEX_SIZE];
    struct plan plan = {.rows = NULL};
    int rc;

    if (install_installed(db, installed, err) < 0 ||
        plan_make(db, &release->migrations, &plan, err) < 0)
        return -1;
    rc = plan_check(&plan, err);
    for (size_t i = 0; rc == 0 && i < plan.count; i++)
        if (plan.rows[i].state == PLAN_PENDING)
            (void)printf("would apply %s\n", plan.rows[i].name);
    if (rc == 0 &&
        (reinstall || plan.pending > 0 || strcmp(installed, release->install.sha256) != 0))
        (void)printf("would install the functions\n");
    plan_done(&plan);
    return rc;
}

int migrate_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    struct release release = {.bootstrap = BUF_INIT(0)};
    int rc = release_read(&release, arguments, err);

    if (rc == 0)
        rc = db_hold(db, err);
    if (rc == 0 && argument_given(arguments, ARG_DRY_RUN)) {
        rc = dry_run(db, &release, argument_given(arguments, ARG_REINSTALL), err);
    } else if (rc == 0) {
        rc = lock(db, err);
        if (rc == 0 && db_script(db, buf_text(&release.bootstrap), err) < 0)
            rc = err_prefix(err, "bootstrap.sql failed");
        if (rc == 0)
            rc = db_script(db, "SET ROLE testflinger_owner", err);
        if (rc == 0)
            rc = migrate(db, &release, arguments, err);
    }
    release_done(&release);
    return rc;
}

/* SPDX-License-Identifier: GPL-3.0-or-later
 * Statements against a real server.  TESTFLINGER_TEST_DB names an empty database of a private
 * cluster, to be opened as superuser; without it the test is skipped. */
#include "server/db/db.h"
#include "server/db/session.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRIES_MAX 100000

struct fixture {
    struct db *db;    /* under test */
    struct db *other; /* does things to it from outside */
};

static struct db *make(bool prepare)
{
    struct db_options options = {.conninfo = getenv("TESTFLINGER_TEST_DB"),
                                 .application = "test",
                                 .prepare = prepare,
                                 .connect_timeout_s = 5,
                                 .statement_timeout_ms = 1000};
    struct db *db = db_new(&options, NULL);

    assert_non_null(db);
    return db;
}

static void script(struct db *db, const char *sql)
{
    struct err err = ERR_INIT;

    if (db_script(db, sql, &err) < 0)
        fail_msg("%s: %s", sql, err.text);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.db = make(true);
    fixture.other = make(true);
    *state = &fixture;
    /* A run that was cut short may have left the cluster waiting for a standby. */
    script(fixture.other, "SET synchronous_commit = local");
    script(fixture.other, "DROP TABLE IF EXISTS t; CREATE TABLE t (a int UNIQUE DEFERRABLE "
                          "INITIALLY DEFERRED); DROP SEQUENCE IF EXISTS s; CREATE SEQUENCE s");
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    db_free(f->db);
    db_free(f->other);
    return 0;
}

static int64_t number(struct db *db, const struct db_statement *statement)
{
    struct db_rows rows;
    struct err err = ERR_INIT;
    int64_t value;

    if (db_query(db, statement, NULL, &rows, &err) < 0)
        fail_msg("%s: %s", statement->sql, err.text);
    assert_int_equal(db_rows_count(&rows), 1);
    value = db_rows_int(&rows, 0, 0);
    db_rows_done(&rows);
    return value;
}

static const struct db_statement backend_pid = {.name = "backend_pid",
                                                .sql = "SELECT pg_backend_pid()"};

static void terminate(struct fixture *f, int64_t pid)
{
    static const struct db_statement kill_it = {
        .name = "kill_it", .sql = "SELECT pg_terminate_backend($1::int, 900)", .params = 1};

    assert_int_equal(db_run(f->other, &kill_it, (struct db_param[]){db_int(pid)}, /* err= */ NULL),
                     0);
}

static void check_values(struct db *db)
{
    static const struct db_statement values = {
        .name = "values",
        .sql = "SELECT $1::text, $2::bigint, $3::bool, $4::text IS NULL, length($5::bytea), $4",
        .params = 5};
    const struct db_param params[] = {db_text("ä\n"), db_int(INT64_MIN), db_bool(true), db_null(),
                                      db_bytes("a\0b", 3)};
    struct db_rows rows;

    assert_int_equal(db_query(db, &values, params, &rows, NULL), 0);
    assert_string_equal(db_rows_text(&rows, 0, 0), "ä\n");
    assert_true(db_rows_int(&rows, 0, 1) == INT64_MIN);
    assert_true(db_rows_bool(&rows, 0, 2));
    assert_true(db_rows_bool(&rows, 0, 3));
    assert_int_equal(db_rows_int(&rows, 0, 4), 3);
    assert_true(db_rows_null(&rows, 0, 5));
    assert_string_equal(db_rows_text(&rows, 0, 5), "");
    db_rows_done(&rows);
}

static void values_arrive_as_they_were_sent(void **state)
{
    struct fixture *f = *state;

    check_values(f->db);
    check_values(f->db);
}

static void values_arrive_without_prepared_statements(void **state)
{
    struct db *db = make(false);

    (void)state;
    check_values(db);
    db_free(db);
}

static void large_bytes_come_back_in_binary(void **state)
{
    static const struct db_statement echo = {
        .name = "echo", .sql = "SELECT $1::bytea", .params = 1};
    struct fixture *f = *state;
    size_t size = 4 << 20;
    char *data = malloc(size);
    struct db_rows rows;
    size_t len;

    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 7);
    assert_int_equal(
        db_query_binary(f->db, &echo, (struct db_param[]){db_bytes(data, size)}, &rows, NULL), 0);
    const void *back = db_rows_bytes(&rows, 0, 0, &len);
    assert_int_equal(len, size);
    assert_memory_equal(back, data, size);
    db_rows_done(&rows);
    free(data);
}

static void the_buffers_of_a_large_message_are_not_kept(void **state)
{
    static const struct db_statement measure = {
        .name = "measure", .sql = "SELECT length($1::bytea)", .params = 1};
    struct fixture *f = *state;
    size_t size = 2 << 20;
    char *data = calloc(1, size);
    int64_t before = number(f->db, &backend_pid);
    unsigned opened = db_times_opened(f->db);

    assert_non_null(data);
    assert_int_equal(
        db_run(f->db, &measure, (struct db_param[]){db_bytes(data, size)}, /* err= */ NULL), 0);
    assert_true(number(f->db, &backend_pid) != before);
    assert_int_equal(db_times_opened(f->db), opened); /* not counted as a reconnect */
    before = number(f->db, &backend_pid);
    assert_int_equal(
        db_run(f->db, &measure, (struct db_param[]){db_bytes(data, 1000)}, /* err= */ NULL), 0);
    assert_true(number(f->db, &backend_pid) == before);
    free(data);
}

static void errors_of_class_tf_become_ours(void **state)
{
    static const struct db_statement run = {.name = "missing", .sql = "SELECT missing()"};
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    script(f->other, "CREATE OR REPLACE FUNCTION missing() RETURNS int LANGUAGE plpgsql AS "
                     "$$ BEGIN RAISE 'no job \"%\"', 'x' USING ERRCODE = 'TF404'; END $$");
    assert_int_equal(db_run(f->db, &run, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "no job \"x\"");
}

static void the_detail_of_an_error_is_never_shown(void **state)
{
    static const struct db_statement twice = {.name = "twice",
                                              .sql = "INSERT INTO t VALUES (4711), (4711)"};
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    /* The constraint is deferred: the rows are reported, and the error comes at commit. */
    assert_int_equal(db_run(f->db, &twice, NULL, &err), -1);
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "23505"));
    assert_null(strstr(err.text, "4711"));
}

static void a_statement_that_takes_too_long_is_unavailable(void **state)
{
    static const struct db_statement slow = {.name = "slow", .sql = "SELECT pg_sleep(60)"};
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_int_equal(db_run(f->db, &slow, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_string_equal(db_sqlstate(f->db), "57014");
}

static void a_connection_lost_while_idle_is_opened_again(void **state)
{
    struct fixture *f = *state;
    int64_t before = number(f->db, &backend_pid);

    terminate(f, before);
    assert_true(number(f->db, &backend_pid) != before);
}

static void a_held_connection_is_not_opened_again(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_int_equal(db_hold(f->db, &err), 0);
    terminate(f, number(f->db, &backend_pid));
    assert_int_equal(db_run(f->db, &backend_pid, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(db_script(f->db, "SELECT 1", &err), -1);
}

#define SUICIDE "SELECT nextval('s'), pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"

static int64_t runs_of(struct fixture *f, const struct db_statement *statement)
{
    static const struct db_statement count = {
        .name = "count", .sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM s"};
    struct err err = ERR_INIT;

    assert_int_equal(db_run(f->db, statement, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(number(f->db, &backend_pid) > 0, 1);
    return number(f->other, &count);
}

static void a_statement_with_unknown_outcome_is_not_repeated(void **state)
{
    static const struct db_statement once = {.name = "once", .sql = SUICIDE};

    assert_int_equal(runs_of(*state, &once), 1);
}

static void a_repeatable_statement_is_repeated_once(void **state)
{
    static const struct db_statement again = {.name = "again", .sql = SUICIDE, .repeatable = true};

    assert_int_equal(runs_of(*state, &again), 2);
}

static void a_forgotten_statement_is_prepared_again(void **state)
{
    static const struct db_statement all = {.name = "all", .sql = "SELECT * FROM t2"};
    static const struct db_statement call = {.name = "call", .sql = "SELECT f()"};
    struct fixture *f = *state;

    script(f->other, "DROP TABLE IF EXISTS t2; CREATE TABLE t2 AS SELECT 1 AS a;"
                     "DROP FUNCTION IF EXISTS f();"
                     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    assert_int_equal(number(f->db, &all), 1);
    assert_int_equal(number(f->db, &call), 1);
    script(f->other, "ALTER TABLE t2 ALTER a TYPE text; DROP FUNCTION f();"
                     "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 2::bigint'");
    assert_int_equal(number(f->db, &all), 1);
    assert_int_equal(number(f->db, &call), 2);
    script(f->db, "DEALLOCATE ALL");
    assert_int_equal(number(f->db, &call), 2);
}

#define REMAKES 300

/* What an upgrade does to schema api, again and again. */
static void *remake_function(void *context)
{
    struct fixture *f = context;

    for (int i = 0; i < REMAKES; i++)
        script(f->other, "DROP FUNCTION r(); CREATE FUNCTION r() RETURNS int LANGUAGE plpgsql"
                         " AS 'BEGIN RETURN 1; END'");
    script(f->other, "INSERT INTO t VALUES (1)");
    return NULL;
}

static void functions_made_anew_under_load_give_no_errors(void **state)
{
    static const struct db_statement call = {.name = "call_r", .sql = "SELECT r()"};
    static const struct db_statement ended = {.name = "ended", .sql = "SELECT count(*) FROM t"};
    struct fixture *f = *state;
    pthread_t thread;

    script(f->other, "DROP FUNCTION IF EXISTS r(); CREATE FUNCTION r() RETURNS int LANGUAGE plpgsql"
                     " AS 'BEGIN RETURN 1; END'");
    assert_int_equal(pthread_create(&thread, NULL, remake_function, f), 0);
    while (number(f->db, &ended) == 0)
        for (int i = 0; i < 50; i++)
            assert_int_equal(number(f->db, &call), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_server_that_stops_answering_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    pid_t pid = (pid_t)number(f->db, &backend_pid);
    int rc;

    if (kill(pid, SIGSTOP) < 0)
        skip();
    rc = db_run(f->db, &backend_pid, NULL, &err);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_true(number(f->db, &backend_pid) != pid);
}

/* Cancels the wait for a standby as an operator would. */
static void *cancel_wait(void *context)
{
    static const struct db_statement cancel = {
        .name = "cancel",
        .sql = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = "
               "'SyncRep'"};
    struct fixture *f = context;

    for (int i = 0; i < TRIES_MAX; i++)
        if (number(f->other, &cancel) > 0)
            break;
    return NULL;
}

static void a_commit_that_no_standby_has_is_not_success(void **state)
{
    static const struct db_statement insert = {
        .name = "insert", .sql = "INSERT INTO t VALUES ($1::int)", .params = 1};
    struct fixture *f = *state;
    struct err err = ERR_INIT;
    pthread_t thread;
    int rc = 0;

    script(f->other, "SET synchronous_commit = local");
    script(f->other, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    script(f->other, "SELECT pg_reload_conf()");
    assert_int_equal(pthread_create(&thread, NULL, cancel_wait, f), 0);
    /* The new setting reaches a backend between two statements. */
    for (int i = 0; i < TRIES_MAX && rc == 0; i++)
        rc = db_run(f->db, &insert, (struct db_param[]){db_int(i)}, &err);
    assert_int_equal(pthread_join(thread, NULL), 0);
    script(f->other, "ALTER SYSTEM RESET synchronous_standby_names");
    script(f->other, "SELECT pg_reload_conf()");
    assert_int_equal(rc, -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "standby"));
}

static void a_failed_script_names_the_line(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    assert_int_equal(db_script(f->db, "SELECT 'ü';\n\nSELECT * FROM\nnowhere;", &err), -1);
    assert_memory_equal(err.text, "line 4: ", 8);
    assert_int_equal(db_script(f->db, "BEGIN; SELECT 1/0", &err), -1);
    script(f->db, "ROLLBACK");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_arrive_as_they_were_sent),
        TEST(values_arrive_without_prepared_statements),
        TEST(large_bytes_come_back_in_binary),
        TEST(the_buffers_of_a_large_message_are_not_kept),
        TEST(errors_of_class_tf_become_ours),
        TEST(the_detail_of_an_error_is_never_shown),
        TEST(a_statement_that_takes_too_long_is_unavailable),
        TEST(a_connection_lost_while_idle_is_opened_again),
        TEST(a_held_connection_is_not_opened_again),
        TEST(a_statement_with_unknown_outcome_is_not_repeated),
        TEST(a_repeatable_statement_is_repeated_once),
        TEST(a_forgotten_statement_is_prepared_again),
        TEST(functions_made_anew_under_load_give_no_errors),
        TEST(a_server_that_stops_answering_is_given_up),
        TEST(a_commit_that_no_standby_has_is_not_success),
        TEST(a_failed_script_names_the_line),
    };

    if (!getenv("TESTFLINGER_TEST_DB"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

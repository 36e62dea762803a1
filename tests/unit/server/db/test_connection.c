/* SPDX-License-Identifier: GPL-3.0-or-later
 * Databases that cannot be reached; none is needed for this. */
#include "server/db/db.h"

#include "common/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static const struct db_statement one = {.name = "one", .sql = "SELECT 1"};

static struct db *make(const char *conninfo)
{
    struct db_options options = {.conninfo = conninfo,
                                 .application = "test",
                                 .prepare = true,
                                 .connect_timeout_s = 2,
                                 .statement_timeout_ms = 1000};
    struct db *db = db_new(&options, NULL);

    assert_non_null(db);
    return db;
}

static void a_server_that_is_not_there_is_unavailable(void **state)
{
    struct db *db = make("host=/nonexistent/directory dbname=x");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(db_run(db, &one, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_null(strchr(err.text, '\n'));
    db_free(db);
}

static void a_server_that_accepts_and_says_nothing_is_given_up(void **state)
{
    char dir[] = "/tmp/test-db-XXXXXX";
    char conninfo[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct err err = ERR_INIT;
    AUTO_CLOSE int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", dir);
    (void)snprintf(conninfo, sizeof(conninfo), "host=%s port=5432 dbname=x", dir);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 5), 0);

    struct db *db = make(conninfo);
    assert_int_equal(db_run(db, &one, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    db_free(db);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void a_conninfo_that_makes_no_sense_is_reported(void **state)
{
    struct db *db = make("no such=option");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(db_run(db, &one, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_is_not_there_is_unavailable),
        cmocka_unit_test(a_server_that_accepts_and_says_nothing_is_given_up),
        cmocka_unit_test(a_conninfo_that_makes_no_sense_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

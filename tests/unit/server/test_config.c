/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *file_with(const char *text)
{
    char *path = strdup("/tmp/server-config-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    return path;
}

static void drop(char *path)
{
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void test_defaults_fill_what_is_not_said(void **state)
{
    char *path = file_with("jwt_key_file = \"/keys\";\nworkers = 3;\n");
    struct config config;

    (void)state;
    assert_int_equal(config_load(path, &config, NULL), 0);
    assert_string_equal(config.jwt_key_file, "/keys");
    assert_string_equal(config.listen, "127.0.0.1:8000");
    assert_int_equal(config.workers, 3);
    assert_int_equal(config.slow_workers, 2);
    assert_int_equal(config.bulk_workers, 0);
    assert_true(config.db_prepare);
    assert_int_equal(config_log_level(&config), LOG_LEVEL_INFO);
    config_done(&config);
    drop(path);
}

static void test_a_webhook_base_must_be_a_web_address(void **state)
{
    static const char *const bad[] = {"nonsense", "ftp://a.example", "http://",
                                      "http://u@a.example"};
    struct config config;
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[200];
        char *path;

        (void)snprintf(text, sizeof(text), "jwt_key_file = \"/k\";\nwebhook_base_url = \"%s\";\n",
                       bad[i]);
        path = file_with(text);
        assert_int_equal(config_load(path, &config, &err), -1);
        assert_non_null(strstr(err.text, "webhook_base_url"));
        drop(path);
    }
}

static void test_the_environment_wins(void **state)
{
    char *path = file_with("jwt_key_file = \"/keys\";\nworkers = 3;\n");
    struct config config;

    (void)state;
    assert_int_equal(setenv("TESTFLINGER_WORKERS", "5", 1), 0);
    assert_int_equal(setenv("TESTFLINGER_LOG_LEVEL", "warning", 1), 0);
    assert_int_equal(config_load(path, &config, NULL), 0);
    assert_int_equal(config.workers, 5);
    assert_int_equal(config_log_level(&config), LOG_LEVEL_WARNING);
    config_done(&config);
    assert_int_equal(unsetenv("TESTFLINGER_WORKERS"), 0);
    assert_int_equal(unsetenv("TESTFLINGER_LOG_LEVEL"), 0);
    drop(path);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    static const char *const bad[] = {
        "workers = 3;\n",
        "jwt_key_file = \"k\";\nworkers = 0;\n",
        "jwt_key_file = \"k\";\nworker = 3;\n",
        "jwt_key_file = \"k\";\nlog_level = \"loud\";\n",
        "jwt_key_file = \"k\";\nlisten = 8000;\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *path = file_with(bad[i]);
        struct config config;
        struct err err = ERR_INIT;

        assert_int_equal(config_load(path, &config, &err), -1);
        assert_true(err.text[0]);
        drop(path);
    }
}

static void check_conninfo(const char *database, const char *password, const char *expected)
{
    char *path = file_with(password);
    char *given = strdup(database);
    struct config config = {.database = given, .database_password_file = path};
    char *conninfo = NULL;

    assert_int_equal(config_conninfo(&config, &conninfo, NULL), 0);
    assert_string_equal(conninfo, expected);
    free(conninfo);
    free(given);
    drop(path);
}

static void test_the_password_joins_the_connection_string(void **state)
{
    (void)state;
    check_conninfo("dbname=x", "secret\n", "dbname=x password='secret'");
    check_conninfo("dbname=x", "it's \\ here", "dbname=x password='it\\'s \\\\ here'");
    check_conninfo("postgresql://h/x", "a b&c\n", "postgresql://h/x?password=a%20b%26c");
    check_conninfo("postgres://h/x?sslmode=require", "y",
                   "postgres://h/x?sslmode=require&password=y");
}

static void test_without_a_password_file_it_stays_as_it_is(void **state)
{
    struct config config = {.database = strdup("dbname=x")};
    char *conninfo = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(config_conninfo(&config, &conninfo, NULL), 0);
    assert_string_equal(conninfo, "dbname=x");
    free(conninfo);
    config.database_password_file = strdup("/nowhere/at/all");
    assert_int_equal(config_conninfo(&config, &conninfo, &err), -1);
    free(config.database_password_file);
    free(config.database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_fill_what_is_not_said),
        cmocka_unit_test(test_a_webhook_base_must_be_a_web_address),
        cmocka_unit_test(test_the_environment_wins),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_the_password_joins_the_connection_string),
        cmocka_unit_test(test_without_a_password_file_it_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

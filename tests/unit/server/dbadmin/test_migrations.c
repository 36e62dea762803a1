/* SPDX-License-Identifier: GPL-3.0-or-later
 * The directory of migrations: order, names, marks, hashes. */
#include "server/dbadmin/migrations.h"

#include "common/cleanup.h"
#include "common/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    memcpy(dir, "/tmp/test-migrations-XXXXXX", sizeof("/tmp/test-migrations-XXXXXX"));
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

static void write_file(const char *name, const char *text, size_t len)
{
    AUTO_FREE char *path = fs_join(dir, name);

    assert_int_equal(fs_write_atomic(path, text, len, 0600, NULL), 0);
}

static void add(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static void refused(const char *word)
{
    struct migrations migrations;
    struct err err = ERR_INIT;

    assert_int_equal(migrations_read(dir, &migrations, &err), -1);
    if (!strstr(err.text, word))
        fail_msg("no \"%s\" in: %s", word, err.text);
}

static void files_are_read_in_the_order_of_their_numbers(void **state)
{
    struct migrations migrations;

    (void)state;
    add("0010_ten.sql", "SELECT 10;\n");
    add("0002_two.sql", "abc");
    add("README", "not SQL");
    assert_int_equal(migrations_read(dir, &migrations, NULL), 0);
    assert_int_equal(migrations.count, 2);
    assert_int_equal(migrations.items[0].version, 2);
    assert_string_equal(migrations.items[0].text, "abc");
    assert_string_equal(migrations.items[0].sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(migrations.items[1].version, 10);
    assert_string_equal(migrations.items[1].name, "0010_ten.sql");
    migrations_done(&migrations);
    assert_int_equal(migrations.count, 0);
}

static void the_mark_counts_in_the_comment_at_the_top_only(void **state)
{
    struct migrations migrations;

    (void)state;
    add("0001_marked.sql", "-- SPDX\n-- no transaction\nSELECT 1;\n");
    add("0002_first.sql", "-- no transaction\n");
    add("0003_behind.sql", "SELECT 1;\n-- no transaction\n");
    add("0004_longer.sql", "-- no transaction is needed\nSELECT 1;\n");
    assert_int_equal(migrations_read(dir, &migrations, NULL), 0);
    assert_false(migrations.items[0].transactional);
    assert_false(migrations.items[1].transactional);
    assert_true(migrations.items[2].transactional);
    assert_true(migrations.items[3].transactional);
    migrations_done(&migrations);
}

static void names_that_do_not_fit_are_refused(void **state)
{
    static const char *const names[] = {"1_one.sql", "0000_none.sql", "00x1_what.sql", "0001.sql",
                                        "00011_many.sql"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_FREE char *path = fs_join(dir, names[i]);

        add(names[i], "SELECT 1;\n");
        refused(names[i]);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_number_given_twice_is_refused(void **state)
{
    (void)state;
    add("0001_a.sql", "SELECT 1;\n");
    add("0001_b.sql", "SELECT 1;\n");
    refused("same number");
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    write_file("0001_nul.sql", "SELECT 1;\0SELECT 2;", 19);
    refused("NUL");
}

static void an_empty_or_missing_directory_is_refused(void **state)
{
    struct migrations migrations;

    (void)state;
    refused("no migrations");
    assert_int_equal(migrations_read("/nonexistent/directory", &migrations, NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_read_in_the_order_of_their_numbers),
        TEST(the_mark_counts_in_the_comment_at_the_top_only),
        TEST(names_that_do_not_fit_are_refused),
        TEST(a_number_given_twice_is_refused),
        TEST(a_nul_byte_is_refused),
        TEST(an_empty_or_missing_directory_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

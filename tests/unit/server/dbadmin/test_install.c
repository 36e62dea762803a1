/* SPDX-License-Identifier: GPL-3.0-or-later
 * install.sql and what it includes, read from a directory of the test's own. */
#include "server/dbadmin/install.h"

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
    memcpy(dir, "/tmp/test-install-XXXXXX", sizeof("/tmp/test-install-XXXXXX"));
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return fs_remove_tree(dir, NULL);
}

static void write_file(const char *name, const char *text)
{
    AUTO_FREE char *path = fs_join(dir, name);

    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static int read_install(struct install *ret, struct err *err)
{
    AUTO_FREE char *path = fs_join(dir, "install.sql");

    return install_read(path, ret, err);
}

static void files_are_included_in_their_order(void **state)
{
    struct install install;

    (void)state;
    write_file("install.sql", "SELECT 1;\n\\ir one.sql\n\n\\ir sub.sql\nSELECT 5;\n");
    write_file("one.sql", "SELECT 2;\n");
    write_file("sub.sql", "\\ir one.sql\nSELECT 4;\n");
    assert_int_equal(read_install(&install, NULL), 0);
    assert_int_equal(install.count, 5);
    assert_string_equal(install.pieces[0].text, "SELECT 1;\n");
    assert_string_equal(install.pieces[1].text, "SELECT 2;\n");
    assert_string_equal(install.pieces[2].text, "SELECT 2;\n");
    /* Lines keep their number in their own file. */
    assert_string_equal(install.pieces[3].text, "\nSELECT 4;\n");
    assert_string_equal(install.pieces[4].text, "\n\n\n\nSELECT 5;\n");
    install_done(&install);
}

static void a_change_anywhere_changes_the_hash(void **state)
{
    struct install before, after;

    (void)state;
    write_file("install.sql", "\\ir one.sql\n");
    write_file("one.sql", "SELECT 1;\n");
    assert_int_equal(read_install(&before, NULL), 0);
    write_file("one.sql", "SELECT 2;\n");
    assert_int_equal(read_install(&after, NULL), 0);
    assert_string_not_equal(before.sha256, after.sha256);
    install_done(&before);
    install_done(&after);
}

static void a_missing_file_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct install install;

    (void)state;
    write_file("install.sql", "SELECT 1;\n\\ir nothing.sql\n");
    assert_int_equal(read_install(&install, &err), -1);
    assert_non_null(strstr(err.text, "nothing.sql"));
}

static void a_file_that_includes_itself_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct install install;

    (void)state;
    write_file("install.sql", "SELECT 1;\n\\ir install.sql\n");
    assert_int_equal(read_install(&install, &err), -1);
    assert_non_null(strstr(err.text, "deep"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_included_in_their_order),
        TEST(a_change_anywhere_changes_the_hash),
        TEST(a_missing_file_is_refused),
        TEST(a_file_that_includes_itself_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

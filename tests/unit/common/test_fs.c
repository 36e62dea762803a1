/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int make_directory(void **state)
{
    char path[] = "/tmp/test_fs.XXXXXX";

    if (!mkdtemp(path))
        return -1;
    *state = strdup(path);
    return *state ? 0 : -1;
}

static int remove_directory(void **state)
{
    int rc = fs_remove_tree(*state, NULL);

    free(*state);
    return rc;
}

static void test_what_was_written_is_read(void **state)
{
    char *path = fs_join(*state, "file");
    struct buf text = BUF_INIT(100);
    struct stat st;
    struct err err = ERR_INIT;

    assert_int_equal(fs_write_atomic(path, "old", 3, 0600, &err), 0);
    assert_int_equal(fs_write_atomic(path, "new\0text", 8, 0640, &err), 0);
    assert_int_equal(fs_read(path, &text, &err), 0);
    assert_int_equal(text.len, 8);
    assert_memory_equal(text.data, "new\0text", 8);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    buf_done(&text);
    free(path);
}

static void test_a_file_beyond_the_limit_is_refused(void **state)
{
    char *path = fs_join(*state, "file");
    struct buf text = BUF_INIT(4);
    struct err err = ERR_INIT;

    assert_int_equal(fs_write_atomic(path, "12345", 5, 0600, &err), 0);
    assert_int_equal(fs_read(path, &text, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_done(&text);
    free(path);
}

static void test_a_missing_file_is_not_found(void **state)
{
    char *path = fs_join(*state, "missing");
    struct buf text = BUF_INIT(4);
    struct err err = ERR_INIT;

    assert_int_equal(fs_read(path, &text, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    free(path);
}

static void test_a_secret_is_the_first_line(void **state)
{
    char *path = fs_join(*state, "secret");
    char *secret = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(fs_write_atomic(path, "s3cret\nmore\n", 12, 0600, &err), 0);
    assert_int_equal(fs_read_secret(path, &secret, &err), 0);
    assert_string_equal(secret, "s3cret");
    free(secret);
    assert_int_equal(fs_write_atomic(path, "\n", 1, 0600, &err), 0);
    assert_int_equal(fs_read_secret(path, &secret, &err), -1);
    assert_int_equal(fs_write_atomic(path, "", 0, 0600, &err), 0);
    assert_int_equal(fs_read_secret(path, &secret, &err), -1);
    free(path);
}

static void test_a_tree_goes_without_following_links(void **state)
{
    char *outside = fs_join(*state, "outside");
    char *tree = fs_join(*state, "tree");
    char *deep = fs_join(tree, "a/b/c");
    char *file = fs_join(outside, "kept");
    char *link = fs_join(tree, "a/link");
    struct err err = ERR_INIT;

    assert_int_equal(fs_make_dirs(deep, &err), 0);
    assert_int_equal(fs_make_dirs(outside, &err), 0);
    assert_int_equal(fs_write_atomic(file, "x", 1, 0600, &err), 0);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(fs_remove_tree(tree, &err), 0);
    assert_int_equal(access(tree, F_OK), -1);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(fs_remove_tree(tree, &err), 0);
    free(outside);
    free(tree);
    free(deep);
    free(file);
    free(link);
}

static void test_a_file_in_the_way_of_a_directory_is_said(void **state)
{
    char *path = fs_join(*state, "file");
    struct err err = ERR_INIT;

    assert_int_equal(fs_write_atomic(path, "x", 1, 0600, &err), 0);
    assert_int_equal(fs_make_dirs(path, &err), -1);
    assert_non_null(strstr(err.text, path));
    free(path);
}

static void test_only_a_plain_file_is_opened_and_nothing_is_waited_for(void **state)
{
    char *file = fs_join(*state, "file"), *pipe = fs_join(*state, "pipe");
    char *link = fs_join(*state, "link");
    struct buf text = BUF_INIT(100);
    struct err err = ERR_INIT;

    (void)alarm(30);
    assert_int_equal(fs_write_atomic(file, "text", 4, 0600, &err), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink(file, link), 0);
    assert_int_equal(fs_read_file(file, &text, &err), 0);
    assert_string_equal(buf_text(&text), "text");
    assert_int_equal(fs_read_file(pipe, &text, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(fs_open_file(pipe, O_WRONLY | O_APPEND | O_CREAT, 0600, &err), -1);
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "is not a file"));
    assert_int_equal(fs_read_file(link, &text, &err), -1);
    assert_int_equal(fs_read_file(*state, &text, &err), -1);
    (void)alarm(0);
    buf_done(&text);
    free(file);
    free(pipe);
    free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_written_is_read, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(test_a_file_beyond_the_limit_is_refused, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(test_a_missing_file_is_not_found, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(test_a_secret_is_the_first_line, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(test_a_tree_goes_without_following_links, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(test_a_file_in_the_way_of_a_directory_is_said,
                                        make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_only_a_plain_file_is_opened_and_nothing_is_waited_for,
                                        make_directory, remove_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_path_and_query_are_taken_apart(void **state)
{
    struct target t;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(target_parse("/v1/job?queue=a&queue=b+c&x&=y&&z=%3D%26", &t, &err), 0);
    assert_string_equal(t.path, "/v1/job");
    assert_string_equal(t.parts, "/v1/job");
    assert_int_equal(t.query_count, 5);
    assert_string_equal(t.query[0].value, "a");
    assert_string_equal(t.query[1].value, "b c");
    assert_string_equal(t.query[2].name, "x");
    assert_string_equal(t.query[2].value, "");
    assert_string_equal(t.query[3].name, "");
    assert_string_equal(t.query[4].value, "=&");
    target_done(&t);
}

static void test_plus_is_a_blank_in_the_query_only(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(target_parse("/a+b%20c?q=a+b%2Bc", &t, NULL), 0);
    assert_string_equal(t.path, "/a+b c");
    assert_string_equal(t.query[0].value, "a b+c");
    target_done(&t);
}

static void test_an_encoded_slash_divides_the_path(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(target_parse("/v1%2Fjob%2f", &t, NULL), 0);
    assert_string_equal(t.path, "/v1/job/");
    target_done(&t);
}

static void test_what_is_no_escape_stays(void **state)
{
    struct target t;

    (void)state;
    assert_int_equal(target_parse("/%zz%4%?a=%&b=%1", &t, NULL), 0);
    assert_string_equal(t.path, "/%zz%4%");
    assert_string_equal(t.query[0].value, "%");
    assert_string_equal(t.query[1].value, "%1");
    target_done(&t);
}

static void test_a_path_that_is_no_text_names_nothing(void **state)
{
    static const char *const paths[] = {"/%ff", "/a%00b", "/%ed%a0%80", "job", "*", ""};
    struct target t;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(target_parse(paths[i], &t, NULL), 0);
        assert_false(t.path_valid);
        target_done(&t);
    }
    assert_int_equal(target_parse("/%c3%a9", &t, NULL), 0);
    assert_true(t.path_valid);
    target_done(&t);
}

static void test_a_query_that_is_no_text_is_refused(void **state)
{
    static const char *const bad[] = {"/?a=%00", "/?%00=a", "/?a=%ff", "/?a=1&b=%c0%80"};
    struct target t;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err = (struct err)ERR_INIT;
        assert_int_equal(target_parse(bad[i], &t, &err), -1);
        assert_int_equal(err.code, ERR_BAD_REQUEST);
        target_done(&t);
    }
}

static void test_parameters_are_counted_before_they_are_kept(void **state)
{
    char raw[2 + 2 * (REQUEST_QUERY_MAX + 1)];
    struct target t;
    struct err err = ERR_INIT;

    (void)state;
    memset(raw, 'a', sizeof(raw));
    memcpy(raw, "/?", 2);
    for (size_t i = 3; i < sizeof(raw); i += 2)
        raw[i] = '&';
    raw[sizeof(raw) - 1] = '\0'; /* REQUEST_QUERY_MAX + 1 parameters */
    assert_int_equal(target_parse(raw, &t, &err), -1);
    assert_int_equal(err.code, ERR_BAD_REQUEST);
    target_done(&t);
    raw[sizeof(raw) - 3] = '\0';
    assert_int_equal(target_parse(raw, &t, &err), 0);
    assert_int_equal(t.query_count, REQUEST_QUERY_MAX);
    target_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_and_query_are_taken_apart),
        cmocka_unit_test(test_plus_is_a_blank_in_the_query_only),
        cmocka_unit_test(test_an_encoded_slash_divides_the_path),
        cmocka_unit_test(test_what_is_no_escape_stays),
        cmocka_unit_test(test_a_path_that_is_no_text_names_nothing),
        cmocka_unit_test(test_a_query_that_is_no_text_is_refused),
        cmocka_unit_test(test_parameters_are_counted_before_they_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

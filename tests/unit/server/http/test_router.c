/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct route table[] = {
    {.method = "GET", .path = "/"},
    {.method = "GET", .path = "/v1/"},
    {.method = "POST", .path = "/v1/job"},
    {.method = "GET", .path = "/v1/job"},
    {.method = "GET", .path = "/v1/job/{job_id}"},
    {.method = "GET", .path = "/v1/job/search"},
    {.method = "POST", .path = "/v1/job/{job_id}/action"},
    {.method = "GET", .path = "/v1/result/{job_id}/log/{type}"},
    {.method = "PUT", .path = "/v1/secrets/{client}/{path...}"},
    {.method = "DELETE", .path = "/v1/secrets/{client}/{path...}"},
};
static const struct router router = {table, sizeof(table) / sizeof(table[0])};

struct found {
    char path[256]; /* the match points into it */
    struct route_match match;
    struct err err;
};

static void ask(struct found *f, const char *method, const char *path)
{
    *f = (struct found){0};
    (void)snprintf(f->path, sizeof(f->path), "%s", path);
    (void)router_find(&router, method, f->path, &f->match, &f->err);
}

static const char *path_of(struct found *f)
{
    return f->err.code || !f->match.route ? "" : f->match.route->path;
}

static void test_the_row_of_path_and_method_is_found(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "POST", "/v1/job");
    assert_ptr_equal(f.match.route, &table[2]);
    ask(&f, "GET", "/v1/job");
    assert_ptr_equal(f.match.route, &table[3]);
    ask(&f, "GET", "/");
    assert_string_equal(path_of(&f), "/");
}

static void test_parts_in_braces_are_bound(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "GET", "/v1/result/abc/log/output");
    assert_int_equal(f.match.param_count, 2);
    assert_string_equal(f.match.params[0].name, "job_id");
    assert_string_equal(f.match.params[0].value, "abc");
    assert_string_equal(f.match.params[1].name, "type");
    assert_string_equal(f.match.params[1].value, "output");
    ask(&f, "GET", "/v1/job/{job_id}");
    assert_string_equal(f.match.params[0].value, "{job_id}");
}

static void test_a_literal_part_wins_over_a_parameter(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "GET", "/v1/job/search");
    assert_string_equal(path_of(&f), "/v1/job/search");
    ask(&f, "GET", "/v1/job/other");
    assert_string_equal(path_of(&f), "/v1/job/{job_id}");
    ask(&f, "POST", "/v1/job/search");
    assert_int_equal(f.err.code, ERR_METHOD);
}

static void test_one_slash_at_the_end_is_ignored(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "GET", "/v1/job/abc/");
    assert_string_equal(f.match.params[0].value, "abc");
    ask(&f, "GET", "/v1");
    assert_string_equal(path_of(&f), "/v1/");
    ask(&f, "GET", "/v1/");
    assert_string_equal(path_of(&f), "/v1/");
}

static void test_empty_parts_name_nothing(void **state)
{
    static const char *const paths[] = {
        "//",     "/v1//job",    "/v1/job//",       "//v1/job",    "/v1/job//action", "",
        "v1/job", "/v1/nothing", "/v1/job/a/b/c/d", "/v1/secrets", "/v1/secrets/me/"};
    struct found f;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        ask(&f, "GET", paths[i]);
        assert_int_equal(f.err.code, ERR_NOT_FOUND);
    }
}

static void test_the_rest_of_a_path_is_kept_as_it_came(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "PUT", "/v1/secrets/me/a//b/");
    assert_string_equal(f.match.params[0].value, "me");
    assert_string_equal(f.match.params[1].name, "path");
    assert_string_equal(f.match.params[1].value, "a//b/");
    ask(&f, "PUT", "/v1/secrets/me/1/2/3/4/5/6/7/8/9/10/11/12/13/14");
    assert_string_equal(f.match.params[1].value, "1/2/3/4/5/6/7/8/9/10/11/12/13/14");
}

static void test_a_wrong_method_is_told_the_right_ones(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "PUT", "/v1/job");
    assert_int_equal(f.err.code, ERR_METHOD);
    assert_string_equal(f.match.allow, "POST, HEAD, GET, OPTIONS");
    ask(&f, "GET", "/v1/job/x/action");
    assert_string_equal(f.match.allow, "POST, OPTIONS");
    ask(&f, "get", "/v1/job");
    assert_int_equal(f.err.code, ERR_METHOD);
}

static void test_head_is_served_by_get_and_options_by_nobody(void **state)
{
    struct found f;

    (void)state;
    ask(&f, "HEAD", "/v1/job");
    assert_ptr_equal(f.match.route, &table[3]);
    assert_true(f.match.head);
    ask(&f, "HEAD", "/v1/job/x/action");
    assert_int_equal(f.err.code, ERR_METHOD);
    ask(&f, "OPTIONS", "/v1/secrets/a/b");
    assert_null(f.match.route);
    assert_true(f.match.options);
    assert_string_equal(f.match.allow, "PUT, DELETE, OPTIONS");
    ask(&f, "OPTIONS", "/v1/nothing");
    assert_int_equal(f.err.code, ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_row_of_path_and_method_is_found),
        cmocka_unit_test(test_parts_in_braces_are_bound),
        cmocka_unit_test(test_a_literal_part_wins_over_a_parameter),
        cmocka_unit_test(test_one_slash_at_the_end_is_ignored),
        cmocka_unit_test(test_empty_parts_name_nothing),
        cmocka_unit_test(test_the_rest_of_a_path_is_kept_as_it_came),
        cmocka_unit_test(test_a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(test_head_is_served_by_get_and_options_by_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/token.h"

#include "fetch/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH "/tmp/test_token.XXXXXX"

static int read_text(const char *text, char **ret_token, struct err *err)
{
    char path[] = PATH;
    int fd = mkstemp(path);
    int rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    rc = fetch_token_read(path, ret_token, err);
    assert_int_equal(unlink(path), 0);
    return rc;
}

static void test_a_file_has_a_refresh_token(void **state)
{
    char *token = NULL;

    (void)state;
    assert_int_equal(read_text("{\"refresh_token\": \"abc\", \"more\": 1}\n", &token, NULL), 0);
    assert_string_equal(token, "abc");
    free(token);
}

static void test_a_file_without_one_is_told_by_its_name(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } examples[] = {
        {"abc", "it is not JSON"},
        {"{}", "it has no refresh_token"},
        {"{\"refresh_token\": \"\"}", "it has no refresh_token"},
        {"{\"refresh_token\": 7}", "it has no refresh_token"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct err err = ERR_INIT;
        char *token = NULL;

        assert_int_equal(read_text(examples[i].text, &token, &err), -1);
        assert_null(token);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "token file \"/tmp/test_token."));
        assert_non_null(strstr(err.text, examples[i].why));
    }
}

static void test_no_file_is_another_error(void **state)
{
    struct err err = ERR_INIT;
    char *token = NULL;

    (void)state;
    assert_int_equal(fetch_token_read("/nowhere/token", &token, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_null(token);
}

static void test_the_request_is_json_whatever_the_token_is(void **state)
{
    struct buf body = BUF_INIT(100);

    (void)state;
    assert_int_equal(fetch_token_ask(&body, "a\"b"), 0);
    assert_string_equal(buf_text(&body), "{\"refresh_token\":\"a\\\"b\"}");
    buf_done(&body);
}

static int take(const char *body, char **ret_token, struct err *err)
{
    struct fetch_reply reply = {.status = 200, .body = BUF_INIT(100)};
    int rc;

    assert_int_equal(buf_adds(&reply.body, body), 0);
    rc = fetch_token_take(&reply, ret_token, err);
    buf_done(&reply.body);
    return rc;
}

static void test_a_reply_has_an_access_token(void **state)
{
    struct err err = ERR_INIT;
    char *token = NULL;

    (void)state;
    assert_int_equal(take("{\"access_token\": \"xyz\", \"expires_in\": 600}", &token, &err), 0);
    assert_string_equal(token, "xyz");
    free(token);
    token = NULL;
    assert_int_equal(take("<html>", &token, &err), -1);
    assert_int_equal(err.code, ERR_UPSTREAM);
    assert_int_equal(take("{\"access_token\": null}", &token, &err), -1);
    assert_non_null(strstr(err.text, "it has no access_token"));
    assert_null(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_has_a_refresh_token),
        cmocka_unit_test(test_a_file_without_one_is_told_by_its_name),
        cmocka_unit_test(test_no_file_is_another_error),
        cmocka_unit_test(test_the_request_is_json_whatever_the_token_is),
        cmocka_unit_test(test_a_reply_has_an_access_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

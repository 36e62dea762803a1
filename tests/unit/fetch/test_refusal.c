/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fetch/refusal.h"

#include "fetch/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_says(int status, const char *body, enum err_code code, const char *text)
{
    struct fetch_reply reply = {.status = status, .body = BUF_INIT(10000)};
    struct err err = ERR_INIT;

    assert_int_equal(buf_adds(&reply.body, body), 0);
    assert_int_equal(fetch_refusal(&reply, &err), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    buf_done(&reply.body);
}

static void test_the_message_of_the_server_is_shown(void **state)
{
    (void)state;
    assert_says(404, "{\"message\": \"no such queue\", \"detail\": {}}", ERR_NOT_FOUND,
                "server said 404 (no such queue)");
}

static void test_a_validation_error_names_each_field(void **state)
{
    (void)state;
    assert_says(
        422,
        "{\"message\": \"Validation error\", \"detail\": {\"json\": {\"job_queue\": "
        "[\"missing\"], \"test_data\": {\"secrets\": {\"a b\": {\"key\": [\"bad\", 7]}}}}}}",
        ERR_INVALID,
        "server said 422 (Validation error; job_queue: missing; "
        "test_data.secrets.a b.key: bad; test_data.secrets.a b.key: 7)");
}

static void test_an_answer_that_is_no_json_is_shown_if_it_is_a_text(void **state)
{
    (void)state;
    assert_says(401, "Invalid client id\nand more", ERR_UNAUTHORIZED,
                "server said 401 (Invalid client id)");
    assert_says(502, "<html>proxy</html>", ERR_UPSTREAM,
                "server said 502 (bad answer from another server)");
    assert_says(500, "{\"message\": \"a\\u001b[31m\\nb\"}", ERR_INTERNAL,
                "server said 500 (a?[31m?b)");
    assert_says(418, "a\x1b[31mb", ERR_BAD_REQUEST, "server said 418 (a?[31mb)");
    assert_says(599, "", ERR_UPSTREAM, "server said 599 (bad answer from another server)");
}

static void test_a_long_answer_is_cut(void **state)
{
    struct fetch_reply reply = {.status = 400, .body = BUF_INIT(10000)};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(buf_addf(&reply.body, "{\"message\": \"%05000d\"}", 0), 0);
    assert_int_equal(fetch_refusal(&reply, &err), -1);
    assert_true(strlen(err.text) < ERR_TEXT_SIZE);
    buf_done(&reply.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_message_of_the_server_is_shown),
        cmocka_unit_test(test_a_validation_error_names_each_field),
        cmocka_unit_test(test_an_answer_that_is_no_json_is_shown_if_it_is_a_text),
        cmocka_unit_test(test_a_long_answer_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

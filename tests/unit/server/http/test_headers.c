/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/http/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Name, value, name, value, …, NULL. */
static void fill(struct headers *h, const char *const *fields)
{
    assert_int_equal(headers_init(h, 4096, NULL), 0);
    for (; *fields; fields += 2)
        assert_int_equal(
            headers_add(h, fields[0], strlen(fields[0]), fields[1], strlen(fields[1]), NULL), 0);
}

#define FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int framing(const char *const *fields, int64_t *ret_length)
{
    struct headers h;
    struct err err = ERR_INIT;
    int rc;

    fill(&h, fields);
    rc = headers_framing(&h, ret_length, &err);
    if (rc < 0)
        assert_int_equal(err.code, ERR_BAD_REQUEST);
    headers_done(&h);
    return rc;
}

static void test_names_are_found_in_lower_case(void **state)
{
    struct headers h;

    (void)state;
    fill(&h, FIELDS("X-Request-ID", "Abc", "cookie", "a=1"));
    assert_string_equal(headers_get(&h, "x-request-id"), "Abc");
    assert_string_equal(headers_get(&h, "cookie"), "a=1");
    assert_null(headers_get(&h, "host"));
    headers_done(&h);
}

static void test_zero_characters_and_overflow_are_refused(void **state)
{
    struct headers h;

    (void)state;
    assert_int_equal(headers_init(&h, 20, NULL), 0);
    assert_int_equal(headers_add(&h, "a", 1, "b\0c", 3, NULL), -1);
    assert_int_equal(headers_add(&h, "a\0b", 3, "c", 1, NULL), -1);
    assert_int_equal(headers_add(&h, "name", 4, "0123456789ab", 12, NULL), 0);
    assert_int_equal(headers_add(&h, "a", 1, "b", 1, NULL), -1);
    headers_done(&h);
}

static void test_more_fields_than_allowed_are_refused(void **state)
{
    struct headers h;

    (void)state;
    assert_int_equal(headers_init(&h, 4096, NULL), 0);
    for (int i = 0; i < HEADERS_MAX; i++)
        assert_int_equal(headers_add(&h, "a", 1, "b", 1, NULL), 0);
    assert_int_equal(headers_add(&h, "a", 1, "b", 1, NULL), -1);
    headers_done(&h);
}

static void test_the_length_of_a_body_is_read(void **state)
{
    int64_t length = 7;

    (void)state;
    assert_int_equal(framing(FIELDS("Host", "x"), &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(framing(FIELDS("Content-Length", "123"), &length), 0);
    assert_int_equal(length, 123);
    assert_int_equal(framing(FIELDS("Transfer-Encoding", "Chunked"), &length), 0);
    assert_int_equal(length, -1);
}

static void test_a_body_with_two_lengths_is_refused(void **state)
{
    int64_t length;

    (void)state;
    assert_int_equal(
        framing(FIELDS("Content-Length", "3", "Transfer-Encoding", "chunked"), &length), -1);
    assert_int_equal(framing(FIELDS("Content-Length", "3", "Content-Length", "3"), &length), -1);
    assert_int_equal(
        framing(FIELDS("Transfer-Encoding", "chunked", "transfer-encoding", "chunked"), &length),
        -1);
    assert_int_equal(framing(FIELDS("Transfer-Encoding", "gzip, chunked"), &length), -1);
    assert_int_equal(framing(FIELDS("Transfer-Encoding", "identity"), &length), -1);
    assert_int_equal(framing(FIELDS("Transfer-Encoding", ""), &length), -1);
}

static void test_a_length_is_digits_only(void **state)
{
    static const char *const bad[] = {"+3",  "-3",   " 3", "3 ",
                                      "0x3", "3, 3", "",   "99999999999999999999"};
    int64_t length;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(framing(FIELDS("Content-Length", bad[i]), &length), -1);
}

static bool json(const char *type)
{
    struct headers h;
    bool rc;

    fill(&h, FIELDS("Content-Type", type));
    rc = headers_json(&h);
    headers_done(&h);
    return rc;
}

static void test_json_types_are_known_in_any_case_and_with_parameters(void **state)
{
    (void)state;
    assert_true(json("application/json"));
    assert_true(json("Application/JSON ; charset=utf-8"));
    assert_true(json("application/vnd.x+json"));
    assert_false(json("text/json"));
    assert_false(json("application/x-www-form-urlencoded"));
    assert_false(json("application/jsonp"));
    assert_false(json("application/+json"));
    assert_false(json(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_in_lower_case),
        cmocka_unit_test(test_zero_characters_and_overflow_are_refused),
        cmocka_unit_test(test_more_fields_than_allowed_are_refused),
        cmocka_unit_test(test_the_length_of_a_body_is_read),
        cmocka_unit_test(test_a_body_with_two_lengths_is_refused),
        cmocka_unit_test(test_a_length_is_digits_only),
        cmocka_unit_test(test_json_types_are_known_in_any_case_and_with_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

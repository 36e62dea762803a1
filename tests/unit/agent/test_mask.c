/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/mask.h"

#include "common/json.h"
#include "common/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mask *mask_of(const char *const *values)
{
    struct err err = ERR_INIT;
    struct mask *mask = mask_new(&err);

    assert_non_null(mask);
    for (; *values; values++)
        assert_int_equal(mask_add(mask, *values, strlen(*values), &err), 0);
    return mask;
}

/* What is shown for a value. */
static const char *shown(const char *value)
{
    static char text[4][16];
    static int turn;
    char hex[SHA256_HEX_SIZE];

    turn = (turn + 1) % 4;
    sha256_hex(value, strlen(value), hex);
    (void)snprintf(text[turn], sizeof(text[turn]), "**%.6s**", hex);
    return text[turn];
}

/* Masks text in pieces of the given size. */
static void check(const struct mask *mask, const char *text, size_t piece, const char *expected)
{
    struct buf held = BUF_INIT(MASK_HELD_MAX);
    struct buf out = BUF_INIT(10000);
    size_t len = strlen(text);

    for (size_t at = 0; at < len; at += piece)
        mask_piece(mask, &held, text + at, len - at < piece ? len - at : piece, &out);
    mask_end(mask, &held, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_done(&held);
    buf_done(&out);
}

static void test_the_digits_are_those_of_sha256(void **state)
{
    const char *const values[] = {"abc", NULL};
    struct mask *mask = mask_of(values);

    (void)state;
    check(mask, "x abc y", 100, "x **ba7816** y");
    mask_free(mask);
}

static void test_a_value_is_found_wherever_the_pieces_end(void **state)
{
    const char *const values[] = {"s3cret-value", NULL};
    struct mask *mask = mask_of(values);
    char expected[200];

    (void)state;
    (void)snprintf(expected, sizeof(expected), "a%sb%s s3cret-valu", shown("s3cret-value"),
                   shown("s3cret-value"));
    for (size_t piece = 1; piece < 40; piece++)
        check(mask, "as3cret-valuebs3cret-value s3cret-valu", piece, expected);
    mask_free(mask);
}

static void test_the_longest_value_wins_in_any_order_of_adding(void **state)
{
    const char *const values[] = {"pass", "password1", "password", NULL};
    struct mask *mask = mask_of(values);
    char expected[200];

    (void)state;
    (void)snprintf(expected, sizeof(expected), "%s %s %s", shown("password1"), shown("password"),
                   shown("pass"));
    for (size_t piece = 1; piece < 30; piece++)
        check(mask, "password1 password pass", piece, expected);
    mask_free(mask);
}

static void test_a_short_value_at_the_end_is_masked_though_a_longer_one_might_begin(void **state)
{
    const char *const values[] = {"ab", "abcdef", NULL};
    struct mask *mask = mask_of(values);
    char expected[200];

    (void)state;
    (void)snprintf(expected, sizeof(expected), "%scd", shown("ab"));
    check(mask, "abcd", 1, expected);
    mask_free(mask);
}

static void test_text_that_begins_no_value_is_not_held_back(void **state)
{
    const char *const values[] = {"secret", NULL};
    struct mask *mask = mask_of(values);
    struct buf held = BUF_INIT(MASK_HELD_MAX);
    struct buf out = BUF_INIT(1000);

    (void)state;
    mask_piece(mask, &held, "login: ", 7, &out);
    assert_string_equal(buf_text(&out), "login: ");
    mask_piece(mask, &held, "sec", 3, &out);
    assert_string_equal(buf_text(&out), "login: ");
    mask_piece(mask, &held, "ond", 3, &out);
    assert_string_equal(buf_text(&out), "login: second");
    buf_done(&held);
    buf_done(&out);
    mask_free(mask);
}

/* Of what a command can be given as a variable. */
static void test_the_longest_possible_value_is_masked_as_a_whole(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct mask *mask = mask_new(NULL);
    size_t len = 128 * 1024;
    char *text = malloc(len + 4);

    (void)state;
    assert_non_null(mask);
    assert_non_null(text);
    memset(text, 'x', len);
    memcpy(text + len, "end", 4);
    assert_int_equal(mask_add(mask, text, len, NULL), 0);
    mask_text(mask, text, len + 3, &out);
    assert_int_equal(out.len, strlen("**123456**end"));
    assert_string_equal(buf_text(&out) + out.len - 3, "end");
    buf_done(&out);
    mask_free(mask);
    free(text);
}

static void test_empty_values_are_ignored(void **state)
{
    const char *const values[] = {"", NULL};
    struct mask *mask = mask_of(values);

    (void)state;
    check(mask, "text", 1, "text");
    mask_free(mask);
}

static void test_values_with_zero_bytes_are_found(void **state)
{
    const char *const none[] = {NULL};
    struct mask *mask = mask_of(none);
    struct buf out = BUF_INIT(1000);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(mask_add(mask, "a\0b", 3, &err), 0);
    mask_text(mask, "xa\0by", 5, &out);
    assert_int_equal(out.len, 12);
    assert_memory_equal(out.data, "x**", 3);
    buf_done(&out);
    mask_free(mask);
}

static void check_json(const char *text, const char *expected)
{
    const char *const values[] = {"pa\"ss", "line\nline", "\\", "1234", "ab", NULL};
    struct mask *mask = mask_of(values);
    struct json_object *json = NULL;
    struct buf out = BUF_INIT(1000);

    assert_int_equal(jsn_parse(text, strlen(text), &json, NULL), 0);
    mask_json(mask, json, &out);
    assert_false(buf_failed(&out));
    assert_string_equal(buf_text(&out), expected);
    buf_done(&out);
    json_object_put(json);
    mask_free(mask);
}

static void test_a_document_is_masked_however_its_strings_are_spelled(void **state)
{
    (void)state;
    check_json("{\"a\": \"x pa\\\"ss\", \"b\": [\"line\\nline\", \"\\u0061b\"]}",
               "{\"a\":\"x **6b3358**\",\"b\":[\"**d39a27**\",\"**fb8e20**\"]}");
    check_json("{\"k\\u0061b\": {}, \"c\": []}", "{\"k**fb8e20**\":{},\"c\":[]}");
    check_json("[\"C:\\\\\"]", "[\"C:**a9253d**\"]");
}

static void test_a_number_with_a_secret_in_it_is_masked_and_others_stay(void **state)
{
    (void)state;
    check_json("[123456, 12, 1.50, true, null]", "[\"**03ac67**56\",12,1.50,true,null]");
}

static void test_a_document_that_does_not_fit_is_known_by_its_buffer(void **state)
{
    const char *const values[] = {"a", NULL};
    struct mask *mask = mask_of(values);
    struct json_object *json = json_object_new_string("aaaa");
    struct buf out = BUF_INIT(20);

    (void)state;
    mask_json(mask, json, &out);
    assert_true(buf_failed(&out));
    buf_done(&out);
    json_object_put(json);
    mask_free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_document_is_masked_however_its_strings_are_spelled),
        cmocka_unit_test(test_a_number_with_a_secret_in_it_is_masked_and_others_stay),
        cmocka_unit_test(test_a_document_that_does_not_fit_is_known_by_its_buffer),
        cmocka_unit_test(test_the_digits_are_those_of_sha256),
        cmocka_unit_test(test_a_value_is_found_wherever_the_pieces_end),
        cmocka_unit_test(test_the_longest_value_wins_in_any_order_of_adding),
        cmocka_unit_test(test_a_short_value_at_the_end_is_masked_though_a_longer_one_might_begin),
        cmocka_unit_test(test_text_that_begins_no_value_is_not_held_back),
        cmocka_unit_test(test_the_longest_possible_value_is_masked_as_a_whole),
        cmocka_unit_test(test_empty_values_are_ignored),
        cmocka_unit_test(test_values_with_zero_bytes_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

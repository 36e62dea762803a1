/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LITERAL(text) text, sizeof(text) - 1

/* Reads and writes again. */
static void assert_round(const char *text, size_t len, const char *want)
{
    struct buf b = BUF_INIT(100000);
    struct json_object *json;
    struct err err = ERR_INIT;

    if (jsn_parse(text, len, &json, &err) < 0)
        fail_msg("%.*s: %s", (int)len, text, err.text);
    assert_int_equal(jsn_add_tree(&b, json), 0);
    assert_string_equal(buf_text(&b), want);
    json_object_put(json);
    buf_done(&b);
}

static void assert_code(const char *text, size_t len, enum err_code code)
{
    struct json_object *json = NULL;
    struct err err = ERR_INIT;

    if (jsn_parse(text, len, &json, &err) == 0)
        fail_msg("taken: %.*s", (int)len, text);
    assert_int_equal(err.code, code);
    assert_null(json);
}

static void test_documents_come_out_as_they_went_in(void **state)
{
    (void)state;
    assert_round(LITERAL(" {\"b\" : [1 , -2, true,false,null], \"a\": {} } \n"),
                 "{\"b\":[1,-2,true,false,null],\"a\":{}}");
    assert_round(LITERAL("[]"), "[]");
    assert_round(LITERAL("\"x\""), "\"x\"");
    assert_round(LITERAL("null"), "null");
    assert_round(LITERAL("0"), "0");
}

static void test_numbers_keep_their_spelling(void **state)
{
    (void)state;
    assert_round(LITERAL("[1.0,1.10,1e2,1E+2,-0,-0.0,0.1,1e400,1e-7]"),
                 "[1.0,1.10,1e2,1E+2,-0,-0.0,0.1,1e400,1e-7]");
    assert_round(LITERAL("[3.14159265358979323846264338327950288419716939937510]"),
                 "[3.14159265358979323846264338327950288419716939937510]");
    assert_round(LITERAL("[9223372036854775807,-9223372036854775808]"),
                 "[9223372036854775807,-9223372036854775808]");
}

static void test_strings_keep_every_character(void **state)
{
    (void)state;
    assert_round(LITERAL("\"\\u0041\\n\\t\\r\\b\\f\\/\\\\\\\"\""),
                 "\"A\\n\\t\\r\\u0008\\u000c/\\\\\\\"\"");
    assert_round(LITERAL("\"a\\u0000b\""), "\"a\\u0000b\"");
    assert_round(LITERAL("\"\\ud83d\\ude00 \\u00e9 \xF0\x9F\x98\x80\""),
                 "\"\xF0\x9F\x98\x80 \xC3\xA9 \xF0\x9F\x98\x80\"");
    assert_round(LITERAL("\"\x7F\\uFFFD\xEF\xBF\xBD\""), "\"\x7F\xEF\xBF\xBD\xEF\xBF\xBD\"");
    assert_round(LITERAL("{\"k\\u0065y\\n\":1}"), "{\"key\\n\":1}");
}

static void test_the_last_of_two_equal_keys_counts(void **state)
{
    (void)state;
    assert_round(LITERAL("{\"a\":1,\"b\":2,\"a\":3}"), "{\"a\":3,\"b\":2}");
}

static void test_what_is_not_json_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "{\"a\" 1}",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "0x10",
        "tru",
        "True",
        "nul",
        "[1]x",
        "{}{}",
        "// c\n1",
        "[/*c*/1]",
        "\"a\nb\"",
        "\"\t\"",
        "-01",
        "[,1]",
        "nan",
        "-NaN",
        "[1",
        "{\"a\":}",
        "{\"a\"}",
        "{\"a\":1]",
        "[1}",
        "\"\\",
        "\"\\u",
        "\xEF\xBB\xBF{}",
        "\"\xFF\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xE9\"",
        "\"\xF4\x90\x80\x80\"",
        "\xFF\xFE[\0]",
        "\v1",
        "-Infinityx",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_code(texts[i], strlen(texts[i]), ERR_BAD_REQUEST);
    assert_code(LITERAL("\"a\0b\""), ERR_BAD_REQUEST);
    assert_code(LITERAL("1\0"), ERR_BAD_REQUEST);
    assert_code(LITERAL("\"\\\0\""), ERR_BAD_REQUEST);
}

static void test_values_that_cannot_be_kept_are_refused_otherwise(void **state)
{
    static const char *const texts[] = {
        "NaN",
        "[Infinity]",
        "{\"a\":-Infinity}",
        "9223372036854775808",
        "-9223372036854775809",
        "[123456789012345678901234567890]",
        "\"\\ud800\"",
        "\"\\udc00x\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "{\"\\udfff\":1}",
        "{\"a\\u0000b\":1}",
        "{\"a\\u0000\":1,\"a\":2}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_code(texts[i], strlen(texts[i]), ERR_INVALID);
}

static void test_faults_stand_in_the_tree(void **state)
{
    struct json_object *json, *list;

    (void)state;
    assert_int_equal(jsn_parse_faults(LITERAL("{\"a\":[1,NaN,\"\",1.5]}"), &json, NULL), 0);
    list = jsn_get(json, "a");
    assert_null(jsn_fault(json));
    assert_null(jsn_fault(json_object_array_get_idx(list, 0)));
    assert_non_null(jsn_fault(json_object_array_get_idx(list, 1)));
    assert_null(jsn_fault(json_object_array_get_idx(list, 2)));
    assert_null(jsn_fault(json_object_array_get_idx(list, 3)));
    json_object_put(json);
}

static void assert_depth(int depth, int want_rc)
{
    char text[2 * JSN_DEPTH_MAX + 10];
    struct json_object *json;
    int rc;

    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    rc = jsn_parse(text, 2 * (size_t)depth, &json, NULL);
    assert_int_equal(rc, want_rc);
    if (rc == 0)
        json_object_put(json);
}

static void test_nesting_is_bounded(void **state)
{
    (void)state;
    assert_depth(JSN_DEPTH_MAX, 0);
    assert_depth(JSN_DEPTH_MAX + 1, -1);
}

static void test_an_unclosed_megabyte_of_brackets_is_refused(void **state)
{
    char *text = malloc(1 << 20);

    (void)state;
    assert_non_null(text);
    memset(text, '[', 1 << 20);
    assert_code(text, 1 << 20, ERR_BAD_REQUEST);
    free(text);
}

static void assert_repeated(const char *what, size_t times, int want_rc)
{
    struct buf text = BUF_INIT((size_t)32 << 20);
    struct json_object *json;
    struct err err = ERR_INIT;

    (void)buf_addc(&text, '[');
    for (size_t i = 0; i < times; i++) {
        (void)buf_adds(&text, what);
        (void)buf_addc(&text, i + 1 < times ? ',' : ']');
    }
    assert_int_equal(jsn_parse(buf_text(&text), text.len, &json, &err), want_rc);
    if (want_rc == 0)
        json_object_put(json);
    else
        assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_done(&text);
}

static void test_a_small_text_cannot_make_a_huge_tree(void **state)
{
    (void)state;
    assert_repeated("{}", 100000, 0);
    assert_repeated("{}", JSN_COST_MAX / 9 + 1, -1);
    assert_repeated("[]", JSN_COST_MAX / 3 + 1, -1);
    assert_repeated("1", JSN_COST_MAX + 1, -1);
}

static void assert_canonical_equal(const char *one, const char *two, bool equal)
{
    struct buf a = BUF_INIT(1000), b = BUF_INIT(1000);
    struct json_object *first, *second;

    assert_int_equal(jsn_parse(one, strlen(one), &first, NULL), 0);
    assert_int_equal(jsn_parse(two, strlen(two), &second, NULL), 0);
    assert_int_equal(jsn_add_canonical(&a, first), 0);
    assert_int_equal(jsn_add_canonical(&b, second), 0);
    assert_int_equal(strcmp(buf_text(&a), buf_text(&b)) == 0, equal);
    json_object_put(first);
    json_object_put(second);
    buf_done(&a);
    buf_done(&b);
}

static void test_equal_documents_have_one_canonical_text(void **state)
{
    (void)state;
    assert_canonical_equal("{\"a\":1,\"b\":[{\"d\":1,\"c\":2}]}",
                           "{\"b\":[{\"c\":2,\"d\":1}],\"a\":1}", true);
    assert_canonical_equal("[1.0,1e2,-0]", "[1,100,0.0]", true);
    assert_canonical_equal("[0.1]", "[1e-1]", true);
    assert_canonical_equal("[1,2]", "[2,1]", false);
    assert_canonical_equal("[0.1]", "[0.10000000000000002]", false);
    assert_canonical_equal("\"\\u0041\"", "\"A\"", true);
    assert_canonical_equal("[\"1\"]", "[1]", false);
}

static void test_text_that_is_not_utf8_is_replaced(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_int_equal(jsn_add_string(&b, LITERAL("a\xFFz\0\x01\"\\\xE2\x98")), 0);
    assert_string_equal(buf_text(&b),
                        "\"a\xEF\xBF\xBDz\\u0000\\u0001\\\"\\\\\xEF\xBF\xBD\xEF\xBF\xBD\"");
    buf_done(&b);
}

static void test_a_full_buffer_fails(void **state)
{
    struct buf b = BUF_INIT(6);
    struct json_object *json;

    (void)state;
    assert_int_equal(jsn_parse(LITERAL("{\"a\":[1,2]}"), &json, NULL), 0);
    assert_int_equal(jsn_add_tree(&b, json), -1);
    assert_true(buf_failed(&b));
    json_object_put(json);
    buf_done(&b);
}

static void test_members_are_found_by_name_and_type(void **state)
{
    struct json_object *json;

    (void)state;
    assert_int_equal(jsn_parse(LITERAL("{\"t\":\"x\",\"n\":5,\"z\":null}"), &json, NULL), 0);
    assert_string_equal(jsn_text(json, "t"), "x");
    assert_null(jsn_text(json, "n"));
    assert_null(jsn_text(json, "none"));
    assert_null(jsn_get(json, "z"));
    assert_int_equal(jsn_int(json, "n", -1), 5);
    assert_int_equal(jsn_int(json, "t", -1), -1);
    assert_null(jsn_get(NULL, "x"));
    json_object_put(json);
}

static void assert_without(const char *text, const char *key, const char *tree,
                           const char *canonical)
{
    struct buf as_read = BUF_INIT(1000), sorted = BUF_INIT(1000);
    struct json_object *json;

    assert_int_equal(jsn_parse(text, strlen(text), &json, NULL), 0);
    assert_int_equal(jsn_add_tree_without(&as_read, json, key), 0);
    assert_int_equal(jsn_add_canonical_without(&sorted, json, key), 0);
    assert_string_equal(buf_text(&as_read), tree);
    assert_string_equal(buf_text(&sorted), canonical);
    json_object_put(json);
    buf_done(&as_read);
    buf_done(&sorted);
}

static void test_a_member_may_be_left_out(void **state)
{
    static const char text[] = "{\"c\":{\"b\":1},\"b\":\"{\",\"a\":1e0}";

    (void)state;
    assert_without(text, "b", "{\"c\":{\"b\":1},\"a\":1e0}", "{\"a\":1,\"c\":{\"b\":1}}");
    assert_without(text, "c", "{\"b\":\"{\",\"a\":1e0}", "{\"a\":1,\"b\":\"{\"}");
    assert_without(text, NULL, text, "{\"a\":1,\"b\":\"{\",\"c\":{\"b\":1}}");
    assert_without("{\"b\":1}", "b", "{}", "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_come_out_as_they_went_in),
        cmocka_unit_test(test_numbers_keep_their_spelling),
        cmocka_unit_test(test_a_member_may_be_left_out),
        cmocka_unit_test(test_strings_keep_every_character),
        cmocka_unit_test(test_the_last_of_two_equal_keys_counts),
        cmocka_unit_test(test_what_is_not_json_is_refused),
        cmocka_unit_test(test_values_that_cannot_be_kept_are_refused_otherwise),
        cmocka_unit_test(test_faults_stand_in_the_tree),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_an_unclosed_megabyte_of_brackets_is_refused),
        cmocka_unit_test(test_a_small_text_cannot_make_a_huge_tree),
        cmocka_unit_test(test_equal_documents_have_one_canonical_text),
        cmocka_unit_test(test_text_that_is_not_utf8_is_replaced),
        cmocka_unit_test(test_a_full_buffer_fails),
        cmocka_unit_test(test_members_are_found_by_name_and_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

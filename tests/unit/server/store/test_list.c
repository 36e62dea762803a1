/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/store/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_list(const char *const *texts, size_t count, const char *expected)
{
    struct buf list;

    buf_init(&list, LIST_TEXT_MAX);
    for (size_t i = 0; i < count; i++)
        list_add(&list, texts[i]);
    assert_int_equal(list_end(&list), 0);
    assert_string_equal(buf_text(&list), expected);
    buf_done(&list);
}

static void test_every_text_is_quoted(void **state)
{
    static const char *const texts[] = {"a", "", NULL, "NULL", "{,}", "q\"b\\", " "};

    (void)state;
    assert_list(texts, 0, "{}");
    assert_list(texts, 1, "{\"a\"}");
    assert_list(texts, 7, "{\"a\",\"\",NULL,\"NULL\",\"{,}\",\"q\\\"b\\\\\",\" \"}");
}

static void test_a_list_that_is_too_large_is_told_at_the_end(void **state)
{
    struct buf list;

    (void)state;
    buf_init(&list, 8);
    list_add(&list, "12345");
    list_add(&list, "6");
    assert_int_equal(list_end(&list), -1);
    buf_done(&list);
}

static void test_numbers_are_not_quoted(void **state)
{
    struct buf list;

    (void)state;
    buf_init(&list, LIST_TEXT_MAX);
    list_add_int(&list, INT64_MIN);
    list_add_int(&list, 0);
    assert_int_equal(list_end(&list), 0);
    assert_string_equal(buf_text(&list), "{-9223372036854775808,0}");
    buf_done(&list);
}

static void test_long_texts_are_not_quoted(void **state)
{
    static const char wanted[] = "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1"
                                 "\0\0\0\3\"{\\\0\0\0\0";
    struct buf list, text;

    (void)state;
    buf_init(&list, LIST_TEXT_MAX);
    buf_init(&text, 10);
    list_begin_binary(&list, 2);
    assert_int_equal(buf_adds(&text, "\"{\\"), 0);
    assert_int_equal(list_add_binary(&list, &text), 0);
    buf_clear(&text);
    assert_int_equal(list_add_binary(&list, &text), 0);
    assert_int_equal(list.len, sizeof(wanted) - 1);
    assert_memory_equal(list.data, wanted, list.len);
    buf_done(&text);
    buf_done(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_not_quoted),
        cmocka_unit_test(test_long_texts_are_not_quoted),
        cmocka_unit_test(test_every_text_is_quoted),
        cmocka_unit_test(test_a_list_that_is_too_large_is_told_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

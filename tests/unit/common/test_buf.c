/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_new_buffer_is_an_empty_text(void **state)
{
    struct buf b = BUF_INIT(10);

    (void)state;
    assert_string_equal(buf_text(&b), "");
    assert_false(buf_failed(&b));
    buf_done(&b);
}

static void test_it_grows_to_its_maximum_and_not_beyond(void **state)
{
    struct buf b = BUF_INIT(5);

    (void)state;
    assert_int_equal(buf_adds(&b, "12345"), 0);
    assert_int_equal(buf_addc(&b, '6'), -1);
    assert_true(buf_failed(&b));
    assert_string_equal(buf_text(&b), "12345");
    assert_null(buf_take(&b));
    buf_done(&b);
}

static void test_formatted_text_fits_exactly(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    assert_int_equal(buf_addf(&b, "%s-%d", "abc", 1234), 0);
    assert_int_equal(b.len, 8);
    assert_int_equal(buf_addf(&b, "%d", 1), -1);
    buf_done(&b);
}

static void test_dropping_and_cutting_keep_the_rest(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    assert_int_equal(buf_adds(&b, "0123456789"), 0);
    buf_drop(&b, 3);
    assert_string_equal(buf_text(&b), "3456789");
    buf_cut(&b, 2);
    assert_string_equal(buf_text(&b), "34");
    buf_done(&b);
}

static void test_taking_hands_the_memory_out(void **state)
{
    struct buf b = BUF_INIT(100);
    char *text;

    (void)state;
    assert_int_equal(buf_adds(&b, "mine"), 0);
    text = buf_take(&b);
    assert_string_equal(text, "mine");
    free(text);
    text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_buffer_is_an_empty_text),
        cmocka_unit_test(test_it_grows_to_its_maximum_and_not_beyond),
        cmocka_unit_test(test_formatted_text_fits_exactly),
        cmocka_unit_test(test_dropping_and_cutting_keep_the_rest),
        cmocka_unit_test(test_taking_hands_the_memory_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
